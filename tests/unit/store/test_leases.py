"""One owner at a time, by the database's clock; a former one changes nothing."""

from __future__ import annotations

import asyncio

import pytest

from growqr import names
from growqr.directory import Fence
from growqr.errors import Fenced
from growqr.states import StepState, TurnState
from growqr.store import Store, Turn, User

pytestmark = pytest.mark.anyio


def fence(user: User, epoch: int) -> Fence:
    return Fence(names.grow_agent(user.id), epoch)


async def test_of_many_takers_one_wins(store: Store, alice: User):
    mine = fence(alice, 1)
    won = await asyncio.gather(*(store.leases.take(mine, holder=f"{i}", ttl=5) for i in range(20)))
    assert won.count(True) == 1


async def test_only_the_next_epoch_can_be_taken(store: Store, alice: User):
    assert not await store.leases.take(fence(alice, 2), holder="h", ttl=5)
    assert await store.leases.take(fence(alice, 1), holder="h", ttl=0.05)
    assert not await store.leases.take(fence(alice, 1), holder="h", ttl=5)


async def test_a_live_lease_is_not_taken_and_a_burnt_epoch_never(store: Store, alice: User):
    assert await store.leases.take(fence(alice, 1), holder="h", ttl=5)
    assert not await store.leases.take(fence(alice, 2), holder="i", ttl=5)
    await store.leases.release(fence(alice, 1))
    assert await store.leases.burn(fence(alice, 2))
    assert not await store.leases.take(fence(alice, 2), holder="late", ttl=5)
    assert await store.leases.take(fence(alice, 3), holder="next", ttl=5)


async def test_what_was_given_back_is_not_renewed(store: Store, alice: User):
    mine = fence(alice, 1)
    assert await store.leases.take(mine, holder="h", ttl=5)
    assert await store.leases.release_idle(mine, alice.id)
    assert not await store.leases.renew(mine, ttl=60)
    assert await store.leases.take(fence(alice, 2), holder="next", ttl=5)


async def test_idle_release_gives_way_to_a_message(store: Store, alice: User):
    mine = fence(alice, 1)
    await store.leases.take(mine, holder="h", ttl=30)
    await store.messages.accept(alice.id, "hello")
    assert not await store.leases.release_idle(mine, alice.id)
    turn = await store.turns.claim(mine, deadline=60)
    assert turn is not None
    await store.turns.finish(mine, turn.id, TurnState.COMPLETED, result="hi")
    assert await store.leases.release_idle(mine, alice.id)


async def test_every_write_of_an_owner_refuses_a_stale_fence(store: Store, alice: User):
    """Each store function that takes a fence, called by a former owner."""
    await store.messages.accept(alice.id, "hello")
    old = fence(alice, 1)
    await store.leases.take(old, holder="h", ttl=5)
    turn = await store.turns.claim(old, deadline=60)
    assert turn is not None
    step_id = await store.steps.begin_model(old, turn, 1, "m", None)
    call = {"id": "t1", "name": "commit_memory", "input": {}}
    claim = await store.steps.claim_tool(old, turn, 1, call, "unsafe")
    await store.leases.release(old)
    await store.leases.take(fence(alice, 2), holder="next", ttl=5)
    before = await store.events.bounds(alice.id)

    reply = {"content": [{"type": "text", "text": "x"}], "output": {}, "result": "x"}
    attempts = {
        "turns.claim": lambda: store.turns.claim(old, deadline=60),
        "turns.finish": lambda: store.turns.finish(old, turn.id, TurnState.COMPLETED),
        "steps.begin_model": lambda: store.steps.begin_model(old, turn, 2, "m", None),
        "steps.finish_model": lambda: store.steps.finish_model(old, turn, step_id, **reply),
        "steps.claim_tool": lambda: store.steps.claim_tool(
            old, turn, 1, call | {"id": "t2"}, "unsafe"
        ),
        "steps.finish_tool": lambda: store.steps.finish_tool(
            old, turn, claim.step, StepState.DONE, "x"
        ),
        "memory.accept": lambda: store.memory.accept(
            alice.id, "a.md", "x", message="m", author="a", operation_id="o", fence=old
        ),
        "memory.projected": lambda: store.memory.projected(old, alice.id, []),
    }
    for name, attempt in attempts.items():
        refused = await asyncio.gather(attempt(), return_exceptions=True)
        assert isinstance(refused[0], Fenced), name
    assert await store.events.bounds(alice.id) == before
    assert (await store.turns.get(alice.id, turn.id)).state == "running"
    assert await store.memory.list(alice.id) == []


async def test_a_successor_takes_over_what_was_running(store: Store, alice: User):
    accepted = await store.messages.accept(alice.id, "hello")
    first, second = fence(alice, 1), fence(alice, 2)
    await store.leases.take(first, holder="h", ttl=5)
    assert await store.turns.claim(first, deadline=60)
    assert await store.turns.claim(first, deadline=60) is None
    await store.leases.release(first)
    await store.leases.take(second, holder="i", ttl=5)
    turn: Turn | None = await store.turns.claim(second, deadline=60)
    assert turn is not None
    assert (turn.id, turn.claims, turn.epoch) == (accepted.turn_id, 2, 2)
    started = [e.data for e in await store.events.after(alice.id, 0) if e.type == "turn.started"]
    assert [(d["epoch"], d["resumed"]) for d in started] == [(1, False), (2, True)]


async def test_threads_run_side_by_side_and_each_in_order(store: Store, alice: User):
    other = await store.threads.create(alice.id, "other")
    first = await store.messages.accept(alice.id, "1")
    second = await store.messages.accept(alice.id, "2")
    beside = await store.messages.accept(alice.id, "3", thread_id=other.id)
    mine = fence(alice, 1)
    await store.leases.take(mine, holder="h", ttl=5)
    claimed = [await store.turns.claim(mine, deadline=60) for _ in range(3)]
    assert [t.id if t else None for t in claimed] == [first.turn_id, beside.turn_id, None]
    await store.turns.finish(mine, first.turn_id, TurnState.COMPLETED, result="")
    following = await store.turns.claim(mine, deadline=60)
    assert following is not None
    assert following.id == second.turn_id
