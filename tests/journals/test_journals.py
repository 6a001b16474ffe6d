"""Databases that former versions left in mid-work: today's code goes on with them."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest

from growqr import names
from growqr.agents import Agent, LocalDirectory, types
from growqr.agents.keeper import Keeper
from growqr.agents.loop import TurnLoop
from growqr.agents.sub_agent import Allowance, Prompting, UserOpenCode
from growqr.agents.thinking import Thinking
from growqr.api import make_app
from growqr.config import Settings
from growqr.directory import Fence
from growqr.identity import mint
from growqr.memory import Projection
from growqr.opencode import Outcome
from growqr.states import DecisionState, TurnState
from growqr.store import BudgetLimits, Store, Turn, migrate, version
from growqr.tools import NOT_HAPPENED, ToolServices, discover
from tests.conftest import in_schema
from tests.fakes.messages_rules import check
from tests.journals.journal import journals, load
from tests.unit.agents.conftest import Counter, ScriptedModel
from tests.unit.agents.test_prompting import ScriptedBridge

pytestmark = pytest.mark.anyio

ANNA = "u_anna"
ENDS = ("turn.completed", "turn.failed", "turn.cancelled")
EXPECTED: dict[str, list[str]] = {
    "queued": ["completed"] * 3,
    "tools": ["completed"] * 2,
    "waiting": ["completed"] * 2,
    "memory": ["completed"],
    "asked": ["completed"] * 2,
    "timer": ["completed"] * 2,
    "history": ["completed", "completed", "cancelled", "failed"],
}
"""How the turns of each journal end, in the order of their messages."""


@dataclass
class Today:
    """This version over an old database."""

    store: Store
    settings: Settings
    model: ScriptedModel = field(default_factory=ScriptedModel)
    bridge: ScriptedBridge = field(default_factory=ScriptedBridge)
    tools: dict[str, Counter] = field(
        default_factory=lambda: {
            "count": Counter("count", "idempotent"),
            "post": Counter("post", "reconcilable"),
            "launch": Counter("launch", "unsafe"),
        }
    )

    def __post_init__(self) -> None:
        self.tools["post"].trace = NOT_HAPPENED
        self.directory = LocalDirectory(self._agent)
        self.bridge.script = [[Outcome("completed", "looked around")]]

    def _agent(self, fence: Fence) -> Agent:
        keeper = Keeper(self.store, fence, ttl=2, idle_ttl=5)
        kinds = {name: kind.purpose for name, kind in types().items()}
        thinking = Thinking(
            store=self.store,
            model=self.model,
            tools=discover() | self.tools,
            system="",
            model_name=None,
            max_tokens=100,
            services=ToolServices(self.store, self.directory, kinds),
        )

        async def work(turn: Turn) -> None:
            if names.is_sub_agent(fence.key):
                row = await self.store.sub_agents.of_lease(fence.key)
                assert row is not None
                service = UserOpenCode(self.store, b"secret", ANNA)
                bridge: Any = self.bridge
                kind = types()[row.type]
                budget = Allowance(BudgetLimits(), 60)
                prompting = Prompting(self.store, keeper, row, kind, bridge, service, "/w", budget)
                await prompting.run(turn)
            else:
                await TurnLoop(thinking, keeper, turn).run()

        return Agent(
            self.store, keeper, ANNA, work, self.directory, turn_deadline=60, idle_sleep=60
        )

    async def finish(self, seconds: float = 30) -> None:
        """Have all work done that lies there; what is asked is denied."""
        async with asyncio.timeout(seconds):
            while keys := await self._unfinished():
                for key in keys:
                    if lease := await self.store.leases.get(key):
                        await self.directory.wake(lease)
                await self._decide()
                await asyncio.sleep(0.05)

    async def _unfinished(self) -> set[str]:
        """Leases with work, and the user's own while a timer is set: it fires when it is due."""
        agents = await self.store.sub_agents.list(ANNA, limit=50)
        keys = [names.grow_agent(ANNA), *(agent.lease_key for agent in agents)]
        found = {key for key in keys if await self.store.turns.unfinished(key)}
        for timer in await self.store.timers.list(ANNA, limit=50):
            await self.store.timers.fire(ANNA, timer.id)
            found.add(keys[0])
        return found

    async def _decide(self) -> None:
        for asked in await self.store.decisions.list(ANNA, ("approval", "question"), limit=50):
            say = (DecisionState.DENIED, None)
            if asked.kind == "question":
                say = (DecisionState.ANSWERED, "blue")
            await self.store.decisions.resolve(asked, *say, ANNA)

    async def turns(self) -> list[Turn]:
        """All turns by the order of their messages."""
        events = await self.store.events.after(ANNA, 0, limit=5000)
        ids = [
            e.turn_id for e in events if e.type == "message.created" and e.data["role"] == "user"
        ]
        return [await self.store.turns.get(ANNA, str(turn_id)) for turn_id in ids]


@pytest.fixture
async def schema_url(postgres_url: str) -> AsyncIterator[str]:
    """An empty place."""
    schema = f"j_{secrets.token_hex(6)}"
    async with await psycopg.AsyncConnection.connect(postgres_url, autocommit=True) as conn:
        await conn.execute(f"create schema {schema}".encode())
        yield in_schema(postgres_url, schema)
        await conn.execute(f"drop schema {schema} cascade".encode())


@pytest.fixture
async def today(request: Any, schema_url: str, tmp_path: Path) -> AsyncIterator[Today]:
    """The journal named by the parameter, migrated."""
    await load(schema_url, request.param)
    assert (await version(schema_url))[0] == int(request.param.name[:4])
    newest = await migrate(schema_url)
    assert await version(schema_url) == (newest, newest)
    async with Store(schema_url, 8) as store:
        made = Today(store, Settings.model_validate({"data": tmp_path}))
        yield made
        await made.directory.close()


