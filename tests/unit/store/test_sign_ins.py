"""Browsers that are signed in, and links that are good once."""

from __future__ import annotations

import asyncio
import secrets

import pytest

from growqr.errors import NotFound
from growqr.store import OPERATOR, Browser, Limits, Store, User
from tests.rows import rows

pytestmark = pytest.mark.anyio


def browser(agent: str = "a browser", ttl: float = 60) -> Browser:
    return Browser(secrets.token_bytes(32), agent, ttl)


async def test_a_link_signs_in_once_whoever_comes_first(
    store: Store, database_url: str, alice: User
) -> None:
    link = secrets.token_bytes(32)
    await store.sign_ins.make_link(alice.id, link, 60)
    async with Store(database_url, 8) as second:
        tried = await asyncio.gather(
            *(where.sign_ins.exchange(link, browser(), OPERATOR)
              for where in (store, second) for _ in "x" * 8)
        )  # fmt: skip
    [(sign_in, user_id)] = [one for one in tried if one]
    assert user_id == alice.id
    [listed] = await store.sign_ins.list(alice.id)
    assert (listed.id, listed.way, listed.agent) == (sign_in, "link", "a browser")
    assert await store.sign_ins.exchange(link, browser(), OPERATOR) is None


async def test_a_link_that_is_over_or_unknown_signs_nobody_in(
    store: Store, database_url: str, alice: User
) -> None:
    link = secrets.token_bytes(32)
    await store.sign_ins.make_link(alice.id, link, 600)
    await rows(database_url, "update sign_in_link set expires_at = expires_at - interval '601 s'")
    for tried in (link, secrets.token_bytes(32)):
        assert await store.sign_ins.exchange(tried, browser(), OPERATOR) is None
    assert await store.sign_ins.list(alice.id) == []
    assert await store.audit.list(limit=9, what="sign_in.") == []


async def test_a_cookie_that_is_there_already_uses_no_link_up(store: Store, alice: User) -> None:
    """The link goes and the sign-in comes in one statement, or neither does."""
    taken, link = browser(), secrets.token_bytes(32)
    await store.sign_ins.begin(alice.id, "token", taken, OPERATOR)
    await store.sign_ins.make_link(alice.id, link, 60)
    with pytest.raises(Exception, match="sign_in_sha_key"):
        await store.sign_ins.exchange(link, taken, OPERATOR)
    assert await store.sign_ins.exchange(link, browser(), OPERATOR) is not None


async def test_only_ones_own_are_listed_and_ended(store: Store, alice: User, bob: User) -> None:
    mine = [await store.sign_ins.begin(alice.id, "token", browser(), OPERATOR) for _ in "xxx"]
    theirs = await store.sign_ins.begin(bob.id, "github", browser(), OPERATOR)
    with pytest.raises(NotFound):
        await store.sign_ins.end(alice.id, theirs, OPERATOR)
    await store.sign_ins.end(alice.id, mine[1], OPERATOR)
    with pytest.raises(NotFound):
        await store.sign_ins.end(alice.id, mine[1], OPERATOR)
    assert [one.id for one in await store.sign_ins.list(alice.id)] == [mine[0], mine[2]]
    assert await store.sign_ins.end_all(alice.id, OPERATOR) == 2
    assert await store.sign_ins.end_all(alice.id, OPERATOR) == 0
    assert [one.id for one in await store.sign_ins.list(bob.id)] == [theirs]


async def test_what_is_over_is_not_listed_and_an_agent_is_cut(
    store: Store, database_url: str, alice: User
) -> None:
    kept = browser("x" * 5000)
    await store.sign_ins.begin(alice.id, "token", kept, OPERATOR)
    [listed] = await store.sign_ins.list(alice.id)
    assert listed.agent == "x" * 200
    assert await store.admissions.cookie(kept.sha, Limits(0, 0)) is not None
    await rows(database_url, "update sign_in set expires_at = clock_timestamp()")
    assert await store.sign_ins.list(alice.id) == []
    assert await store.admissions.cookie(kept.sha, Limits(0, 0)) is None
