"""Streams go on whatever signal is lost: none of them is the only one."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import psycopg
import pytest

from growqr.api.feed import Feed
from growqr.api.stream import Hub
from growqr.config import Settings
from growqr.errors import StoreUnavailable
from growqr.store import Store, User, Way
from tests.fakes.proxy import FaultProxy
from tests.unit.api.replicas import Replica, durable, replica, silently, write

pytestmark = pytest.mark.anyio


@pytest.fixture
async def one(settings: Settings, store: Store, alice: User) -> AsyncIterator[Replica]:
    async with replica(settings, store, alice) as made:
        yield made


@asynccontextmanager
async def followed(hub: Hub, user: User, after: int = 0) -> AsyncIterator[AsyncIterator[int]]:
    """The numbers that one subscription of this hub sends, without a server around it."""

    async def numbers(frames: AsyncIterator[bytes]) -> AsyncIterator[int]:
        async for chunk in frames:
            for line in chunk.splitlines():
                if line.startswith(b"id: "):
                    yield int(line[4:])

    async with hub.watch(Way(user.id, "token", ""), None, math.inf) as subscription:
        await subscription.begin(after)
        async with asyncio.timeout(15):
            yield numbers(subscription.frames())


async def test_lost_notifications_lose_nothing(
    one: Replica, database_url: str, alice: User
) -> None:
    async with one.events() as events:
        assert (await anext(events)).event == "ping"
        for count in (1, 300, 2):
            await silently(database_url, alice, count)
            await durable(events, count)
        await silently(database_url, alice, 1)
        assert await durable(events, 1) == [304]


async def test_listener_that_is_cut_comes_back(
    one: Replica, store: Store, database_url: str, alice: User
) -> None:
    async with one.events() as events:
        await write(store, alice, 1)
        assert await durable(events, 1) == [1]
        async with await psycopg.AsyncConnection.connect(database_url, autocommit=True) as conn:
            await conn.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity"
                " where application_name in ('growqr', 'growqr listen')"
                " and query ilike any (array['listen%', '%stream%'])"
            )
        await silently(database_url, alice, 2)
        assert await durable(events, 2) == [2, 3]


async def test_a_stream_needs_neither_listener_nor_poll(
    store: Store, database_url: str, alice: User
) -> None:
    hub = Hub(store, poll=0.1)  # nothing of it runs
    async with followed(hub, alice) as numbers:
        for count in (1, 2, 100):
            await silently(database_url, alice, count)
            for _ in range(count):
                await anext(numbers)
        await silently(database_url, alice, 1)
        assert await anext(numbers) == 104


def without_end(feed: Feed, hub: Hub) -> None:
    feed.end = None


def never_ending_pull(feed: Feed, hub: Hub) -> None:
    feed.pulling = asyncio.get_running_loop().create_future()


def forgotten(feed: Feed, hub: Hub) -> None:
    hub.feeds.clear()


def replaced(feed: Feed, hub: Hub) -> None:
    hub.feeds[feed.user_id] = Feed(feed.user_id)


@pytest.mark.parametrize("spoil", [without_end, never_ending_pull, forgotten, replaced])
async def test_a_stream_outlives_its_feed(
    store: Store, database_url: str, alice: User, spoil: Callable[[Feed, Hub], None]
) -> None:
    hub = Hub(store, poll=0.1)
    async with hub.running(), followed(hub, alice) as numbers:
        await silently(database_url, alice, 2)
        assert [await anext(numbers), await anext(numbers)] == [1, 2]
        spoil(hub.feeds[alice.id], hub)
        await silently(database_url, alice, 3)
        assert [await anext(numbers) for _ in range(3)] == [3, 4, 5]


async def test_a_healthy_feed_spares_the_journal(
    store: Store, database_url: str, alice: User
) -> None:
    hub = Hub(store, poll=1.0)
    async with hub.running(), followed(hub, alice) as numbers, followed(hub, alice) as beside:
        await write(store, alice, 1)
        assert await anext(numbers) == await anext(beside) == 1
        waiting = [asyncio.ensure_future(anext(stream)) for stream in (numbers, beside)]
        async with await psycopg.AsyncConnection.connect(database_url) as conn:
            await conn.execute("lock table event in access exclusive mode")
            done, _ = await asyncio.wait(waiting, timeout=3.0)
            blocked = await conn.execute("select count(*) from pg_locks where not granted")
            assert (done, await blocked.fetchone()) == (set(), (0,))
        await write(store, alice, 1)
        assert await asyncio.gather(*waiting) == [2, 2]


async def test_a_hint_that_promises_too_much_is_harmless(
    one: Replica, store: Store, alice: User
) -> None:
    async with one.events() as events:
        assert (await anext(events)).event == "ping"
        for seq in (10**15, 3, 7):
            store.notifier.event(alice.id, seq)
            await write(store, alice, 1)
            await durable(events, 1)
        await write(store, alice, 1)
        assert await durable(events, 1) == [4]


async def test_two_begin_while_the_database_is_away_for_one(
    database_url: str, store: Store, alice: User
) -> None:
    where = urlsplit(database_url)
    async with FaultProxy(where.hostname or "127.0.0.1", where.port or 5432) as proxy:
        url = database_url.replace(f":{where.port}", f":{proxy.port}", 1)
        async with Store(url, 2) as far:
            hub = Hub(far, poll=0.1)
            async with hub.running():
                proxy.mode = "refuse"
                with pytest.raises(StoreUnavailable):
                    async with followed(hub, alice):
                        pass
                assert not hub.feeds
                proxy.mode = "pass"
                async with hub.watch(Way(alice.id, "token", ""), None, math.inf) as first:
                    proxy.mode = "refuse"
                    proxy.cut()
                    with pytest.raises(StoreUnavailable):
                        await first.begin(0)
                    proxy.mode = "pass"
                    async with followed(hub, alice) as numbers:
                        await silently(database_url, alice, 2)
                        assert [await anext(numbers), await anext(numbers)] == [1, 2]


async def test_streams_go_on_after_a_frozen_database(
    database_url: str, settings: Settings, store: Store, alice: User
) -> None:
    where = urlsplit(database_url)
    async with FaultProxy(where.hostname or "127.0.0.1", where.port or 5432) as proxy:
        url = database_url.replace(f":{where.port}", f":{proxy.port}", 1)
        async with Store(url, 4) as far, replica(settings, far, alice) as one:
            async with one.events() as events:
                await write(store, alice, 1)
                assert await durable(events, 1) == [1]
                proxy.freeze()  # what is open stays silent for ever; the listener is, too
                await write(store, alice, 2)
                assert await durable(events, 2) == [2, 3]
                await write(store, alice, 1)
                assert await durable(events, 1) == [4]
