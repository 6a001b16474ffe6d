"""An agent's hold on its lease and its turns, where an answer is late or lost."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from growqr import names
from growqr.agents import Agent, Ended, LocalDirectory
from growqr.agents.keeper import Keeper
from growqr.directory import Fence
from growqr.errors import Fenced
from growqr.states import TurnState
from growqr.store import Store, Turn, User
from tests.unit.agents.conftest import use

pytestmark = pytest.mark.anyio


def first(user: User) -> Fence:
    return Fence(names.grow_agent(user.id), 1)


def agent_of(store: Store, user: User, work: Callable[[Turn], Awaitable[None]]) -> Agent:
    def none(_: Fence) -> Agent:
        raise AssertionError("nobody else is to be started")

    keeper = Keeper(store, first(user), ttl=2, idle_ttl=5)
    directory = LocalDirectory(none)
    return Agent(store, keeper, user.id, work, directory, turn_deadline=30, idle_sleep=60)


async def ended(store: Store, turn_id: str) -> Turn:
    async with asyncio.timeout(5):
        while (turn := await store.turns.get(None, turn_id)).finished_at is None:
            await asyncio.sleep(0.01)
    return turn


async def test_an_owner_knows_itself_when_the_answer_was_lost(store: Store, alice: User):
    assert await store.leases.take(first(alice), holder="me", ttl=2)
    assert await Keeper(store, first(alice), ttl=2, idle_ttl=5).take("me")
    assert not await Keeper(store, first(alice), ttl=2, idle_ttl=5).take("another")


async def test_of_two_actors_of_one_name_one_lives(store: Store, alice: User):
    async def nothing(_: Turn) -> None:
        raise AssertionError("there is no work")

    agents = [agent_of(store, alice, nothing) for _ in range(2)]
    lives = [asyncio.create_task(agent.run("pid 57")) for agent in agents]
    done, _ = await asyncio.wait(lives, timeout=5, return_when=asyncio.FIRST_COMPLETED)
    assert [life.result() for life in done] == [Ended.LATE]
    for agent in agents:
        agent.stop()
    assert sorted(await asyncio.gather(*lives)) == [Ended.ASLEEP, Ended.LATE]


async def test_a_renewal_under_way_is_not_taken_for_a_longer_one(store: Store, alice: User):
    now = 0.0
    keeper = Keeper(store, first(alice), ttl=1, idle_ttl=60, clock=lambda: now)
    assert await keeper.take("me")
    renewing = asyncio.create_task(keeper.renew())
    await asyncio.sleep(0)
    keeper.idle(True)
    await renewing
    await store.leases.release(first(alice))
    assert await store.leases.take(first(alice)._replace(epoch=2), holder="next", ttl=5)
    now = 10.0
    with pytest.raises(Fenced):
        await keeper.confirm()


async def test_a_turn_claimed_again_while_its_task_was_leaving_goes_on(store: Store, alice: User):
    """It waited for a sub-agent, which was done before the task that let it wait had gone."""
    fence, begun = first(alice), 0

    async def work(turn: Turn) -> None:
        nonlocal begun
        begun += 1
        if begun > 1:
            await store.turns.finish(fence, turn.id, TurnState.COMPLETED, result="done")
            return
        claim = await store.steps.claim_tool(fence, turn, 1, use("a", "run"), "idempotent")
        hands = await store.sub_agents.spawn(alice.id, "coding", actor="test")
        child = await store.messages.accept(
            alice.id, "do it", thread_id=hands.thread_id, parent=(turn.id, claim.step.id)
        )
        assert await store.turns.wait(fence, turn.id)
        await store.turns.cancel(alice.id, child.turn_id)
        agent.wake()
        while (await store.turns.get(None, turn.id)).state != TurnState.RUNNING:
            await asyncio.sleep(0.01)

    said = await store.messages.accept(alice.id, "hello")
    agent = agent_of(store, alice, work)
    life = asyncio.create_task(agent.run("me"))
    try:
        assert (await ended(store, said.turn_id)).result == "done"
    finally:
        life.cancel()
        await asyncio.wait({life})


async def test_a_cancellation_inside_the_work_ends_the_turn_and_not_the_agent(
    store: Store, alice: User
):
    async def work(turn: Turn) -> None:
        if turn.id == broken.turn_id:
            raise asyncio.CancelledError
        await store.turns.finish(first(alice), turn.id, TurnState.COMPLETED, result="fine")

    broken = await store.messages.accept(alice.id, "hello")
    after = await store.messages.accept(alice.id, "again")
    life = asyncio.create_task(agent_of(store, alice, work).run("me"))
    try:
        assert (await ended(store, broken.turn_id)).state == TurnState.FAILED
        assert (await ended(store, after.turn_id)).result == "fine"
    finally:
        life.cancel()
        await asyncio.wait({life})
