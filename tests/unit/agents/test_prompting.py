"""A sub-agent's turn over the store, with a bridge that answers from a script."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from growqr.agents import types
from growqr.agents.keeper import Keeper
from growqr.agents.sub_agent import GO_ON, Allowance, Prompting, SubAgentFailed, UserOpenCode
from growqr.directory import Fence
from growqr.errors import NotFound
from growqr.opencode import Outcome, Progress, PromptIds
from growqr.states import DecisionState, TurnState
from growqr.store import BudgetLimits, Store, SubAgent, Turn, User

pytestmark = pytest.mark.anyio


class ScriptedBridge:
    """Plays `script` for each run: progress, then an outcome or an error."""

    def __init__(self) -> None:
        self.script: list[Any] = []
        self.runs: list[tuple[PromptIds, str, bool]] = []
        self.sessions = 0

    async def open_session(self, directory: str, title: str) -> str:
        self.sessions += 1
        return f"ses_{self.sessions}"

    async def run(
        self,
        ids: PromptIds,
        text: str,
        *,
        on_progress: Callable[[Progress], Awaitable[None]],
        resumed: bool,
        **_: Any,
    ) -> Outcome:
        self.runs.append((ids, text, resumed))
        *news, end = self.script.pop(0)
        for progress in news:
            await on_progress(progress)
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

    def __init__(self, store: Store, agent: SubAgent, bridge: ScriptedBridge) -> None:
        self.store, self.agent, self.bridge, self.epoch = store, agent, bridge, 0
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
        bridge: Any = self.bridge
        budget = Allowance(self.limits, 60)
        work = Prompting(self.store, keeper, row, kind, bridge, service, "/work", budget)
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


async def test_a_lost_session_fails_this_task_and_not_the_next(desk: Desk, bridge: ScriptedBridge):
    bridge.script = [[NotFound("no such session")], [Outcome("completed", "ok")]]
    await desk.give("one")
    work, turn = await desk.take_over()
    with pytest.raises(SubAgentFailed, match="session"):
        await work.run(turn)
    row = await desk.store.sub_agents.of_lease(desk.agent.lease_key)
    assert row is not None
    assert row.session_id is None
    work, turn = await desk.take_over()
    await desk.store.turns.finish(
        Fence(desk.agent.lease_key, desk.epoch), turn.id, TurnState.FAILED, error={"message": "x"}
    )
    await desk.give("two")
    work, turn = await desk.take_over()
    await work.run(turn)
    assert bridge.runs[-1][0].session_id == "ses_2"


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
