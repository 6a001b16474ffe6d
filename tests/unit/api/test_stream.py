"""Streams over a real socket: every event once and in order, whatever is lost on the way."""

from __future__ import annotations

import asyncio
import json
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

import httpx
import psycopg
import pytest
from fastapi import FastAPI
from httpx_sse import EventSource, ServerSentEvent, aconnect_sse

from growqr.api import make_app, stream
from growqr.api.stream import Hub
from growqr.config import Settings
from growqr.events import Delta
from growqr.identity import mint
from growqr.store import Store, User
from tests.fakes.serving import serving
from tests.unit.api.conftest import RecordedDirectory, until

pytestmark = pytest.mark.anyio


class Replica:
    """A served application and Alice's way to it."""

    def __init__(self, app: FastAPI, client: httpx.AsyncClient) -> None:
        self.hub: Hub = app.state.context.hub
        self.client = client

    @asynccontextmanager
    async def events(
        self, path: str = "/actors/me/events", last: int | None = None, **query: Any
    ) -> AsyncIterator[AsyncIterator[ServerSentEvent]]:
        head = {} if last is None else {"Last-Event-ID": str(last)}
        async with (
            aconnect_sse(self.client, "GET", path, headers=head, params=query) as source,
            asyncio.timeout(10),
        ):
            source.response.raise_for_status()
            yield listening(source)


async def listening(source: EventSource) -> AsyncIterator[ServerSentEvent]:
    async for event in source.aiter_sse():
        yield event


async def durable(events: AsyncIterator[ServerSentEvent], count: int) -> list[int]:
    """The next `count` numbers, pings and deltas left out."""
    seen: list[int] = []
    while len(seen) < count:
        event = await anext(events)
        if event.event not in ("ping", "delta"):
            assert json.loads(event.data)["seq"] == int(event.id)
            seen.append(int(event.id))
    return seen


@asynccontextmanager
async def replica(settings: Settings, store: Store, user: User) -> AsyncIterator[Replica]:
    hub = Hub(store, ping=0.3, poll=0.2, patience=0.5)
    app = make_app(settings, store, RecordedDirectory(), hub=hub)
    head = {"Authorization": f"Bearer {mint(settings, user.subject)}"}
    async with serving(app) as url:
        async with httpx.AsyncClient(base_url=f"{url}/api/v1", headers=head, timeout=10) as client:
            yield Replica(app, client)
            hub.close()


@pytest.fixture
async def one(settings: Settings, store: Store, alice: User) -> AsyncIterator[Replica]:
    async with replica(settings, store, alice) as made:
        yield made


async def write(store: Store, user: User, count: int, text: str = "x") -> None:
    for _ in range(count):
        await store.messages.accept(user.id, text)


async def silently(database_url: str, user: User, count: int) -> None:
    """Events that come without a word to any listener."""
    async with await psycopg.AsyncConnection.connect(database_url, autocommit=True) as conn:
        await conn.execute(
            "with s as (update stream set last_seq = last_seq + %(n)s where user_id = %(u)s"
            " returning last_seq) insert into event (user_id, seq, type, data)"
            " select %(u)s, last_seq - %(n)s + i, 'error', '{}'"
            " from s, generate_series(1, %(n)s) as i",
            {"n": count, "u": user.id},
        )


async def test_stream_begins_with_history_and_goes_on(
    one: Replica, store: Store, alice: User
) -> None:
    await write(store, alice, 3)
    async with one.events() as events:
        first = await anext(events)
        assert (first.event, first.id, first.retry) == ("message.created", "1", 2000)
        assert set(json.loads(first.data)) == {
            "seq", "type", "time", "thread_id", "turn_id", "step_id", "actor", "data",
        }  # fmt: skip
        assert await durable(events, 2) == [2, 3]
        started = time.monotonic()
        await write(store, alice, 2)
        assert await durable(events, 2) == [4, 5]
        assert time.monotonic() - started < 2


async def test_resume_by_header_or_query(one: Replica, store: Store, alice: User) -> None:
    await write(store, alice, 5)
    async with one.events(last=3, after=0) as events:
        assert await durable(events, 2) == [4, 5]
    async with one.events(after=4) as events:
        assert await durable(events, 1) == [5]


async def test_cursor_ahead_waits(one: Replica, store: Store, alice: User) -> None:
    async with one.events(after=2) as events:
        assert (await anext(events)).event == "ping"
        await write(store, alice, 4)
        assert await durable(events, 2) == [3, 4]


