"""Whatever the model asks for and whatever dies or is cancelled: the next request is valid."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from contextlib import suppress
from typing import Any

import pytest

from growqr import names
from growqr.errors import AlreadyDecided, Conflict
from growqr.models import ModelRequest
from growqr.states import DecisionState
from growqr.store.steps import tool_step_id
from growqr.tools import NOT_HAPPENED
from tests.fakes.messages_rules import Refused, check
from tests.unit.agents.conftest import Bench, text, use

pytestmark = pytest.mark.anyio

TOOLS = ("count", "launch", "post", "ask_user", "nothing_of_that_name")
ENDS = ("turn.completed", "turn.failed", "turn.cancelled")
SEEDS = range(12)
PATIENCE = 45.0


class Fuzz:
    """Random replies, and the rules that every request must keep."""

    def __init__(self, bench: Bench, seed: int) -> None:
        self.bench = bench
        self.dice = random.Random(seed)
        self.ids = 0
        self.turns: list[str] = []
        self.refused: list[str] = []

    async def reply(self, request: ModelRequest) -> list[dict[str, Any]]:
        """Sometimes slow; up to three calls, at times under an id that was used before."""
        self.watch(request)
        await asyncio.sleep(self.dice.choice([0, 0, 0.01, 0.05]))
        calls = [self.call() for _ in range(self.dice.choice([0, 0, 1, 2, 3]))]
        return [text("so"), *calls] if self.dice.random() < 0.7 or not calls else calls

    def call(self) -> dict[str, Any]:
        self.ids += self.dice.random() < 0.85
        name = self.dice.choice(TOOLS)
        given: dict[str, Any] = {"question": "which?"} if name == "ask_user" else {"number": 1}
        return use(f"toolu_{self.ids}", name, **(given if self.dice.random() < 0.9 else {"odd": 1}))

    def watch(self, request: ModelRequest) -> None:
        body = {"model": "m", "max_tokens": 1, "messages": request.messages}
        try:
            check(body | {"tools": request.tools}, {})
        except Refused as error:
            self.refused.append(f"{error}: {request.messages}")

    async def disturb(self) -> None:
        """For ever: an agent dies, a turn is cancelled, or somebody answers what is asked."""
        while True:
            await asyncio.sleep(self.dice.random() * 0.1)
            what = self.dice.random()
            if what < 0.25:
                await self.bench.crash()
            elif what < 0.35 and self.turns:
                await self.cancel(self.dice.choice(self.turns))
            await self.answer()

    async def cancel(self, turn: str) -> None:
        with suppress(Conflict):
            _, leases = await self.bench.store.turns.cancel(self.bench.user.id, turn)
            for lease in leases:
                await self.bench.directory.wake(lease)

    async def answer(self) -> None:
        decisions, user = self.bench.store.decisions, self.bench.user.id
        for asked in await decisions.list(user, ("approval", "question"), limit=50):
            choices = [DecisionState.APPROVED, DecisionState.DENIED]
            state = self.dice.choice(choices) if asked.kind == "approval" else "answered"
            word = None if asked.kind == "approval" else "this one"
            with suppress(AlreadyDecided):
                _, lease = await decisions.resolve(asked, DecisionState(state), word, user)
                if lease:
                    await self.bench.directory.wake(lease)

    async def settled(self) -> None:
        """Every turn has ended; a hint that got lost is made good, as the Supervisor would."""
        async with asyncio.timeout(PATIENCE):
            for turn in self.turns:
                while (await self.bench.store.turns.get(None, turn)).finished_at is None:
                    lease = await self.bench.store.leases.get(names.grow_agent(self.bench.user.id))
                    assert lease is not None
                    await self.bench.directory.wake(lease)
                    await self.answer()
                    await asyncio.sleep(0.02)


@pytest.mark.parametrize("seed", SEEDS)
async def test_every_request_is_valid(bench: Bench, seed: int):
    fuzz = Fuzz(bench, seed)
    bench.model.script = [fuzz.reply] * 10_000
    bench.traced.trace = fuzz.dice.choice([None, NOT_HAPPENED, "it happened"])
    disturbing = asyncio.create_task(fuzz.disturb())
    for number in range(5):
        fuzz.turns.append(await bench.say(f"message {number}"))
        await asyncio.sleep(fuzz.dice.random() * 0.1)
    await asyncio.sleep(0.5)
    disturbing.cancel()
    with suppress(asyncio.CancelledError):
        await disturbing
    await fuzz.settled()
    fuzz.turns.append(await bench.say("and after all that?"))
    await fuzz.settled()
    assert not fuzz.refused, fuzz.refused[0]
    assert bench.model.requests
    decided = await bench.store.decisions.list(bench.user.id, ("approval",), limit=500, ended=True)
    again = Counter(d.step_id for d in decided if d.state == "approved")
    for operation, times in Counter(bench.unsafe.effects).items():
        assert times <= 1 + again[tool_step_id(*operation.split(":"))], operation
    journal = await bench.store.events.after(bench.user.id, 0, limit=5000)
    ends = [e.turn_id for e in journal if e.type in ENDS]
    assert sorted(map(str, ends)) == sorted(fuzz.turns), "each turn ends once"
