"""What the Supervisor does about things nobody moves on: each remedy once, in the real store."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest

from growqr import names
from growqr.agents import Limits, Supervision
from growqr.directory import Fence, Lease
from growqr.errors import Unavailable
from growqr.store import Store, Turn, User
from tests.unit.agents.conftest import Bench, use

pytestmark = pytest.mark.anyio

NOW = Limits(turn=0.0, grace=0.0, start=0.0, hint=0.0, wait=0.0, service=0.0)
"""Every time is over."""


class Heard:
    """A directory whose agents never come: it remembers who was called."""

    def __init__(self) -> None:
        self.woken: list[Lease] = []

    async def wake(self, lease: Lease) -> None:
        self.woken.append(lease)

    async def watch(self, lease: Lease) -> None:
        raise Unavailable("nobody can tell")

    async def stop(self, lease: Lease) -> None:
        raise AssertionError("nobody is to be stopped")


@pytest.fixture
def heard() -> Heard:
    return Heard()


def key(user: User) -> str:
    return names.grow_agent(user.id)


async def claimed(store: Store, user: User, epoch: int = 1) -> tuple[Fence, Turn]:
    fence = Fence(key(user), epoch)
    assert await store.leases.take(fence, holder="test", ttl=60)
    turn = await store.turns.claim(fence, deadline=60)
    assert turn is not None
    return fence, turn


async def types(store: Store, user: User) -> list[str]:
    return [event.type for event in await store.events.after(user.id, 0)]


async def change(database_url: str, text: str, *values: Any) -> None:
    """Bring about what the store's own functions would not."""
    async with await psycopg.AsyncConnection.connect(database_url, autocommit=True) as conn:
        await conn.execute(text.encode(), values)


async def test_only_work_without_an_owner_is_started(store: Store, alice: User, heard: Heard):
    supervision = Supervision(store, heard)
    await supervision.tick()
    assert heard.woken == []
    await store.messages.accept(alice.id, "hello")
    await supervision.tick()
    assert heard.woken == [Lease(key(alice), 0, live=False)]


async def test_a_start_that_does_not_come_is_burnt_and_the_next_one_made(
    store: Store, alice: User, heard: Heard
):
    await store.messages.accept(alice.id, "hello")
    supervision = Supervision(store, heard, limits=Limits(start=0.0))
    for _ in range(3):
        await supervision.tick()
    assert [lease.epoch for lease in heard.woken] == [0, 1]
    assert not await store.leases.take(Fence(key(alice), 1), holder="late", ttl=5)


async def test_a_start_is_not_burnt_for_work_that_was_cancelled(
    store: Store, alice: User, heard: Heard, database_url: str
):
    first = await store.messages.accept(alice.id, "never mind")
    supervision = Supervision(store, heard)
    await supervision.tick()
    await change(database_url, "update lease set start_since = start_since - interval '1 hour'")
    await store.turns.cancel(alice.id, first.turn_id)
    await store.messages.accept(alice.id, "this instead")
    await supervision.tick()
    await supervision.tick()
    assert [lease.epoch for lease in heard.woken] == [0, 0, 0]


async def test_a_free_turn_without_any_agent_fails_with_a_reason_and_the_next_gets_its_time(
    store: Store, alice: User, heard: Heard
):
    first = await store.messages.accept(alice.id, "one")
    second = await store.messages.accept(alice.id, "two")
    supervision = Supervision(store, heard, limits=Limits(turn=0.4))
    await asyncio.sleep(0.45)
    await supervision.tick()
    failed = await store.turns.get(alice.id, first.turn_id)
    assert failed.state == "failed"
    assert failed.error is not None
    assert failed.error["code"] == "agent_unavailable"
    assert "growqr doctor" in failed.error["message"]
    assert (await store.turns.get(alice.id, second.turn_id)).state == "queued"
    snapshot = await store.supervised.snapshot()
    [open_turn] = snapshot.turns
    assert open_turn.id == second.turn_id
    assert failed.finished_at is not None
    assert open_turn.since >= failed.finished_at


