"""Cancelling: within 2 s in every phase, of that turn alone, and the talk stays valid."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from growqr.errors import ModelUnavailable
from growqr.store import Turn
from tests.fakes.messages_rules import check
from tests.unit.agents.conftest import Bench, text, use

pytestmark = pytest.mark.anyio

BOUND = 2.0
"""Seconds from the request to the end, in the journal."""


async def until(probe: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(5):
        while not await probe():
            await asyncio.sleep(0.01)


async def streaming(bench: Bench) -> str:
    """The provider is in the middle of its reply, and silent."""

    async def stuck(_request: object) -> list[dict]:
        await asyncio.Event().wait()
        return []

    bench.model.script = [stuck]
    turn_id = await bench.say("go")
    await until(lambda: asyncio.sleep(0, bool(bench.model.requests)))
    return turn_id


async def retrying(bench: Bench) -> str:
    """The gateway is away, and the loop pauses between two tries."""
    bench.model.script = [ModelUnavailable("away", {"reason": "connection"})] * 4
    turn_id = await bench.say("go")
    await until(lambda: asyncio.sleep(0, len(bench.model.requests) >= 3))
    return turn_id


async def calling(bench: Bench) -> str:
    """Two tools are at work, one of them such as must not run twice."""
    bench.safe.gate.clear()
    bench.unsafe.gate.clear()
    bench.model.script = [[use("a", "count"), use("b", "launch")]]
    turn_id = await bench.say("go")
    await asyncio.wait_for(bench.safe.began.wait(), 5)
    await asyncio.wait_for(bench.unsafe.began.wait(), 5)
    return turn_id


async def asking(bench: Bench) -> str:
    """A person is asked; no process is at work."""
    bench.model.script = [[use("q", "ask_user", question="Which?")]]
    turn_id = await bench.say("go")
    await bench.asked(turn_id)
    return turn_id


async def recovering(bench: Bench) -> str:
    """Its agent has died in the middle of a call; the cancellation finds nobody."""
    turn_id = await calling(bench)
    await bench.crash()
    return turn_id


Phase = Callable[[Bench], Awaitable[str]]


@pytest.mark.parametrize("phase", [streaming, retrying, calling, asking, recovering])
async def test_in_every_phase(bench: Bench, phase: Phase):
    turn_id = await phase(bench)
    later = await bench.store.messages.accept(bench.user.id, "and then")
    bench.model.script = [[text("later")]]
    turn = await cancelled(bench, turn_id)
    bench.safe.gate.set()
    bench.unsafe.gate.set()
    await bench.directory.wake(later.lease)
    assert turn.state == "cancelled"
    assert (await bench.ended(later.turn_id)).result == "later"
    asked = bench.model.requests[-1]
    tools = [{"name": "count", "description": "counts", "input_schema": {"type": "object"}}]
    check({"model": "m", "max_tokens": 9, "messages": asked.messages, "tools": tools}, {})
    assert bench.unsafe.effects == [], "nothing happens after the end"
    assert not [s for s in await bench.store.steps.of(turn_id) if s.state == "intent"]


async def cancelled(bench: Bench, turn_id: str) -> Turn:
    """The turn's end after it was cancelled, which must come in time."""
    began = asyncio.get_running_loop().time()
    _, leases = await bench.store.turns.cancel(bench.user.id, turn_id)
    for lease in leases:
        await bench.directory.wake(lease)
    turn = await bench.ended(turn_id, 3 * BOUND)
    took = asyncio.get_running_loop().time() - began
    assert took < BOUND, f"it took {took:.2f} s"
    return turn
