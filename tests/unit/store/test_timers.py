"""A timer comes once, at its time, whatever dies; or not at all when it was removed."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from growqr import names
from growqr.directory import Fence
from growqr.errors import Fenced, Invalid, NotFound, TooLarge, TooMany
from growqr.events import Event
from growqr.store import Store, User
from growqr.store.timers import LIMIT
from tests.rows import rows

pytestmark = pytest.mark.anyio


def now() -> datetime:
    return datetime.now(UTC)


async def told(store: Store, user: User) -> list[Event]:
    return list(await store.events.after(user.id, 0))


async def test_it_is_set_listed_and_becomes_one_message(store: Store, alice: User):
    timer = await store.timers.set(alice.id, "stand up", at=now())
    assert await store.timers.list(alice.id, limit=10) == [timer]
    fired = await asyncio.gather(*(store.timers.fire(alice.id, timer.id) for _ in range(5)))
    [lease] = [found for found in fired if found is not None]
    assert lease == await store.leases.get(names.grow_agent(alice.id))
    assert await store.timers.list(alice.id, limit=10) == []
    events = await told(store, alice)
    assert [event.type for event in events] == ["timer.set", "message.created", "timer.fired"]
    assert [event.seq for event in events] == [1, 2, 3]
    assert {event.thread_id for event in events} == {timer.thread_id}
    assert events[1].data["timer_id"] == timer.id
    assert events[1].turn_id == events[2].turn_id
    assert datetime.fromisoformat(events[0].data["due"]) == timer.due
    [message] = await store.messages.list(alice.id, timer.thread_id, limit=10)
    assert (message.role, message.content) == ("user", [{"type": "text", "text": "stand up"}])
    assert events[2].data == {"timer_id": timer.id, "message_id": message.id}
    turn = await store.turns.claim(await owner(store, alice), deadline=60)
    assert turn is not None
    assert turn.id == message.turn_id


async def owner(store: Store, user: User) -> Fence:
    fence = Fence(names.grow_agent(user.id), 1)
    assert await store.leases.take(fence, holder="test", ttl=60)
    return fence


async def test_before_its_time_it_does_not_come(store: Store, alice: User):
    timer = await store.timers.set(alice.id, "later", seconds=3600)
    assert timedelta(minutes=59) < timer.due - now() < timedelta(minutes=61)
    assert await store.timers.fire(alice.id, timer.id) is None
    assert (await store.supervised.snapshot()).timers == []
    soon = await store.timers.set(alice.id, "soon", at=now())
    assert [due.id for due in (await store.supervised.snapshot()).timers] == [soon.id]


async def test_what_was_removed_does_not_come(store: Store, alice: User, bob: User):
    timer = await store.timers.set(alice.id, "never", at=now())
    with pytest.raises(NotFound):
        await store.timers.remove(bob.id, timer.id)
    assert await store.timers.remove(alice.id, timer.id) == timer
    with pytest.raises(NotFound):
        await store.timers.remove(alice.id, timer.id)
    assert await store.timers.fire(alice.id, timer.id) is None
    assert [event.type for event in await told(store, alice)] == ["timer.set", "timer.removed"]


async def test_the_same_operation_sets_one_even_when_it_has_fired(store: Store, alice: User):
    when = now()
    first = await store.timers.set(alice.id, "once", at=when, operation_id="o-1")
    assert await store.timers.set(alice.id, "once", at=when, operation_id="o-1") == first
    assert await store.timers.fire(alice.id, first.id)
    again = await store.timers.set(alice.id, "once", at=when, operation_id="o-1")
    assert (again.id, again.text) == (first.id, "once")
    assert await store.timers.list(alice.id, limit=10) == []
    assert [event.type for event in await told(store, alice)].count("timer.set") == 1


async def test_it_comes_in_its_thread_to_whoever_answers_there(store: Store, alice: User):
    agent = await store.sub_agents.spawn(alice.id, "coding", actor=alice.id)
    timer = await store.timers.set(alice.id, "build", at=now(), thread_id=agent.thread_id)
    lease = await store.timers.fire(alice.id, timer.id)
    assert lease is not None
    assert lease.key == agent.lease_key


@pytest.mark.parametrize(
    "when",
    [
        {},
        {"seconds": 1, "at": datetime(2100, 1, 1, tzinfo=UTC)},
        {"seconds": 400 * 86_400},
        {"seconds": -120},
        {"at": datetime(2000, 1, 1, tzinfo=UTC)},
        {"at": datetime(2100, 1, 1, tzinfo=UTC)},
        {"at": datetime.max},
    ],
)
async def test_a_time_that_cannot_be_is_refused(store: Store, alice: User, when: dict):
    with pytest.raises(Invalid):
        await store.timers.set(alice.id, "x", **when)


async def test_texts_threads_and_owners_that_cannot_be_are_refused(
    store: Store, alice: User, bob: User
):
    with pytest.raises(TooLarge):
        await store.timers.set(alice.id, "ä" * 100_001, seconds=1)
    with pytest.raises(Invalid):
        await store.timers.set(alice.id, " ", seconds=1)
    foreign = await store.threads.master(bob.id)
    with pytest.raises(NotFound):
        await store.timers.set(alice.id, "x", seconds=1, thread_id=foreign.id)
    with pytest.raises(Fenced):
        stale = Fence(names.grow_agent(alice.id), 7)
        await store.timers.set(alice.id, "x", seconds=1, fence=stale)
    assert await told(store, alice) == []


async def test_a_user_has_so_many_and_pages_through_them(store: Store, alice: User, bob: User):
    when = now() + timedelta(hours=1)
    for _ in range(LIMIT):
        await store.timers.set(alice.id, "x", at=when)
    with pytest.raises(TooMany, match=str(LIMIT)):
        await store.timers.set(alice.id, "x", seconds=1)
    await store.timers.set(bob.id, "x", seconds=1)
    first = await store.timers.list(alice.id, limit=60)
    rest = await store.timers.list(alice.id, limit=60, after=(first[-1].due, first[-1].id))
    assert len({timer.id for timer in first + rest}) == LIMIT


async def test_what_a_timer_brings_counts_for_the_key_that_set_it(
    store: Store, alice: User, database_url: str
):
    async def comes(**given: Any) -> str | None:
        timer = await store.timers.set(alice.id, "now", at=now(), **given)
        assert await store.timers.fire(alice.id, timer.id)
        [(key,)] = await rows(database_url, "select api_key from turn order by seq desc limit 1")
        return key

    assert await comes(api_key="k1") == "k1"
    asked = await store.messages.accept(alice.id, "set one", api_key="k2")
    assert await comes(turn_id=asked.turn_id) == "k2"
    by_hand = await store.messages.accept(alice.id, "set one")
    assert await comes(turn_id=by_hand.turn_id) is None
