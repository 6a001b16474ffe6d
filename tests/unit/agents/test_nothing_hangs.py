"""Hints are lost, agents die at random, and only the Supervisor looks: every turn ends.

An end is completed, failed or cancelled; or the turn waits for a person, until that expires.
"""

from __future__ import annotations

import asyncio
import random
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import pytest

from growqr import names
from growqr.agents import Agent, Limits, LocalDirectory, Supervision
from growqr.agents.keeper import Keeper
from growqr.agents.loop import TurnLoop
from growqr.agents.thinking import Thinking
from growqr.directory import Directory, Fence, Lease
from growqr.errors import GrowqrError, ModelError, Unavailable
from growqr.models import ModelRequest, OnDelta, Reply
from growqr.states import TurnState
from growqr.store import Store, Turn, User
from growqr.store.engine import Database
from growqr.tools import Result, ToolCall, ToolServices, discover
from tests.unit.agents.conftest import Counter, NumberInput, text, use

pytestmark = pytest.mark.anyio

BOUND = 45.0
"""Seconds until everything must be over; it takes about seven on a quiet machine."""

SHORT = Limits(turn=4.0, grace=0.5, start=1.0, hint=0.1, wait=0.2)
TTL, TURN_DEADLINE = 1.0, 2.0


@dataclass
class Deaf:
    """A directory that loses this share of what it is told."""

    inner: Directory
    dice: random.Random
    loss: float

    async def wake(self, lease: Lease) -> None:
        if self.dice.random() >= self.loss:
            await self.inner.wake(lease)

    async def watch(self, lease: Lease) -> None:
        if self.dice.random() < self.loss:
            raise Unavailable("nobody can tell")
        await self.inner.watch(lease)

    async def stop(self, lease: Lease) -> None:
        if self.dice.random() >= self.loss:
            await self.inner.stop(lease)


@dataclass
class Whim:
    """A model that answers, works, asks, delegates, fails, or never comes back."""

    dice: random.Random
    calls: int = 0

    async def reply(
        self,
        request: ModelRequest,
        *,
        call_id: str,
        turn_id: str,
        step_id: str | None = None,
        on_delta: OnDelta | None = None,
    ) -> Reply:
        await asyncio.sleep(self.dice.random() * 0.05)
        kind = self.dice.choices(
            ["text", "count", "launch", "delegate", "ask", "never", "fail"], [8, 3, 3, 4, 1, 1, 1]
        )[0]
        if kind == "never":
            await asyncio.Event().wait()
        if kind == "fail":
            raise ModelError("refused")
        blocks = [self._use(kind)] if kind != "text" else [text("done")]
        if kind == "delegate" and self.dice.random() < 0.4:
            blocks.append(self._use(self.dice.choice(["delegate", "count", "ask"])))
        return Reply(blocks, "end_turn" if kind == "text" else "tool_use", "whim", {})

    def _use(self, kind: str) -> dict[str, Any]:
        self.calls += 1
        called = f"c{self.calls}"
        match kind:
            case "delegate":
                return use(called, "run_sub_agent", type="coding", prompt="do it")
            case "ask":
                return use(called, "ask_user", question="which one?")
        return use(called, kind)


class Slow(Counter):
    """Takes long enough to be died in."""

    async def run(self, call: ToolCall, input: NumberInput) -> Result:
        await asyncio.sleep(0.15)
        return await super().run(call, input)


