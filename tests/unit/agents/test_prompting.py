"""A sub-agent's turn over the store, with a bridge that answers from a script."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from growqr.agents import types
from growqr.agents.keeper import Keeper
from growqr.agents.record import AGAIN
from growqr.agents.sub_agent import (
    GO_ON,
    LOST,
    Allowance,
    Prompting,
    SubAgentFailed,
    UserOpenCode,
)
from growqr.directory import Fence
from growqr.errors import NotFound
from growqr.opencode import Outcome, Progress, PromptIds
from growqr.states import DecisionState
from growqr.store import BudgetLimits, Store, SubAgent, Turn, User

pytestmark = pytest.mark.anyio

OK = Outcome("completed", "ok")


class ScriptedBridge:
    """Plays `script` for each run: progress, then an outcome or an error. `records` are what its
    sessions were given to begin with; `forget` makes it anew."""

    def __init__(self) -> None:
        self.script: list[Any] = []
        self.runs: list[tuple[PromptIds, str, bool]] = []
        self.records: list[str] = []
        self.sessions = 0
        self._known: dict[str, int] = {}

    def forget(self) -> None:
        self._known.clear()

    async def open_session(self, directory: str, title: str, former: str | None = None) -> str:
        if former in self._known:
            return str(former)
        self.sessions += 1
        session = f"ses_{self.sessions}"
        self._known[session] = 0
        return session

    async def run(
        self,
        ids: PromptIds,
        text: str,
        *,
        on_progress: Callable[[Progress], Awaitable[None]],
        resumed: bool,
        recall: Callable[[], Awaitable[str]],
        **_: Any,
    ) -> Outcome:
        self.runs.append((ids, text, resumed))
        if self._known.get(ids.session_id) == 0:
            self.records.append(await recall())
            self._known[ids.session_id] = 1
        *news, end = self.script.pop(0)
        for progress in news:
            await on_progress(progress)
        if isinstance(end, NotFound):
            self.forget()
        if isinstance(end, Exception):
            raise end
        return end


@pytest.fixture
async def agent(store: Store, alice: User) -> SubAgent:
    return await store.sub_agents.spawn(alice.id, "coding", actor=alice.id)


@pytest.fixture
def bridge() -> ScriptedBridge:
    return ScriptedBridge()


class Desk:
    """One sub-agent, epoch after epoch."""

    def __init__(
        self, store: Store, agent: SubAgent, bridge: Any, directory: str = "/work"
    ) -> None:
        self.store, self.agent, self.bridge, self.epoch = store, agent, bridge, 0
        self.directory = directory
        self.limits = BudgetLimits()

    async def take_over(self) -> tuple[Prompting, Turn]:
        """The next epoch's work and the turn it claims."""
        if self.epoch:
            await self.store.leases.release(Fence(self.agent.lease_key, self.epoch))
        self.epoch += 1
        fence = Fence(self.agent.lease_key, self.epoch)
        keeper = Keeper(self.store, fence, ttl=5, idle_ttl=5)
        assert await keeper.take("test")
        turn = await self.store.turns.claim(fence, deadline=60)
        assert turn is not None
        row = await self.store.sub_agents.of_lease(self.agent.lease_key)
        assert row is not None
        service = UserOpenCode(self.store, b"secret", self.agent.user_id)
        kind = types()["coding"]
        desk = (self.bridge, service, self.directory, Allowance(self.limits, 60))
        work = Prompting(self.store, keeper, row, kind, *desk)
        return work, turn

    async def give(self, task: str) -> None:
        await self.store.messages.accept(self.agent.user_id, task, thread_id=self.agent.thread_id)


@pytest.fixture
def desk(store: Store, agent: SubAgent, bridge: ScriptedBridge) -> Desk:
    return Desk(store, agent, bridge)


def tool(state: str) -> Progress:
    return Progress("tool", "prt_1", "bash", state, {"command": "ls"}, "files")


async def test_the_report_ends_the_turn_and_tools_are_steps(desk: Desk, bridge: ScriptedBridge):
    news = [tool(state) for state in ("pending", "running", "completed")]
    bridge.script = [[*news, Outcome("completed", "ok")]]
    await desk.give("look")
    work, turn = await desk.take_over()
    await work.run(turn)
    done = await desk.store.turns.get(None, turn.id)
    assert (done.state, done.result) == ("completed", "ok")
    steps = [(s.kind, s.name, s.state) for s in await desk.store.steps.of(turn.id)]
    assert sorted(steps) == [("prompt", "opencode", "done"), ("tool", "bash", "done")]


