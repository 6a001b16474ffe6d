"""API keys as they are kept: the hash, and what their owner may see."""

from __future__ import annotations

import pytest

from growqr.errors import Conflict, NotFound
from growqr.identity import make_key, read_key
from growqr.store import OPERATOR, ApiKey, Limits, Store, User
from tests.rows import rows

pytestmark = pytest.mark.anyio


async def made(store: Store, user: User, seed: str | None = None) -> tuple[str, ApiKey]:
    key, proof = make_key(seed)
    return key, await store.api_keys.make(
        user.id, proof.id, proof.sha, name="ci", scopes=["memory:read"], expires_at=None,
        day_tokens=7, by=OPERATOR,
    )  # fmt: skip


async def test_the_key_itself_is_nowhere(store: Store, database_url: str, alice: User) -> None:
    key, kept = await made(store, alice)
    assert (kept.user_id, kept.scopes, kept.day_tokens) == (alice.id, ["memory:read"], 7)
    assert (kept.used_at, kept.revoked_at, kept.expires_at) == (None, None, None)
    tables = await rows(
        database_url,
        "select table_name from information_schema.tables where table_schema = current_schema()",
    )
    assert ("api_key",) in tables
    for (table,) in tables:
        held = str(await rows(database_url, f"select t::text from {table} t"))
        assert key not in held
        assert key.split("_")[2] not in held


async def test_a_second_key_of_one_id_is_refused(
    store: Store, database_url: str, alice: User
) -> None:
    _, first = await made(store, alice, "seed")
    with pytest.raises(Conflict, match="shown once"):
        await made(store, alice, "seed")
    assert await store.api_keys.list(alice.id, limit=9) == [first]
    # What was refused is not in the log as done.
    assert len(await store.audit.list(limit=9, what="api_key.made")) == 1


async def test_keys_come_in_pages_of_their_owner(store: Store, alice: User, bob: User) -> None:
    mine = sorted([(await made(store, alice))[1].id for _ in range(5)])
    await made(store, bob)
    page = await store.api_keys.list(alice.id, limit=3)
    rest = await store.api_keys.list(alice.id, limit=3, after=page[-1].id)
    assert [one.id for one in (*page, *rest)] == mine


async def test_a_key_is_revoked_by_its_owner_and_once(store: Store, alice: User, bob: User) -> None:
    key, kept = await made(store, alice)
    proof = read_key(key)
    assert proof is not None
    assert await store.admissions.api_key(*proof, Limits(0, 0)) is not None
    with pytest.raises(NotFound):
        await store.api_keys.revoke(bob.id, kept.id, OPERATOR)
    for _ in range(2):
        await store.api_keys.revoke(alice.id, kept.id, OPERATOR)
    [listed] = await store.api_keys.list(alice.id, limit=9)
    assert listed.revoked_at is not None
    assert len(await store.audit.list(limit=9, what="api_key.revoked")) == 1
    assert await store.admissions.api_key(*proof, Limits(0, 0)) is None
