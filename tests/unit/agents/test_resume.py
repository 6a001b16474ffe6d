"""A crash anywhere in a turn: a successor goes on where the journal ends, and repeats nothing."""

from __future__ import annotations

import asyncio

import pytest

from growqr import names
from growqr.agents import Supervision
from growqr.directory import Fence
from tests.unit.agents.conftest import Bench, text, use

pytestmark = pytest.mark.anyio


async def stuck(_request: object) -> list[dict]:
    await asyncio.Event().wait()
    return []


async def test_during_the_model_call(bench: Bench):
    bench.model.script = [stuck, [text("answered by the second")]]
    turn_id = await bench.say("hello")
    async with asyncio.timeout(5):
        while not bench.model.requests:
            await asyncio.sleep(0.01)
    await bench.crash()
    turn = await bench.ended(turn_id)
    assert (turn.result, turn.epoch, turn.claims) == ("answered by the second", 2, 2)


async def test_during_a_tool_that_may_run_twice(bench: Bench):
    bench.safe.gate.clear()
    bench.model.script = [[use("a", "count", number=1)], [text("fine")]]
    turn_id = await bench.say("count")
    await asyncio.wait_for(bench.safe.began.wait(), 5)
    bench.safe.gate.set()
    await bench.crash()
    turn = await bench.ended(turn_id)
    assert turn.state == "completed"
    assert len(set(bench.safe.effects)) == 1, "one operation id, however often it ran"
    assert len(bench.model.requests) == 2, "the journaled reply was not asked for again"


async def test_during_a_tool_that_must_not_run_twice(bench: Bench):
    bench.unsafe.gate.clear()
    bench.model.script = [[use("a", "launch")], [text("fine")]]
    turn_id = await bench.say("launch")
    await asyncio.wait_for(bench.unsafe.began.wait(), 5)
    await bench.crash()
    bench.unsafe.gate.set()
    await bench.decide(await bench.asked(turn_id), "denied")
    assert (await bench.ended(turn_id)).state == "completed"
    assert bench.unsafe.effects == [], "it was not begun again"
    [result] = bench.model.requests[-1].messages[-1]["content"]
    assert result["is_error"] is True
    assert "unknown" in result["content"]
    assert "tool.unknown" in await bench.types()


async def test_after_a_tool_was_recorded_it_is_reused(bench: Bench):
    bench.model.script = [[use("a", "launch")], stuck, [text("fine")]]
    turn_id = await bench.say("launch")
    async with asyncio.timeout(5):
        while len(bench.model.requests) < 2:
            await asyncio.sleep(0.01)
    await bench.crash()
    assert (await bench.ended(turn_id)).state == "completed"
    assert len(bench.unsafe.effects) == 1
    assert bench.model.requests[1].messages == bench.model.requests[2].messages
    assert (await bench.types()).count("tool.started") == 1


async def test_a_turn_that_ends_every_agent_is_given_up(bench: Bench):
    bench.model.script = [stuck] * 5
    turn_id = await bench.say("poison")
    for times in range(1, 6):
        async with asyncio.timeout(5):
            while len(bench.model.requests) < times:
                await asyncio.sleep(0.01)
        await bench.crash()
    turn = await bench.ended(turn_id)
    assert turn.state == "failed"
    assert turn.error is not None
    assert "given up" in turn.error["message"]


async def test_the_supervision_replaces_a_dead_owner_by_itself(bench: Bench):
    bench.model.script = [stuck, [text("back")]]
    supervision = asyncio.create_task(Supervision(bench.store, bench.directory).run())
    turn_id = await bench.say("hello")
    async with asyncio.timeout(5):
        while not bench.model.requests:
            await asyncio.sleep(0.01)
    await asyncio.sleep(1.2)  # one look, so that it watches
    lease = await bench.store.leases.get(names.grow_agent(bench.user.id))
    assert lease is not None
    await bench.directory.kill(lease)
    assert (await bench.ended(turn_id, 5)).result == "back"
    supervision.cancel()


async def test_the_supervision_finds_work_whose_hint_was_lost(bench: Bench):
    supervision = asyncio.create_task(Supervision(bench.store, bench.directory).run())
    accepted = await bench.store.messages.accept(bench.user.id, "hello")
    assert (await bench.ended(accepted.turn_id, 6)).state == "completed"
    unheard = await bench.store.messages.accept(bench.user.id, "and again")
    assert (await bench.ended(unheard.turn_id, 6)).state == "completed"
    supervision.cancel()
    await asyncio.wait({supervision})


async def test_a_former_owner_that_wakes_up_changes_nothing_and_ends(bench: Bench):
    bench.unsafe.gate.clear()
    bench.model.script = [[use("a", "launch")], [text("by the second")]]
    turn_id = await bench.say("launch")
    await asyncio.wait_for(bench.unsafe.began.wait(), 5)
    key = names.grow_agent(bench.user.id)
    lease = await bench.store.leases.get(key)
    assert lease is not None
    await bench.store.leases.release(Fence(key, 1))  # taken for dead while it only hung
    await bench.directory.wake(lease._replace(live=False))
    await bench.decide(await bench.asked(turn_id), "denied")
    assert (await bench.ended(turn_id)).epoch == 2
    before = await bench.store.events.bounds(bench.user.id)
    bench.unsafe.gate.set()
    await asyncio.wait_for(bench.directory.watch(lease), 5)
    assert await bench.store.events.bounds(bench.user.id) == before