def of(name: str) -> Any:
    return pytest.mark.parametrize(
        "today", [j for j in journals() if j.stem[5:] == name], indirect=True, ids=lambda j: j.stem
    )


def test_every_journal_is_read_by_a_test():
    assert {file.stem[5:] for file in journals()} == EXPECTED.keys()


@pytest.mark.parametrize("today", journals(), indirect=True, ids=lambda j: j.stem)
async def test_all_turns_end_and_the_next_message_is_answered(today: Today, request: Any):
    name = request.node.callspec.params["today"].stem[5:]
    before = await today.store.events.bounds(ANNA)
    await today.finish()
    assert [turn.state for turn in await today.turns()] == EXPECTED[name]
    await today.store.messages.accept(ANNA, "and today?")
    await today.finish()
    assert (await today.turns())[-1].state == TurnState.COMPLETED
    events = await today.store.events.after(ANNA, 0, limit=5000)
    assert [e.seq for e in events] == list(range(1, len(events) + 1))
    assert len(events) > before[1]
    ended = [e.turn_id for e in events if e.type in ENDS]
    assert sorted(ended) == sorted(turn.id for turn in await today.turns())
    for asked in today.model.requests:
        check({"model": "m", "max_tokens": 1, "messages": asked.messages, "tools": asked.tools}, {})
    await readable(today)


async def readable(today: Today) -> None:
    """Every view over HTTP can still be made of what is there."""
    app = make_app(today.settings, today.store, today.directory)
    headers = {"authorization": f"Bearer {mint(today.settings, 'anna')}"}
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://growqr/api/v1", headers=headers
    ) as http:

        async def get(path: str) -> Any:
            async with asyncio.timeout(30):
                while (answer := await http.get(path)).status_code == 503:
                    await asyncio.sleep(0.2)  # a slow machine: as any client would
            assert answer.status_code == 200, f"{path}: {answer.text}"
            return answer.json()

        assert (await get("/users/me"))["id"] == ANNA
        for path in ("/actors/me", "/actors/me/sub-agents", "/memory", "/git/repos", "/approvals"):
            await get(path)
        for thread in (await get("/threads"))["data"]:
            assert (await get(f"/threads/{thread['id']}/messages"))["data"] is not None
        for turn in await today.turns():
            assert (await get(f"/turns/{turn.id}"))["steps"] is not None


@of("tools")
async def test_open_calls_are_finished_by_their_kind_of_effect(today: Today):
    await today.finish()
    turn = (await today.turns())[0]
    states = {s.tool_use_id: s.state for s in await today.store.steps.of(turn.id) if s.tool_use_id}
    assert states["toolu_unsafe"] == "unknown"
    assert {name for name, state in states.items() if state == "done"} >= {
        "toolu_done", "toolu_idempotent", "toolu_reconcilable", "toolu_unclaimed",
    }  # fmt: skip
    done = {name: [e.split(":")[1] for e in t.effects] for name, t in today.tools.items()}
    assert done == {
        "count": ["toolu_idempotent"],
        "post": ["toolu_reconcilable"],
        "launch": ["toolu_unclaimed"],
    }
    told = {b["tool_use_id"]: b for b in today.model.requests[0].messages[-1]["content"]}
    assert told["toolu_unsafe"]["is_error"]
    assert told["toolu_done"]["content"] == "counted 1"
    assert len(told) == 6


@of("waiting")
async def test_a_begun_prompt_is_looked_for_and_its_end_answers_the_parent(today: Today):
    await today.finish()
    [(ids, said, resumed)] = today.bridge.runs
    assert (ids.session_id, ids.message_id, said) == ("ses_of_then", "msg_of_then", "look around")
    assert resumed
    assert today.model.requests[0].messages[-1]["content"] == [
        {"type": "tool_result", "tool_use_id": "toolu_run", "content": "looked around"}
    ]


@of("memory")
async def test_memory_is_readable_and_goes_to_git_under_the_same_ids(today: Today):
    known = {row.number: row.commit_id for row in await today.store.memory.all(ANNA)}
    assert (await today.store.memory.get(ANNA, "notes/a.md")).content == "third\n"
    assert await Projection(today.store, today.settings, "test").project(ANNA) == len(known) == 4
    rows = await today.store.memory.all(ANNA)
    assert all(row.commit_id for row in rows)
    found = await asyncio.to_thread(committed, today.settings)
    assert [row.commit_id for row in rows] == found, "a rebuild yields equal ids"
    assert [known[1], known[2]] == found[:2]


def committed(settings: Settings) -> list[str]:
    """Ids in git, the oldest first."""
    import pygit2

    from growqr.memory.paths import repository

    repo = pygit2.Repository(str(repository(settings, ANNA)))
    return [str(c.id) for c in repo.walk(repo.head.target, pygit2.enums.SortMode.REVERSE)]


@of("asked")
async def test_what_was_asked_then_can_be_answered_now(today: Today):
    await today.finish()
    told = {
        b["tool_use_id"]: (b["content"], b.get("is_error", False))
        for request in today.model.requests
        for b in request.messages[-1]["content"]
    }
    assert told["toolu_ask"] == ("blue", False)
    assert told["toolu_unknown"][1]
    assert today.tools["launch"].effects == []


@of("timer")
async def test_a_timer_set_then_comes_now(today: Today):
    await today.finish()
    assert await today.store.timers.list(ANNA, limit=9) == []
    asked = [request.messages[-1]["content"] for request in today.model.requests]
    assert [{"type": "text", "text": "it is time"}] in asked