@dataclass
class World:
    """Two users, their agents, and nobody who tells them anything."""

    store: Store
    users: list[User]
    dice: random.Random
    expiry: float
    model: Whim = field(init=False)
    agents: LocalDirectory = field(init=False)
    alive: dict[Fence, Agent] = field(default_factory=dict)
    turns: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.model = Whim(self.dice)
        self.agents = LocalDirectory(self._make)
        tools = [Slow("count", "idempotent"), Slow("launch", "unsafe")]
        kept = {name: discover()[name] for name in ("run_sub_agent", "ask_user")}
        self.thinking = Thinking(
            store=self.store,
            model=self.model,
            tools={tool.name: tool for tool in tools} | kept,
            system="",
            model_name=None,
            max_tokens=100,
            services=ToolServices(
                self.store, self._deaf(1.0), {"coding": "codes"}, decision_expiry=self.expiry
            ),
        )

    def _deaf(self, loss: float) -> Deaf:
        return Deaf(self.agents, self.dice, loss)

    def _make(self, fence: Fence) -> Agent:
        keeper = Keeper(self.store, fence, ttl=TTL, idle_ttl=TTL)

        async def think(turn: Turn) -> None:
            await TurnLoop(self.thinking, keeper, turn).run()

        async def work(turn: Turn) -> None:
            match self.dice.choices(["done", "fail", "never"], [6, 1, 1])[0]:
                case "fail":
                    raise GrowqrError("it burnt down")
                case "never":
                    await asyncio.Event().wait()
            await self.store.turns.finish(fence, turn.id, TurnState.COMPLETED, result="built")

        user = next(user for user in self.users if f":{user.id}" in fence.key)
        doing = work if names.is_sub_agent(fence.key) else think
        self.alive[fence] = Agent(
            self.store, keeper, user.id, doing, self._deaf(1.0),
            turn_deadline=TURN_DEADLINE, idle_sleep=0.5,
        )  # fmt: skip
        return self.alive[fence]

    async def talk(self) -> None:
        """Messages in several threads; some are cancelled, and nobody is told."""
        for user in self.users:
            beside = await self.store.threads.create(user.id, "beside")
            for number in range(6):
                where = beside.id if number % 2 else None
                said = await self.store.messages.accept(user.id, "hello", thread_id=where)
                self.turns.append(said.turn_id)
        for turn_id in self.dice.sample(self.turns, 2):
            await asyncio.sleep(self.dice.random())
            turn = await self.store.turns.get(None, turn_id)
            if turn.finished_at is None:
                await self.store.turns.cancel(turn.user_id, turn_id)

    async def supervise(self, loss: float) -> None:
        """Only looks; even its own hints get lost."""
        looking = Supervision(self.store, self._deaf(loss), limits=SHORT)
        while True:
            with suppress(Unavailable):  # an outage ends no supervision, here as in `run`
                await looking.tick()
            await asyncio.sleep(0.1)

    async def crash(self, until: float) -> None:
        """One agent after the other dies without a word, its lease held."""
        while time.monotonic() < until:
            await asyncio.sleep(self.dice.random() * 0.2)
            if self.alive:
                fence = self.dice.choice(list(self.alive))
                self.alive.pop(fence)
                await self.agents.kill(Lease(*fence, live=True))

    async def open(self) -> list[Turn]:
        """Turns that have not ended, those of sub-agents too."""
        keys = [names.grow_agent(user.id) for user in self.users]
        for user in self.users:
            keys += [a.lease_key for a in await self.store.sub_agents.list(user.id, limit=50)]
        return [turn for key in keys for turn in await self.store.turns.unfinished(key)]

    async def stuck(self) -> list[Turn]:
        """Those of them that no person is asked about, nor about the one they wait for."""
        asked = set()
        for user in self.users:
            kinds = ("approval", "question", "budget")
            asked |= {d.turn_id for d in await self.store.decisions.list(user.id, kinds, limit=99)}
        unfinished = await self.open()
        threads = {turn.thread_id for turn in unfinished if turn.id in asked}
        return [turn for turn in unfinished if turn.thread_id not in threads]


async def settled(world: World) -> None:
    """Return when nothing is left, or only what a person is asked about for long."""
    give_up = time.monotonic() + BOUND
    left = world.stuck if world.expiry > BOUND else world.open
    while found := await left():
        assert time.monotonic() < give_up, [(t.id, t.state, t.waiting, t.claims) for t in found]
        await asyncio.sleep(0.1)


async def lived(world: World, loss: float) -> None:
    """Talk, lose, die, and then come to rest."""
    until = time.monotonic() + 4.0
    supervising = asyncio.create_task(world.supervise(loss))
    crashing = asyncio.create_task(world.crash(until))
    try:
        await world.talk()
        await crashing
        await settled(world)
    finally:
        for task in (supervising, crashing):
            task.cancel()
        await asyncio.gather(supervising, crashing, return_exceptions=True)
        await world.agents.close()


@pytest.fixture
def unheard(monkeypatch: pytest.MonkeyPatch) -> None:
    """No notification reaches anybody."""

    async def lost(*_: object) -> None:
        pass

    monkeypatch.setattr(Database, "_notify", lost)


@pytest.mark.usefixtures("unheard")
@pytest.mark.parametrize(
    ("seed", "loss", "expiry"),
    [(1, 0.3, 1.0), (2, 0.3, 3600.0), (3, 0.7, 1.0)],
    ids=["decisions expire", "a person is waited for", "most starts are lost"],
)
async def test_every_turn_comes_to_an_end(
    store: Store, alice: User, bob: User, seed: int, loss: float, expiry: float
):
    world = World(store, [alice, bob], random.Random(seed), expiry)
    await lived(world, loss)
    for user in world.users:
        events = await store.events.after(user.id, 0)
        assert [event.seq for event in events] == list(range(1, len(events) + 1))
        ends = [e.turn_id for e in events if e.type in {f"turn.{end}" for end in ENDS}]
        assert len(ends) == len(set(ends)), "each turn ends once"
    for turn_id in world.turns:
        turn = await store.turns.get(None, turn_id)
        assert turn.state != "failed" or turn.error, "a failure has its reason"


ENDS = ("completed", "failed", "cancelled")


@pytest.mark.usefixtures("unheard")
async def test_where_no_agent_can_start_turns_fail_with_a_reason(
    store: Store, alice: User, bob: User
):
    world = World(store, [alice, bob], random.Random(9), 1.0)
    said = [await store.messages.accept(user.id, "hello") for user in (alice, bob)]
    supervision = Supervision(store, Deaf(world.agents, world.dice, 1.0), limits=Limits(turn=0.5))
    give_up = time.monotonic() + BOUND
    while await world.open():
        assert time.monotonic() < give_up
        await supervision.tick()
        await asyncio.sleep(0.05)
    for accepted in said:
        turn = await store.turns.get(None, accepted.turn_id)
        assert (turn.error or {})["code"] == "agent_unavailable"
