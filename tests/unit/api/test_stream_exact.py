"""Every event exactly once and in order, with and without a snapshot before it."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from typing import Any

import httpx
import psycopg
import pytest

from growqr.config import Settings
from growqr.store import Store, User
from tests.unit.api.replicas import Replica, durable, replica, write

pytestmark = pytest.mark.anyio


@pytest.fixture
async def one(settings: Settings, store: Store, alice: User) -> AsyncIterator[Replica]:
    async with replica(settings, store, alice) as made:
        yield made


async def test_every_event_once_over_reconnects_and_replicas(
    one: Replica, settings: Settings, store: Store, alice: User
) -> None:
    total = 150
    async with replica(settings, store, alice) as two:
        writer = asyncio.create_task(write(store, alice, total))
        seen: list[int] = []
        turn = 0
        while len(seen) < total:
            place = (one, two)[turn % 2]
            turn += 1
            async with place.events(last=seen[-1] if seen else 0) as events:
                seen += await durable(events, min(7 + turn, total - len(seen)))
        await writer
    assert seen == list(range(1, total + 1))
    assert turn > 3


async def test_many_readers_at_many_places(one: Replica, store: Store, alice: User) -> None:
    await write(store, alice, 100)

    async def read(after: int) -> list[int]:
        async with one.events(after=after) as events:
            return await durable(events, 200 - after)

    readers = [asyncio.create_task(read(after)) for after in range(0, 100, 12)]
    await write(store, alice, 100)
    for after, found in zip(range(0, 100, 12), await asyncio.gather(*readers), strict=True):
        assert found == list(range(after + 1, 201))


async def test_below_the_floor_is_told(
    one: Replica, store: Store, database_url: str, alice: User
) -> None:
    await write(store, alice, 6)
    async with await psycopg.AsyncConnection.connect(database_url, autocommit=True) as conn:
        await conn.execute("delete from event where seq <= 4 and user_id = %s", [alice.id])
        await conn.execute("update stream set retention_floor = 4 where user_id = %s", [alice.id])
    async with one.events(after=2) as events:
        reset = await anext(events)
        assert (reset.event, reset.data, reset.id) == ("reset", '{"seq":4}', "")
        assert await durable(events, 2) == [5, 6]
    for query in ("?after=4", ""):
        async with one.events(f"/actors/me/events{query}") as events:
            assert await durable(events, 2) == [5, 6]


async def test_a_cursor_beyond_a_restored_journal_is_told(
    one: Replica, store: Store, database_url: str, alice: User
) -> None:
    thread = await store.threads.master(alice.id)
    await write(store, alice, 6)
    for path in ("/actors/me/events", f"/threads/{thread.id}/events"):
        async with one.events(path, last=7) as events:
            reset = await anext(events)
            assert (reset.event, reset.data, reset.id) == ("reset", '{"seq":6}', "")


async def test_an_open_stream_learns_that_the_journal_was_restored(
    one: Replica, store: Store, database_url: str, alice: User
) -> None:
    await write(store, alice, 6)
    async with one.events() as events, one.events(after=2) as beside:
        assert await durable(events, 6) == [1, 2, 3, 4, 5, 6]
        assert await durable(beside, 4) == [3, 4, 5, 6]
        async with await psycopg.AsyncConnection.connect(database_url, autocommit=True) as conn:
            await conn.execute("delete from event where seq > 3 and user_id = %s", [alice.id])
            await conn.execute("update stream set last_seq = 3 where user_id = %s", [alice.id])
        for told in (events, beside):
            while (reset := await anext(told)).event == "ping":
                pass
            assert (reset.event, reset.data) == ("reset", '{"seq":3}')
        await write(store, alice, 2)
        assert await durable(events, 2) == await durable(beside, 2) == [4, 5]


async def test_a_view_is_the_state_at_its_seq(one: Replica, store: Store, alice: User) -> None:
    thread = await store.threads.master(alice.id)
    writers = [asyncio.create_task(write(store, alice, 30)) for _ in range(3)]
    looks = 0
    while not all(writer.done() for writer in writers) or looks < 5:
        looks += 1
        agent = (await one.client.get("/actors/me")).json()
        assert len(agent["unfinished"]) == agent["seq"]
        page = await one.client.get(f"/threads/{thread.id}/messages", params={"limit": 200})
        assert [row["seq"] for row in page.json()["data"]] == list(range(1, page.json()["seq"] + 1))
    await asyncio.gather(*writers)


async def loaded(place: Replica, path: str) -> tuple[list[int], int]:
    """Messages of a thread over as many pages as it takes, and the event they stand for."""
    seen: list[int] = []
    query: dict[str, Any] = {"limit": 7}
    stands: set[int] = set()
    while True:
        answer = await place.client.get(f"{path}/messages", params=query)
        if answer.status_code == 503:  # a busy machine
            continue
        page = answer.json()
        seen += [row["seq"] for row in page["data"]]
        stands.add(page["seq"])
        if page["next_cursor"] is None:
            return seen, stands.pop()
        query["cursor"] = page["next_cursor"]
        assert len(stands) == 1


async def followed(
    places: Iterator[Replica], path: str, last: int, chance: random.Random
) -> list[int]:
    """A client that loads, follows, is cut, and comes back elsewhere, up to message `last`."""
    seen, cursor = await loaded(next(places), path)
    while not seen or seen[-1] < last:
        cuts = chance.randint(1, 9)
        with suppress(httpx.HTTPStatusError):
            async with next(places).events(f"{path}/events", last=cursor, seconds=60) as events:
                for _ in range(cuts):
                    [cursor] = await durable(events, 1)
                    seen.append(cursor)
                    if cursor >= last:
                        break
    return seen


async def test_snapshot_and_tail_join_without_gap_or_repeat(
    one: Replica, settings: Settings, store: Store, alice: User
) -> None:
    chance = random.Random(7)
    side = await store.threads.create(alice.id, "side")
    await write(store, alice, 10)

    async def writer() -> None:
        for n in range(40):
            await store.messages.accept(alice.id, "x", thread_id=side.id if n % 2 else None)
            await asyncio.sleep(chance.random() / 100)

    async with replica(settings, store, alice) as two:

        def places() -> Iterator[Replica]:
            while True:
                yield chance.choice((one, two))

        writers = asyncio.gather(writer(), writer(), writer())
        readers = []
        for _ in range(8):
            last = 1 + 10 + 3 * 40 + 1
            reading = followed(places(), f"/threads/{side.id}", last, chance)
            readers.append(asyncio.create_task(reading))
            await asyncio.sleep(chance.random() / 10)
        await writers
        await store.messages.accept(alice.id, "the last", thread_id=side.id)
        rows = await store.messages.list(alice.id, side.id, limit=500, after=0)
        assert len(rows) == 61
        for seen in await asyncio.gather(*readers):
            assert seen == [row.seq for row in rows]