async def test_a_turn_beyond_its_deadline_is_ended_though_its_agent_lives(
    store: Store, alice: User, heard: Heard, database_url: str
):
    await store.messages.accept(alice.id, "hello")
    fence, turn = await claimed(store, alice)
    claim = await store.steps.claim_tool(fence, turn, 1, use("a", "launch"), "unsafe")
    supervision = Supervision(store, heard)
    await supervision.tick()
    assert (await store.turns.get(None, turn.id)).state == "running"
    await change(database_url, "update turn set deadline_at = now() - interval '61 seconds'")
    await supervision.tick()
    await supervision.tick()
    ended = await store.turns.get(None, turn.id)
    assert (ended.state, (ended.error or {})["code"]) == ("failed", "deadline")
    assert (await store.steps.get(claim.step.id)).state == "unknown"
    assert (await types(store, alice)).count("turn.failed") == 1
    assert Lease(key(alice), 1, live=True) in heard.woken, "its agent is told to let go"


async def test_a_turn_that_waits_for_nothing_goes_on(
    store: Store, alice: User, heard: Heard, database_url: str
):
    await store.messages.accept(alice.id, "hello")
    fence, turn = await claimed(store, alice)
    await store.steps.claim_tool(fence, turn, 1, use("a", "run_sub_agent"), "idempotent")
    assert await store.turns.wait(fence, turn.id)
    before = await store.turns.get(None, turn.id)
    await change(database_url, "update turn set waiting_since = now() - interval '1 hour'")
    supervision = Supervision(store, heard)
    await supervision.tick()
    await supervision.tick()
    again = await store.turns.get(None, turn.id)
    assert (again.state, again.waiting, again.claims) == ("queued", None, 1)
    assert again.deadline_at is not None
    assert before.deadline_at is not None
    assert again.deadline_at - before.deadline_at > timedelta(minutes=59), "what it waited is free"
    assert heard.woken[0] == Lease(key(alice), 1, live=True)
    resumed = await store.turns.claim(fence, deadline=60)
    assert resumed is not None
    assert resumed.claims == 2


async def test_a_turn_with_an_unfinished_child_is_let_wait(store: Store, alice: User, heard: Heard):
    await store.messages.accept(alice.id, "hello")
    fence, turn = await claimed(store, alice)
    claim = await store.steps.claim_tool(fence, turn, 1, use("a", "run_sub_agent"), "idempotent")
    hands = await store.sub_agents.spawn(alice.id, "coding", actor=fence.key)
    for words in ("before it", "the child"):
        parent = (turn.id, claim.step.id) if words == "the child" else None
        await store.messages.accept(alice.id, words, thread_id=hands.thread_id, parent=parent)
    assert await store.turns.wait(fence, turn.id)
    await Supervision(store, heard, limits=Limits(wait=0.0)).tick()
    assert (await store.turns.get(None, turn.id)).state == "waiting"


async def test_what_nobody_decides_in_time_expires(store: Store, alice: User, heard: Heard):
    await store.messages.accept(alice.id, "hello")
    fence, turn = await claimed(store, alice)
    asked = await store.decisions.ask(
        fence, turn, "budget", {"text": "more?"}, key="x", expiry=0.05
    )
    assert await store.turns.wait(fence, turn.id)
    await asyncio.sleep(0.1)
    supervision = Supervision(store, heard)
    await supervision.tick()
    await supervision.tick()
    assert (await store.decisions.get(alice.id, asked.id)).state == "expired"
    assert (await store.turns.get(None, turn.id)).state == "queued"
    assert (await types(store, alice)).count("budget.resolved") == 1


async def test_a_service_that_no_host_looks_after_is_said_to_have_failed(
    store: Store, alice: User, heard: Heard
):
    await store.services.want(alice.id, "opencode", "ready")
    await Supervision(store, heard).tick()
    wanted = await store.services.get(alice.id, "opencode")
    assert wanted is not None
    assert wanted.state == "absent"
    for _ in range(2):
        await Supervision(store, heard, limits=NOW).tick()
    found = await store.services.get(alice.id, "opencode")
    assert found is not None
    assert found.state == "failed"
    assert "no host" in str(found.reason)
    assert (await types(store, alice)).count("service.failed") == 1
    host = await store.leases.acquire(names.stack(alice.id), user_id=alice.id, holder="host", ttl=5)
    assert host is not None, "a host that comes back takes it up at once"


