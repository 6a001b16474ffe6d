"""Invites: each makes one user, by its link or for its address, as long as it is open."""

from __future__ import annotations

import asyncio
import secrets

import pytest

from growqr.errors import Conflict, NotFound
from growqr.store import OPERATOR, Invite, Role, Store, User
from tests.rows import rows

pytestmark = pytest.mark.anyio


async def made(
    store: Store, user: User, email: str | None = None, role: Role = "member",
    key: str | None = None,
) -> tuple[bytes, Invite]:  # fmt: skip
    sha = secrets.token_bytes(32)
    invite = await store.invites.make(user.id, sha, email=email, role=role, by=OPERATOR, key=key)
    return sha, invite


async def came(store: Store, name: str, invite: str) -> User:
    return await store.users.ensure(name, issuer="i", subject=name, name=name, invite=invite)


async def test_whoever_has_the_link_or_the_address_finds_it(store: Store, alice: User) -> None:
    sha, anybody = await made(store, alice)
    other, ann = await made(store, alice, "ann@a.example")

    async def found(link: bytes | None, email: str | None) -> str | None:
        opened = await store.invites.open(link, email)
        return opened.id if opened else None

    assert await found(sha, None) == await found(sha, "bob@b.example") == anybody.id
    assert await found(other, "ann@a.example") == await found(None, "ann@a.example") == ann.id
    assert await found(other, None) is None  # a link for Ann is of no use to others
    assert await found(other, "bob@b.example") is None
    assert await found(None, None) is None
    assert await found(None, "bob@b.example") is None
    assert await found(secrets.token_bytes(32), "ann@a.example") is None


async def test_an_invite_makes_one_user_and_says_as_what(
    store: Store, database_url: str, alice: User
) -> None:
    sha, invite = await made(store, alice, role="admin")
    async with Store(database_url, 8) as second:
        outcomes = await asyncio.gather(
            *(came(where, f"u_{n}", invite.id) for n, where in enumerate((store, second) * 4)),
            return_exceptions=True,
        )
    [user] = [one for one in outcomes if isinstance(one, User)]
    assert {type(one) for one in outcomes if not isinstance(one, User)} == {Conflict}
    assert user.role == "admin"
    [used] = await store.invites.list(limit=9)
    assert (used.used_by, used.used_at is None) == (user.id, False)
    assert await store.invites.open(sha, None) is None
    assert len(await store.users.list(limit=99)) == 2


async def test_whoever_is_a_user_uses_none(store: Store, alice: User) -> None:
    sha, invite = await made(store, alice, role="admin")
    assert await came(store, alice.id, invite.id) == alice
    assert await store.invites.open(sha, None) is not None


async def test_after_its_days_it_opens_nothing(
    store: Store, database_url: str, alice: User
) -> None:
    sha, invite = await made(store, alice, "ann@a.example")
    days = (invite.expires_at - invite.created_at).total_seconds() / 86400
    assert days == pytest.approx(7, abs=0.01)
    await rows(database_url, "update invite set expires_at = clock_timestamp()")
    assert await store.invites.open(sha, "ann@a.example") is None
    with pytest.raises(Conflict):
        await came(store, "u_ann", invite.id)
    assert await store.users.get("u_ann") is None


async def test_it_can_be_withdrawn_until_it_was_used(store: Store, alice: User) -> None:
    _, used = await made(store, alice)
    sha, invite = await made(store, alice)
    await came(store, "u_ann", used.id)
    with pytest.raises(NotFound):
        await store.invites.withdraw(used.id, OPERATOR)
    await store.invites.withdraw(invite.id, OPERATOR)
    with pytest.raises(NotFound):
        await store.invites.withdraw(invite.id, OPERATOR)
    assert await store.invites.open(sha, None) is None
    assert [one.id for one in await store.invites.list(limit=9)] == [used.id]


async def test_one_key_makes_one_invite_of_each_user(store: Store, alice: User, bob: User) -> None:
    _, first = await made(store, alice, key="k")
    with pytest.raises(Conflict, match="shown once"):
        await made(store, alice, key="k")
    _, theirs = await made(store, bob, key="k")
    _, other = await made(store, alice, key="k2")
    listed = await store.invites.list(limit=2)
    listed += await store.invites.list(limit=2, after=listed[-1].id)
    assert [one.id for one in listed] == sorted([first.id, theirs.id, other.id])
    assert len(await store.audit.list(limit=9, what="invite.made")) == 3