async def test_a_successor_asks_under_the_same_ids_and_tells_nothing_twice(
    desk: Desk, bridge: ScriptedBridge
):
    bridge.script = [
        [tool("running"), RuntimeError("the process died here")],
        [tool("running"), tool("completed"), Outcome("completed", "ok")],
    ]
    await desk.give("look")
    work, turn = await desk.take_over()
    with pytest.raises(RuntimeError):
        await work.run(turn)
    work, turn = await desk.take_over()
    await work.run(turn)
    (first, _, fresh), (second, _, resumed) = bridge.runs
    assert first == second
    assert (fresh, resumed) == (False, True)
    told = [e.type for e in await desk.store.events.after(desk.agent.user_id, 0)]
    assert told.count("tool.started") == told.count("tool.completed") == 1


async def test_a_failed_run_is_not_called_completed(desk: Desk, bridge: ScriptedBridge):
    bridge.script = [[Outcome("failed", "half of it", "the model did not answer")]]
    await desk.give("look")
    work, turn = await desk.take_over()
    with pytest.raises(SubAgentFailed, match="did not answer"):
        await work.run(turn)


async def done(desk: Desk, task: str, *script: Any) -> Turn:
    """One task to its end."""
    desk.bridge.script = list(script) or [[tool("running"), tool("completed"), OK]]
    await desk.give(task)
    work, turn = await desk.take_over()
    await work.run(turn)
    return await desk.store.turns.get(None, turn.id)


async def restored(desk: Desk) -> list[dict[str, Any]]:
    """What the thread says of it."""
    told = await desk.store.events.after(desk.agent.user_id, 0)
    return [e.data["restored"] for e in told if "restored" in e.data]


async def test_a_first_task_has_nothing_to_restore(desk: Desk):
    await done(desk, "one")
    assert desk.bridge.records == [""]
    assert await restored(desk) == []


async def test_a_session_that_is_gone_is_begun_anew_with_what_was_done(desk: Desk):
    await done(desk, "remember green")
    desk.bridge.forget()
    turn = await done(desk, "which colour?", [OK])
    assert turn.state == "completed"
    _, record = desk.bridge.records
    assert "not by the user" in record
    assert record.index("Asked: remember green") < record.index("Answered: ok")
    assert '- bash {"command": "ls"} -> done: files' in record
    assert "which colour?" not in record
    counted = {"tasks": 1, "answers": 1, "tool_calls": 1, "left_out": 0, "characters": len(record)}
    assert await restored(desk) == [counted]
    assert desk.bridge.runs[-1][:2] == (desk.bridge.runs[-1][0], "which colour?")
    [step] = await desk.store.steps.of(turn.id)
    assert (step.state, step.input["session_id"]) == ("done", "ses_2")
    await done(desk, "and now?", [OK])
    assert desk.bridge.runs[-1][0].session_id == "ses_2"
    assert len(await restored(desk)) == 1


async def test_a_session_lost_under_way_is_told_and_the_task_goes_on_in_another(desk: Desk):
    await done(desk, "remember green")
    gone = NotFound("no such session")
    lost = tool("running")._replace(id="prt_9")
    turn = await done(desk, "which colour?", [lost, gone], [OK])
    assert (turn.state, turn.result) == ("completed", "ok")
    steps = await desk.store.steps.of(turn.id)
    states = sorted((s.kind, s.position, s.state) for s in steps)
    assert states == [("prompt", 1, "unknown"), ("prompt", 2, "done"), ("tool", 1, "unknown")]
    (_, first, _), (_, again, resumed) = desk.bridge.runs[-2:]
    assert (first, again, resumed) == ("which colour?", "which colour?", False)
    assert '- bash {"command": "ls"} -> unknown: interrupted' in desk.bridge.records[-1]
    told = await desk.store.events.after(desk.agent.user_id, 0)
    assert [e.type for e in told if e.turn_id == turn.id].count("tool.unknown") == 1
    assert LOST in [e.data.get("text") for e in told]
    said = await desk.store.messages.list(desk.agent.user_id, desk.agent.thread_id, limit=9)
    assert [m.content[0]["text"] for m in said] == ["remember green", "ok", "which colour?", "ok"]


