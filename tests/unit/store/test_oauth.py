"""Accounts at providers: one owner each, states that work once, tokens swapped only as seen."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from growqr.errors import Conflict, NotFound
from growqr.store import SEALED, Act, OAuthAccount, OAuthState, Store, User

pytestmark = pytest.mark.anyio

NOW = datetime(2026, 11, 20, tzinfo=UTC)
LATER = NOW + timedelta(minutes=10)
ANN = Act("u_ann", "own")
STATE = OAuthState("github", b"cookie", "sealed", "/home", None, b"invite", LATER)


async def keep(
    store: Store, user: User, subject: str = "7", tokens: str = "one", *, linking: bool = True
) -> OAuthAccount:
    return await store.oauth.keep(
        user.id, "github", subject=subject, login="ann", scopes="repo", tokens=tokens,
        expires_at=LATER, by=ANN, linking=linking,
    )  # fmt: skip


async def test_a_state_comes_back_once(store: Store):
    await store.oauth.open_state(b"sha", STATE, now=NOW)
    taken = await asyncio.gather(*(store.oauth.take_state(b"sha") for _ in range(8)))
    assert [state for state in taken if state] == [STATE]
    assert await store.oauth.take_state(b"other") is None


async def test_states_that_never_came_back_go(store: Store):
    await store.oauth.open_state(b"old", STATE, now=NOW)
    late = STATE._replace(expires_at=LATER + timedelta(hours=1))
    await store.oauth.open_state(b"new", late, now=LATER)
    assert await store.oauth.take_state(b"old") is None, "it would have come back as expired"
    assert await store.oauth.take_state(b"new") == late


async def test_an_account_is_kept_anew_and_belongs_to_one_user(
    store: Store, alice: User, bob: User
):
    first = await keep(store, alice)
    again = await keep(store, alice, tokens="two")
    assert (again.tokens, again.subject) == ("two", "7")
    assert again.updated_at > first.updated_at
    with pytest.raises(Conflict) as refused:
        await keep(store, bob, tokens="three")
    assert refused.value.detail == {"code": "account_taken"}
    assert await store.oauth.get(bob.id, "github") is None
    assert await store.oauth.owner("github", "7") == alice.id
    assert await store.oauth.owner("google", "7") is None
    assert await store.oauth.list(alice.id) == [again]
    assert await store.oauth.list(bob.id) == []


async def test_of_two_users_at_once_one_gets_the_account(store: Store, alice: User, bob: User):
    results = await asyncio.gather(keep(store, alice), keep(store, bob), return_exceptions=True)
    assert sorted(type(result) for result in results if isinstance(result, Exception)) == [Conflict]


async def test_an_account_needs_its_user(store: Store, alice: User):
    with pytest.raises(NotFound):
        await keep(store, alice._replace(id="u_nobody"))


async def test_tokens_are_swapped_only_over_what_was_seen(store: Store, alice: User):
    seen = await keep(store, alice)
    swaps = await asyncio.gather(*(store.oauth.swap(seen, f"new {n}", None) for n in range(6)))
    assert swaps.count(True) == 1
    now = await store.oauth.get(alice.id, "github")
    assert now
    assert (now.tokens, now.expires_at) == (f"new {swaps.index(True)}", None)
    assert not await store.oauth.swap(seen, "late", None)


async def test_an_account_is_removed_once_and_its_subject_is_free_then(
    store: Store, alice: User, bob: User
):
    seen = await keep(store, alice)
    assert await store.oauth.remove(alice.id, "github", ANN)
    assert not await store.oauth.remove(alice.id, "github", ANN)
    assert not await store.oauth.swap(seen, "late", None)
    assert (await keep(store, bob)).user_id == bob.id


async def test_a_row_that_changed_since_it_was_read_is_not_sealed_anew(store: Store, alice: User):
    await keep(store, alice, tokens="v1.0000000a.old")
    [column] = [column for column in SEALED if column.table == "oauth_account"]
    [seen] = await store.sealed.others(column, "0000000b", after="", limit=9)
    assert seen == (f"{alice.id}/github", alice.id, "v1.0000000a.old")
    await keep(store, alice, tokens="v1.0000000a.newer")
    assert not await store.sealed.swap(column, seen, "v1.0000000b.old")
    [seen] = await store.sealed.others(column, "0000000b", after="", limit=9)
    assert await store.sealed.swap(column, seen, "v1.0000000b.newer")
    assert await store.sealed.others(column, "0000000b", after="", limit=9) == []
    assert await store.sealed.count(column) == {"0000000b": 1}


async def by_github(store: Store, subject: str = "7") -> User:
    """Somebody whom their account at GitHub made a user."""
    return await store.users.ensure(f"u_{subject}", issuer="github", subject=subject, name="n")


async def test_an_account_that_was_replaced_signs_nobody_in_and_does_not_come_back(store: Store):
    user = await by_github(store)
    await keep(store, user, linking=False)
    await keep(store, user, "8")
    await google(store, user)
    for left in (["8", "g"], ["g"]):  # nor once the one in its place is gone
        with pytest.raises(Conflict) as refused:
            await keep(store, user, linking=False)
        assert refused.value.detail == {"code": "account_taken"}
        assert [account.subject for account in await store.oauth.list(user.id)] == left
        await store.oauth.remove(user.id, "github", ANN, ["github", "google"])
    await keep(store, user)
    assert (await keep(store, user, tokens="two", linking=False)).tokens == "two"


async def google(store: Store, user: User) -> OAuthAccount:
    return await store.oauth.keep(
        user.id, "google", subject="g", login="ann", scopes="", tokens="g", expires_at=None,
        by=ANN, linking=True,
    )  # fmt: skip


async def test_the_last_way_in_is_not_unlinked_of_two_at_once_one_stays(store: Store):
    user, ways = await by_github(store), ["github", "google"]
    await keep(store, user, linking=False)
    with pytest.raises(Conflict) as refused:
        await store.oauth.remove(user.id, "github", ANN, ways)
    assert refused.value.detail == {"code": "last_way_in"}
    await google(store, user)
    with pytest.raises(Conflict):  # a provider that is switched off lets nobody in
        await store.oauth.remove(user.id, "github", ANN, ["github"])
    gone = await asyncio.gather(
        *(store.oauth.remove(user.id, way, ANN, ways) for way in ways), return_exceptions=True
    )
    assert sorted(str(type(one)) for one in gone) == [str(bool), str(Conflict)]
    assert len(await store.oauth.list(user.id)) == 1
