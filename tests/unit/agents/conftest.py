"""Agents in this process, over the real store, answered by a script."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from growqr import names
from growqr.agents import Agent, LocalDirectory
from growqr.agents.keeper import Keeper
from growqr.agents.loop import TurnLoop
from growqr.agents.service_care import ServiceCare
from growqr.agents.thinking import Thinking
from growqr.directory import Fence
from growqr.models import ModelRequest, OnDelta, Reply
from growqr.states import DecisionState
from growqr.store import Decision, Store, Turn, User
from growqr.tools import Result, Tool, ToolCall, ToolInput, ToolServices
from growqr.tools.ask_user import tool as ask_user

Answer = Callable[[ModelRequest], Awaitable[list[dict[str, Any]]]]


def text(words: str) -> dict[str, Any]:
    return {"type": "text", "text": words}


def use(tool_use_id: str, name: str, **values: Any) -> dict[str, Any]:
    return {"type": "tool_use", "id": tool_use_id, "name": name, "input": values}


class ScriptedModel:
    """Answers with the next entry of `script`: blocks, an error, or a function of the request."""

    def __init__(self) -> None:
        self.script: list[Any] = []
        self.requests: list[ModelRequest] = []

    async def reply(
        self,
        request: ModelRequest,
        *,
        call_id: str,
        turn_id: str,
        step_id: str | None = None,
        on_delta: OnDelta | None = None,
    ) -> Reply:
        self.requests.append(request)
        answer = self.script.pop(0) if self.script else [text("done")]
        if callable(answer):
            answer = await answer(request)
        if isinstance(answer, Exception):
            raise answer
        for block in answer:
            if on_delta and block["type"] == "text":
                for word in block["text"].split(" "):
                    on_delta("text", word + " ")
        used = any(block["type"] == "tool_use" for block in answer)
        return Reply(answer, "tool_use" if used else "end_turn", "script", {})


class NumberInput(ToolInput):
    number: int = 0


class Counter(Tool[NumberInput]):
    """A tool whose effects can be counted, and held at a gate."""

    Input = NumberInput

    def __init__(self, name: str, effect: str) -> None:
        self.name = name  # type: ignore[misc]
        self.description = "counts"  # type: ignore[misc]
        self.effect = effect  # type: ignore[misc, assignment]
        self.effects: list[str] = []
        self.began = asyncio.Event()
        self.gate = asyncio.Event()
        self.gate.set()
        self.error: Exception | None = None
        self.trace: Any = None  # what it says of whether it happened

    async def run(self, call: ToolCall, input: NumberInput) -> Result:
        self.began.set()
        await self.gate.wait()
        self.effects.append(call.operation_id)
        if self.error:
            raise self.error
        return f"counted {input.number}"

    async def happened(self, call: ToolCall, input: NumberInput) -> Any:
        return self.trace


@dataclass
class Bench:
    """A user, an agent factory and everything it thinks with."""

    store: Store
    user: User
    directory: LocalDirectory
    model: ScriptedModel
    safe: Counter
    unsafe: Counter
    traced: Counter
    agents: dict[Fence, Agent] = field(default_factory=dict)

    async def say(self, words: str, **where: Any) -> str:
        accepted = await self.store.messages.accept(self.user.id, words, **where)
        await self.directory.wake(accepted.lease)
        return accepted.turn_id

    async def ended(self, turn_id: str, seconds: float = 10) -> Turn:
        async with asyncio.timeout(seconds):
            while (turn := await self.store.turns.get(None, turn_id)).finished_at is None:
                await asyncio.sleep(0.01)
        return turn

    async def asked(self, turn_id: str, seconds: float = 10) -> Decision:
        """What the turn waits for a person to decide."""
        async with asyncio.timeout(seconds):
            while (await self.store.turns.get(None, turn_id)).state != "waiting":
                await asyncio.sleep(0.01)
        kinds = ("approval", "question", "budget")
        [decision] = await self.store.decisions.list(self.user.id, kinds, limit=9)
        return decision

    async def decide(self, decision: Decision, state: str, answer: str | None = None) -> None:
        _, lease = await self.store.decisions.resolve(
            decision, DecisionState(state), answer, self.user.id
        )
        assert lease is not None
        await self.directory.wake(lease)

    async def crash(self) -> None:
        """The process is gone, and somebody saw it: a successor may start."""
        lease = await self.store.leases.get(names.grow_agent(self.user.id))
        assert lease is not None
        await self.directory.kill(lease)
        await self.store.leases.release(Fence(lease.key, lease.epoch))
        await self.directory.wake(lease._replace(live=False))

    async def types(self) -> list[str]:
        return [e.type for e in await self.store.events.after(self.user.id, 0)]


@pytest.fixture
async def bench(store: Store, alice: User) -> AsyncIterator[Bench]:
    model = ScriptedModel()
    safe, unsafe = Counter("count", "idempotent"), Counter("launch", "unsafe")
    traced = Counter("post", "reconcilable")
    made: dict[Fence, Agent] = {}

    def make(fence: Fence) -> Agent:
        keeper = Keeper(store, fence, ttl=2, idle_ttl=5)

        async def work(turn: Turn) -> None:
            await TurnLoop(thinking, keeper, turn).run()

        made[fence] = Agent(
            store, keeper, alice.id, work, directory, turn_deadline=30, idle_sleep=60,
            on_wake=ServiceCare(store, fence, alice.id).decide,
        )  # fmt: skip
        return made[fence]

    directory = LocalDirectory(make)
    thinking = Thinking(
        store=store,
        model=model,
        tools={t.name: t for t in (safe, unsafe, traced, ask_user)},
        system="be brief",
        model_name=None,
        max_tokens=100,
        services=ToolServices(store=store, directory=directory, sub_agent_types={}),
    )
    yield Bench(store, alice, directory, model, safe, unsafe, traced, made)
    await directory.close()