async def test_what_was_done_of_the_task_itself_is_in_the_record(desk: Desk):
    used = [tool("running"), tool("completed")]
    turn = await done(desk, "build it", [*used, NotFound("gone")], [OK])
    assert turn.state == "completed"
    record = desk.bridge.records[-1]
    assert record.endswith(AGAIN)
    assert "## Task (interrupted)\nAsked: build it\n- bash" in record
    assert (await restored(desk))[0]["tasks"] == 1


@pytest.mark.parametrize("where", ["lost", "begun"])
async def test_a_successor_goes_on_from_wherever_its_former_self_died(desk: Desk, where: str):
    await done(desk, "remember green")
    died = RuntimeError("the process died here")
    await desk.give("which colour?")
    work, turn = await desk.take_over()
    if where == "lost":
        desk.bridge.script = [[NotFound("gone")]]
        desk.bridge.open_session, real = broken(died, after=1), desk.bridge.open_session
        with pytest.raises(RuntimeError):
            await work.run(turn)
        desk.bridge.open_session = real
    else:
        desk.bridge.script = [[NotFound("gone")], [died]]
        with pytest.raises(RuntimeError):
            await work.run(turn)
    desk.bridge.script = [[OK]]
    work, turn = await desk.take_over()
    await work.run(turn)
    assert (await desk.store.turns.get(None, turn.id)).state == "completed"
    prompts = [s for s in await desk.store.steps.of(turn.id) if s.kind == "prompt"]
    assert [(s.position, s.state) for s in prompts] == [(1, "unknown"), (2, "done")]


async def test_a_session_lost_again_and_again_is_given_up(desk: Desk):
    desk.bridge.script = [[NotFound("gone")]] * 20
    await desk.give("one")
    work, turn = await desk.take_over()
    with pytest.raises(SubAgentFailed, match="6 times"):
        await work.run(turn)
    assert len(desk.bridge.runs) == 6


async def test_a_folder_that_is_not_there_is_no_lost_session(desk: Desk):
    desk.bridge.open_session = broken(NotFound("OpenCode finds no folder /work"))
    await desk.give("one")
    work, turn = await desk.take_over()
    with pytest.raises(NotFound, match="no folder"):
        await work.run(turn)


def broken(error: Exception, *, after: int = 0) -> Any:
    """An `open_session` that fails once it was asked `after` times."""
    calls = iter(range(99))

    async def open_session(directory: str, title: str, former: str | None = None) -> str:
        if next(calls) >= after:
            raise error
        return former or "ses_x"

    return open_session


async def test_a_spent_budget_asks_and_goes_on_in_the_same_session(
    desk: Desk, bridge: ScriptedBridge
):
    desk.limits = BudgetLimits(turn_tokens=10)
    bridge.script = [
        [Outcome("failed", "half", "budget exceeded")],
        [Outcome("completed", "all of it")],
    ]
    await desk.give("look")
    work, turn = await desk.take_over()
    spent = {"provider": "p", "model": "m", "input_tokens": 9, "output_tokens": 9}
    await desk.store.usage.record(
        f"c-{turn.id}", user_id=turn.user_id, turn_id=turn.id, step_id=None, **spent
    )
    await work.run(turn)
    waiting = await desk.store.turns.get(None, turn.id)
    assert (waiting.state, waiting.waiting) == ("waiting", "budget")
    [decision] = await desk.store.decisions.list(turn.user_id, ["budget"], limit=5)
    assert (decision.thread_id, decision.asked["limit"]) == (turn.thread_id, 10)
    desk.limits = BudgetLimits(turn_tokens=10)
    await desk.store.decisions.resolve(decision, DecisionState.APPROVED, None, turn.user_id)
    work, turn = await desk.take_over()
    await work.run(turn)
    done = await desk.store.turns.get(None, turn.id)
    assert (done.state, done.result) == ("completed", "all of it")
    (first, said, _), (second, more, resumed) = bridge.runs
    assert (said, more, resumed) == ("look", GO_ON, False)
    assert first.session_id == second.session_id
    assert first.message_id != second.message_id