async def test_silence_is_broken_by_visible_pings(one: Replica) -> None:
    async with one.events() as events:
        for _ in range(2):
            ping = await anext(events)
            assert (ping.event, ping.id, ping.data) == ("ping", "", "{}")


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


async def test_thread_stream_is_a_filter(one: Replica, store: Store, alice: User) -> None:
    side = await store.threads.create(alice.id, "side")
    for n in range(12):
        await store.messages.accept(alice.id, "x", thread_id=side.id if n % 3 == 0 else None)
    path = f"/threads/{side.id}/events"
    async with one.events(path) as events:
        assert await durable(events, 4) == [1, 4, 7, 10]
        await write(store, alice, 3)
        await store.messages.accept(alice.id, "y", thread_id=side.id)
        assert await durable(events, 1) == [16]


async def test_deltas_pass_by_without_a_number(
    one: Replica, store: Store, alice: User, bob: User
) -> None:
    thread = await store.threads.master(alice.id)
    side = await store.threads.create(alice.id, "side")
    async with one.events() as events, one.events(f"/threads/{side.id}/events") as beside:
        for waiting in (events, beside):
            assert (await anext(waiting)).event == "ping"
        for user in (bob, alice):
            delta = Delta(user.id, thread.id, "trn_1", "stp_1", 3, 0, f"for {user.name} \n\n")
            await store.notifier.delta(delta)
        found = await anext(events)
        while found.event == "ping":
            found = await anext(events)
        assert (found.event, found.id) == ("delta", "")
        assert json.loads(found.data) == {
            "thread_id": thread.id, "turn_id": "trn_1", "step_id": "stp_1", "epoch": 3,
            "offset": 0, "text": f"for {alice.name} \n\n", "kind": "text",
        }  # fmt: skip
        assert (await anext(beside)).event == "ping"


async def test_streams_are_counted(
    one: Replica, store: Store, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "PER_USER", 2)
    async with one.events(), one.events():
        refused = await one.client.get("/actors/me/events")
        assert (refused.status_code, refused.json()["code"]) == (429, "too_many")
        assert refused.headers["retry-after"]
        monkeypatch.setattr(stream, "PER_REPLICA", 2)
        refused = await one.client.get("/actors/me/events")
        assert (refused.status_code, refused.json()["code"]) == (503, "unavailable")
    await until(lambda: one.hub.streams() == 0 and not one.hub.feeds)
    async with one.events() as events:
        assert (await anext(events)).event == "ping"


async def test_reader_that_takes_nothing_is_dropped(
    one: Replica, store: Store, alice: User
) -> None:
    await write(store, alice, 40, "x" * 190_000)
    target = urlsplit(str(one.client.base_url))
    assert target.hostname
    assert target.port
    with socket.socket() as stuck:
        stuck.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        stuck.setblocking(False)
        loop = asyncio.get_running_loop()
        await loop.sock_connect(stuck, (target.hostname, target.port))
        token = one.client.headers["Authorization"]
        request = (
            f"GET /actors/me/events?after=0 HTTP/1.1\r\nHost: x\r\nAuthorization: {token}\r\n\r\n"
        )
        await loop.sock_sendall(stuck, request.encode())
        await until(lambda: one.hub.streams() == 1)
        async with one.events(after=38) as events:
            assert await durable(events, 2) == [39, 40]  # nobody waits for the stuck one
        await until(lambda: one.hub.streams() == 0)


async def test_streams_end_with_the_token_and_with_the_replica(
    one: Replica, settings: Settings, alice: User
) -> None:
    head = {"Authorization": f"Bearer {mint(settings, alice.subject, 2)}"}
    started = time.monotonic()
    async with one.client.stream("GET", "/actors/me/events", headers=head) as answer:
        assert b"ping" in await answer.aread()
    assert time.monotonic() - started < 4
    async with one.events() as events:
        assert (await anext(events)).event == "ping"
        one.hub.close()
        with pytest.raises(StopAsyncIteration):
            await anext(events)


async def test_foreign_streams_are_404(
    one: Replica, settings: Settings, alice: User, bob: User, store: Store
) -> None:
    thread = await store.threads.master(bob.id)
    for path in (f"/actors/{bob.id}/events", "/actors/u_no/events", f"/threads/{thread.id}/events"):
        answer = await one.client.get(path)
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
