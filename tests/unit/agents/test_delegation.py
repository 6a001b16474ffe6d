"""A task given to a sub-agent: the parent waits without a process, and is answered once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from growqr import names
from growqr.agents import Agent, LocalDirectory, types
from growqr.agents.keeper import Keeper
from growqr.agents.loop import TurnLoop
from growqr.agents.thinking import Thinking
from growqr.directory import Fence
from growqr.errors import GrowqrError
from growqr.states import TurnState
from growqr.store import Store, Turn, User
from growqr.tools import ToolServices, discover
from tests.unit.agents.conftest import Bench, ScriptedModel, text, use

pytestmark = pytest.mark.anyio


class Hands:
    """What the sub-agents do: `answer` is awaited for each task and its text is the report."""

    def __init__(self) -> None:
        self.tasks: list[str] = []
        self.answer: Callable[[str], Awaitable[str]] = self._echo

    async def _echo(self, task: str) -> str:
        return f"report on {task}"


@pytest.fixture
def hands() -> Hands:
    return Hands()


@pytest.fixture
async def team(store: Store, alice: User, hands: Hands) -> AsyncIterator[Bench]:
    model = ScriptedModel()

    def make(fence: Fence) -> Agent:
        keeper = Keeper(store, fence, ttl=2, idle_ttl=5)

        async def think(turn: Turn) -> None:
            await TurnLoop(thinking, keeper, turn).run()

        async def handle(turn: Turn) -> None:
            task = await store.messages.of_turn(turn.id)
            hands.tasks.append(task)
            report = await hands.answer(task)
            await store.turns.finish(fence, turn.id, TurnState.COMPLETED, result=report)

        work = handle if names.is_sub_agent(fence.key) else think
        return Agent(store, keeper, alice.id, work, directory, turn_deadline=30, idle_sleep=60)

    directory = LocalDirectory(make)
    kinds = {name: kind.purpose for name, kind in types().items()}
    thinking = Thinking(
        store=store,
        model=model,
        tools=discover(),
        system="",
        model_name=None,
        max_tokens=100,
        services=ToolServices(store, directory, kinds),
    )
    yield Bench(store, alice, directory, model, None, None, None)  # type: ignore[arg-type]
    await directory.close()


def result_of(team: Bench, index: int = -1) -> list[dict[str, Any]]:
    return team.model.requests[index].messages[-1]["content"]


async def test_the_report_is_the_result_of_the_call(team: Bench, hands: Hands):
    team.model.script = [[use("a", "run_sub_agent", type="coding", prompt="build it")]]
    turn = await team.ended(await team.say("go"))
    assert turn.state == "completed"
    assert hands.tasks == ["build it"]
    assert result_of(team) == [
        {"type": "tool_result", "tool_use_id": "a", "content": "report on build it"}
    ]
    kinds = await team.types()
    assert kinds.count("sub_agent.completed") == kinds.count("turn.waiting") == 1
    assert kinds.index("turn.waiting") < kinds.index("tool.completed")


async def test_several_run_side_by_side_and_answer_in_order(team: Bench, hands: Hands):
    together = asyncio.Barrier(2)

    async def meet(task: str) -> str:
        await asyncio.wait_for(together.wait(), 5)
        return task.upper()

    hands.answer = meet
    team.model.script = [
        [
            use("a", "run_sub_agent", type="coding", prompt="one"),
            use("b", "run_sub_agent", type="research", prompt="two"),
        ]
    ]
    assert (await team.ended(await team.say("go"))).state == "completed"
    assert [block["content"] for block in result_of(team)] == ["ONE", "TWO"]


async def test_a_failed_run_goes_back_as_an_error(team: Bench, hands: Hands):
    async def fail(_task: str) -> str:
        raise GrowqrError("it burnt down")

    hands.answer = fail
    team.model.script = [[use("a", "run_sub_agent", type="coding", prompt="build")]]
    assert (await team.ended(await team.say("go"))).state == "completed"
    [block] = result_of(team)
    assert block["is_error"] is True
    assert "burnt down" in block["content"]


async def test_parent_and_child_killed_each_task_is_done_once(team: Bench, hands: Hands):
    began, go = asyncio.Event(), asyncio.Event()

    async def hold(task: str) -> str:
        began.set()
        await go.wait()
        return task

    hands.answer = hold
    team.model.script = [[use("a", "run_sub_agent", type="coding", prompt="build")]]
    turn_id = await team.say("go")
    await asyncio.wait_for(began.wait(), 5)
    await waiting(team, turn_id)
    [child] = await team.store.sub_agents.list(team.user.id, limit=10)
    for key in (names.grow_agent(team.user.id), child.lease_key):
        lease = await team.store.leases.get(key)
        assert lease is not None
        await team.directory.kill(lease)
        await team.store.leases.release(Fence(lease.key, lease.epoch))
    go.set()
    lease = await team.store.leases.get(child.lease_key)
    assert lease is not None
    await team.directory.wake(lease._replace(live=False))
    turn = await team.ended(turn_id)
    assert (turn.state, turn.epoch) == ("completed", 2)
    assert len(team.model.requests) == 2
    assert (await team.types()).count("sub_agent.completed") == 1


async def test_cancelling_the_parent_cancels_the_child(team: Bench, hands: Hands):
    began = asyncio.Event()

    async def hold(_task: str) -> str:
        began.set()
        await asyncio.Event().wait()
        return ""

    hands.answer = hold
    team.model.script = [[use("a", "run_sub_agent", type="coding", prompt="build")]]
    turn_id = await team.say("go")
    await asyncio.wait_for(began.wait(), 5)
    await waiting(team, turn_id)
    turn, leases = await team.store.turns.cancel(team.user.id, turn_id)
    assert turn.state == "cancelled"
    for lease in leases:
        await team.directory.wake(lease)
    [child] = await team.store.sub_agents.list(team.user.id, limit=10)
    async with asyncio.timeout(5):
        while await team.store.turns.unfinished(child.lease_key):
            await asyncio.sleep(0.01)
    assert (await team.ended(await team.say("next"))).state == "completed"


async def test_a_stopped_one_takes_no_work_and_a_free_one_is_used_again(team: Bench, hands: Hands):
    run = [use("a", "run_sub_agent", type="coding", prompt="one")]
    team.model.script = [run, [text("ok")], run, [text("ok")]]
    for _ in range(2):
        await team.ended(await team.say("go"))
    [child] = await team.store.sub_agents.list(team.user.id, limit=10)
    assert (child.state, child.type) == ("idle", "coding")
    team.model.script = [
        [use("s", "stop_sub_agent", sub_agent_id=child.id)],
        [use("r", "run_sub_agent", sub_agent_id=child.id, prompt="two")],
    ]
    await team.ended(await team.say("stop it"))
    [block] = result_of(team)
    assert block["is_error"] is True
    assert "stopped" in block["content"]
    assert hands.tasks == ["one", "one"]


async def test_no_more_than_eight_are_alive(team: Bench):
    calls = [use(f"c{n}", "spawn_sub_agent", type="general") for n in range(9)]
    team.model.script = [calls]
    await team.ended(await team.say("spawn many"))
    refused = [block for block in result_of(team) if block.get("is_error")]
    assert len(refused) == 1
    assert "8" in refused[0]["content"]
    assert len(await team.store.sub_agents.list(team.user.id, limit=20)) == 8


async def test_an_unknown_type_lists_the_known_ones(team: Bench):
    team.model.script = [[use("a", "spawn_sub_agent", type="cooking")]]
    await team.ended(await team.say("cook"))
    [block] = result_of(team)
    assert "coding" in block["content"]
    assert "research" in block["content"]


async def waiting(team: Bench, turn_id: str) -> None:
    async with asyncio.timeout(5):
        while (await team.store.turns.get(None, turn_id)).state != "waiting":
            await asyncio.sleep(0.01)
