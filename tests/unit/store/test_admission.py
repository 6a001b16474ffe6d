"""Who stands behind a token, and how much of it there was, over all replicas."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from growqr.errors import TooMany
from growqr.store import OPERATOR, Browser, Limits, Store, User, Way
from tests.rows import rows

pytestmark = pytest.mark.anyio

FREE = Limits(0, 0)


@pytest.fixture
async def second(database_url: str) -> AsyncIterator[Store]:
    """Another replica."""
    async with Store(database_url, 8) as opened:
        yield opened


async def browser(store: Store, user: User, ttl: float = 60) -> tuple[bytes, str]:
    """(hash of the cookie, sign-in) of one that is signed in."""
    sha = secrets.token_bytes(32)
    made = await store.sign_ins.begin(user.id, "token", Browser(sha, "a", ttl), OPERATOR)
    return sha, made


async def made_key(store: Store, user: User, *scopes: str) -> tuple[str, bytes]:
    key, sha = secrets.token_hex(4), secrets.token_bytes(32)
    await store.api_keys.make(
        user.id, key, sha, name="k", scopes=scopes, expires_at=None, day_tokens=None, by=OPERATOR
    )
    return key, sha


async def test_each_way_in_names_its_user(store: Store, alice: User, bob: User) -> None:
    (sha, sign_in), (key, secret) = await browser(store, alice), await made_key(store, bob, "read")
    token = await store.admissions.token(alice.id, FREE)
    cookie = await store.admissions.cookie(sha, FREE)
    by_key = await store.admissions.api_key(key, secret, FREE)
    assert token is not None
    assert cookie is not None
    assert by_key is not None
    assert (token.user_id, token.kind, token.via, token.scopes) == (alice.id, "token", "", None)
    assert (cookie.user_id, cookie.kind, cookie.via) == (alice.id, "sign_in", sign_in)
    assert cookie.expires_at is not None
    assert (by_key.user_id, by_key.kind, by_key.via) == (bob.id, "api_key", key)
    assert (by_key.scopes, by_key.expires_at) == (["read"], None)


async def test_nobody_stands_behind_what_is_wrong_revoked_or_over(
    store: Store, second: Store, database_url: str, alice: User, bob: User
) -> None:
    (sha, _), (key, secret) = await browser(store, alice), await made_key(store, alice)
    other, _ = await made_key(store, bob)
    assert await store.admissions.token("u_nobody", FREE) is None
    assert await store.admissions.cookie(secret, FREE) is None
    assert await store.admissions.api_key(key, sha, FREE) is None
    assert await store.admissions.api_key(other, secret, FREE) is None
    await rows(database_url, "update sign_in set expires_at = clock_timestamp()")
    assert await store.admissions.cookie(sha, FREE) is None
    await rows(database_url, "update api_key set expires_at = clock_timestamp()")
    assert await store.admissions.api_key(key, secret, FREE) is None
    await rows(database_url, "update api_key set expires_at = null")
    assert await store.admissions.api_key(key, secret, FREE) is not None
    await store.api_keys.revoke(alice.id, key, OPERATOR)
    assert await second.admissions.api_key(key, secret, FREE) is None


async def test_requests_are_counted_over_all_replicas(
    store: Store, second: Store, alice: User, bob: User
) -> None:
    limits = Limits(100, 100)
    asked = [where.admissions.token(alice.id, limits) for where in (store, second) for _ in "x" * 8]
    found = await asyncio.gather(*asked)
    assert sorted(one.user_used for one in found if one and one.user_used) == list(range(1, 17))
    assert all(one and one.user_rest and 0 < one.user_rest <= 60 for one in found)
    assert all(one and one.key_used is None for one in found)
    other = await store.admissions.token(bob.id, limits)
    assert other is not None
    assert other.user_used == 1


async def test_a_key_counts_for_itself_and_for_its_user(store: Store, alice: User) -> None:
    limits = Limits(100, 100)
    first, second = await made_key(store, alice), await made_key(store, alice)
    for key, of_user, of_key in [(first, 1, 1), (first, 2, 2), (second, 3, 1)]:
        found = await store.admissions.api_key(*key, limits)
        assert found is not None
        assert (found.user_used, found.key_used) == (of_user, of_key)
    off = await store.admissions.api_key(*first, Limits(0, 100))
    assert off is not None
    assert (off.user_used, off.key_used) == (None, 3)


async def test_a_window_ends_a_minute_after_its_first_request(
    store: Store, database_url: str, alice: User
) -> None:
    back = "update allowance set since = since - make_interval(secs => %s)"
    limits = Limits(5, 0)
    for used, moved in [(1, 0), (2, 0), (3, 50), (1, 11), (2, 0), (1, 60)]:
        await rows(database_url, back, moved)
        found = await store.admissions.token(alice.id, limits)
        assert found is not None
        assert found.user_used == used
        assert found.user_rest == pytest.approx(60 if used == 1 else 60 - moved, abs=5)


async def test_without_limits_nothing_is_counted(
    store: Store, database_url: str, alice: User
) -> None:
    await store.admissions.token(alice.id, FREE)
    assert await rows(database_url, "select * from allowance") == []


async def test_strangers_are_counted_by_address(
    store: Store, second: Store, database_url: str
) -> None:
    counted = await asyncio.gather(
        *(where.admissions.stranger("192.0.2.1") for where in (store, second) for _ in "xxxx")
    )
    assert sorted(one.used for one in counted) == list(range(1, 9))
    assert (await store.admissions.stranger("192.0.2.2")).used == 1
    await rows(database_url, "update allowance set since = since - interval '61 seconds'")
    assert (await store.admissions.stranger("192.0.2.1")).used == 1


async def test_when_something_was_used_is_written_once_a_minute(
    store: Store, database_url: str, alice: User
) -> None:
    (sha, _), key = await browser(store, alice), await made_key(store, alice)

    async def used() -> tuple[datetime, datetime]:
        await store.admissions.cookie(sha, FREE)
        await store.admissions.api_key(*key, FREE)
        [found] = await rows(database_url, "select s.used_at, k.used_at from sign_in s, api_key k")
        return found[0], found[1]

    first = await used()
    assert datetime.now(UTC) - first[1] < timedelta(seconds=30)
    assert await used() == first
    for table in ("sign_in", "api_key"):
        await rows(database_url, f"update {table} set used_at = used_at - interval '61 seconds'")
    assert all(again > before for again, before in zip(await used(), first, strict=True))


async def test_a_user_has_so_many_streams_over_all_replicas(
    store: Store, second: Store, database_url: str, alice: User, bob: User
) -> None:
    way = Way(alice.id, "token", "")
    first = await store.admissions.open_stream(way, "r1", Limits(2, 1))
    await second.admissions.open_stream(Way(alice.id, "api_key", "k"), "r2", Limits(2, 1))
    with pytest.raises(TooMany, match="2 streams"):
        await store.admissions.open_stream(way, "r1", Limits(2, 1))
    await store.admissions.open_stream(Way(bob.id, "token", ""), "r1", Limits(2, 1))
    await second.admissions.close_stream(first)
    with pytest.raises(TooMany, match="API key"):
        await store.admissions.open_stream(Way(alice.id, "api_key", "k"), "r1", Limits(2, 1))
    await store.admissions.open_stream(way, "r1", Limits(2, 1))
    kept = await rows(database_url, "select api_key, replica from open_stream where user_id = %s",
                      alice.id)  # fmt: skip
    assert sorted(kept, key=str) == sorted([("k", "r2"), (None, "r1")], key=str)


async def test_streams_of_a_dead_replica_count_no_more(
    store: Store, database_url: str, alice: User
) -> None:
    way = Way(alice.id, "token", "")
    late = "update open_stream set expires_at = clock_timestamp() - interval '1 second'"
    await store.admissions.open_stream(way, "alive", Limits(2, 1))
    await store.admissions.open_stream(way, "dead", Limits(2, 1))
    await rows(database_url, late)
    await store.admissions.keep_streams("alive")
    await store.admissions.open_stream(way, "alive", Limits(2, 1))
    with pytest.raises(TooMany):
        await store.admissions.open_stream(way, "alive", Limits(2, 1))
    assert await rows(database_url, "select 1 from open_stream where replica = 'dead'") == []


async def test_ways_that_lead_nowhere_any_more(
    store: Store, second: Store, alice: User, bob: User
) -> None:
    (_, kept), (_, ended) = await browser(store, alice), await browser(store, alice)
    (key, _), (revoked, _) = await made_key(store, alice), await made_key(store, alice)
    good = [
        Way(alice.id, "token", ""),
        Way(alice.id, "sign_in", kept),
        Way(alice.id, "api_key", key),
    ]
    bad = [Way(alice.id, "sign_in", ended), Way(alice.id, "api_key", revoked)]
    of_bob = [Way(bob.id, "token", ""), Way(bob.id, "stack", "opencode")]
    assert await second.admissions.dead([]) == set()
    assert await second.admissions.dead([*good, *bad, *of_bob]) == set()
    await store.sign_ins.end(alice.id, ended, OPERATOR)
    await store.api_keys.revoke(alice.id, revoked, OPERATOR)
    await store.users.change(bob.id, OPERATOR, suspended=True)
    assert await second.admissions.dead([*good, *bad, *of_bob]) == {*bad, *of_bob}


async def test_what_is_over_goes(store: Store, database_url: str, alice: User) -> None:
    for ttl in (-1, 60):
        sha = secrets.token_bytes(32)
        await store.sign_ins.make_link(alice.id, sha, ttl)
        await browser(store, alice, ttl)
        await rows(database_url, "insert into oauth_state values (%s, 'p', '', '', '/', null, null,"
                   " clock_timestamp() + make_interval(secs => %s))", sha, ttl)  # fmt: skip
        await rows(
            database_url,
            "insert into open_stream values (%s, %s, null, 'r',"
            " clock_timestamp() + make_interval(secs => %s))",
            str(ttl),
            alice.id,
            ttl,
        )
        await rows(database_url, "insert into allowance values (%s, clock_timestamp()"
                   " + make_interval(secs => %s), 1)", str(ttl), ttl * 3601)  # fmt: skip
    await store.retention.trim(days=30, events=100)
    for table in ("sign_in", "sign_in_link", "oauth_state", "open_stream", "allowance"):
        assert await rows(database_url, f"select count(*) from {table}") == [(1,)], table
