"""A stream over a real socket: what it says, where it begins, and when it ends."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator

import pytest

from growqr.api import stream
from growqr.config import Settings
from growqr.events import Delta
from growqr.identity import mint
from growqr.store import Limits, Store, User
from tests.unit.api.conftest import until
from tests.unit.api.replicas import Replica, durable, replica, write

pytestmark = pytest.mark.anyio


@pytest.fixture
async def one(settings: Settings, store: Store, alice: User) -> AsyncIterator[Replica]:
    async with replica(settings, store, alice) as made:
        yield made


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


async def test_silence_is_broken_by_visible_pings(one: Replica) -> None:
    async with one.events() as events:
        for _ in range(2):
            ping = await anext(events)
            assert (ping.event, ping.id, ping.data) == ("ping", "", "{}")


async def test_thread_stream_is_a_filter(one: Replica, store: Store, alice: User) -> None:
    side = await store.threads.create(alice.id, "side")
    for n in range(12):
        await store.messages.accept(alice.id, "x", thread_id=side.id if n % 3 == 0 else None)
    path = f"/threads/{side.id}/events"
    async with one.events(path) as events:
        assert await durable(events, 5) == [1, 2, 5, 8, 11]
        await write(store, alice, 3)
        await store.messages.accept(alice.id, "y", thread_id=side.id)
        assert await durable(events, 1) == [17]


async def test_deltas_pass_by_without_a_number(
    one: Replica, store: Store, alice: User, bob: User
) -> None:
    thread = await store.threads.master(alice.id)
    side = await store.threads.create(alice.id, "side")
    path = f"/threads/{side.id}/events"
    async with one.events(last=1) as events, one.events(path, last=1) as beside:
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
    one.hub.most = Limits(2, 2)
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