async def test_a_service_may_rest_until_it_is_used(store: Store, alice: User, heard: Heard):
    """Paused, or left after its end: nobody waits for it, until somebody does."""
    host = await store.leases.acquire(names.stack(alice.id), user_id=alice.id, holder="h", ttl=5)
    assert host is not None
    for role, state, decision in (("opencode", "paused", None), ("gitea", "stopped", "leave")):
        wanted = await store.services.want(alice.id, role, "ready")
        await store.services.observe(host, wanted, state=state, decision=decision)
    await store.leases.release(host)
    await Supervision(store, heard, limits=NOW).tick()
    rests = [(s.role, s.state) for s in await store.services.of(alice.id)]
    assert rests == [("gitea", "stopped"), ("opencode", "paused")]
    for role in ("opencode", "gitea"):
        await store.services.touch(alice.id, role)
    for _ in range(2):  # one lease for both: one at a time
        await Supervision(store, heard, limits=NOW).tick()
    assert {s.state for s in await store.services.of(alice.id)} == {"failed"}


async def test_nobody_decides_for_ever_about_a_service_that_ended(
    store: Store, alice: User, heard: Heard
):
    host = await store.leases.acquire(names.stack(alice.id), user_id=alice.id, holder="h", ttl=5)
    assert host is not None
    wanted = await store.services.want(alice.id, "opencode", "ready")
    await store.services.observe(host, wanted, state="unhealthy", decision="open")
    await store.leases.release(host)
    await Supervision(store, heard, limits=NOW).tick()
    [found] = await store.services.of(alice.id)
    assert (found.state, found.decision) == ("failed", None)


async def test_a_host_at_work_is_not_disturbed(store: Store, alice: User, heard: Heard):
    await store.services.want(alice.id, "opencode", "ready")
    await store.leases.acquire(names.stack(alice.id), user_id=alice.id, holder="host", ttl=5)
    await Supervision(store, heard, limits=NOW).tick()
    found = await store.services.get(alice.id, "opencode")
    assert found is not None
    assert found.state == "absent"


async def test_an_agent_that_takes_itself_for_idle_and_hears_nothing_is_replaced(
    store: Store, alice: User, heard: Heard
):
    """It stands still, with a long lease; a working one's is short and is left alone."""
    fence = Fence(key(alice), 1)
    assert await store.leases.take(fence, holder="frozen", ttl=10)
    await store.messages.accept(alice.id, "hello")
    supervision = Supervision(store, heard, limits=Limits(hint=0.0, deaf=0.0))
    await supervision.tick()
    assert heard.woken == [Lease(*fence, live=True)]
    assert await store.leases.renew(fence, ttl=60)
    await supervision.tick()
    await supervision.tick()
    assert heard.woken[1:] == [Lease(*fence, live=False)]
    assert not await store.leases.renew(fence, ttl=60)


async def test_one_that_fails_stops_no_other(store: Store, alice: User, bob: User):
    class Broken(Heard):
        async def wake(self, lease: Lease) -> None:
            if lease.key == key(alice):
                raise RuntimeError("a defect")
            await super().wake(lease)

    broken = Broken()
    for user in (alice, bob):
        await store.messages.accept(user.id, "hello")
    await Supervision(store, broken).tick()
    assert broken.woken == [Lease(key(bob), 0, live=False)]


async def test_several_supervisors_do_each_thing_once(store: Store, alice: User, heard: Heard):
    due = datetime.now(UTC)
    for number in range(3):
        await store.timers.set(alice.id, f"timer {number}", at=due)
    await store.messages.accept(alice.id, "hello")
    many = [Supervision(store, heard) for _ in range(4)]
    await asyncio.gather(*(one.tick() for one in many))
    said = await types(store, alice)
    assert said.count("timer.fired") == 3
    assert said.count("message.created") == 4


async def test_a_timer_wakes_an_agent_that_sleeps(bench: Bench):
    supervision = asyncio.create_task(Supervision(bench.store, bench.directory).run())
    messages = bench.store.messages
    timer = await bench.store.timers.set(bench.user.id, "stand up", seconds=1)
    async with asyncio.timeout(10):
        while not (said := await messages.list(bench.user.id, timer.thread_id, limit=9)):
            await asyncio.sleep(0.02)
    turn = await bench.ended(said[0].turn_id)
    supervision.cancel()
    assert turn.result == "done"
    late = turn.created_at - timer.due
    assert timedelta(0) <= late < timedelta(seconds=6), "within 2 s on a quiet machine"
