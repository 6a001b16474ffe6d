"""A turn ends once, nothing begins in it afterwards, and nobody waits in a circle for its rows."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, LiteralString

import psycopg
import pytest

from growqr import names
from growqr.directory import Fence
from growqr.errors import StoreUnavailable
from growqr.states import StepState, TurnState
from growqr.store import Store, Turn, User

pytestmark = pytest.mark.anyio

ROUNDS = 20


def call(number: int) -> dict[str, Any]:
    return {"type": "tool_use", "id": f"c{number}", "name": "count", "input": {}}


@pytest.fixture
async def fence(store: Store, alice: User) -> Fence:
    mine = Fence(names.grow_agent(alice.id), 1)
    assert await store.leases.take(mine, holder="h", ttl=60)
    return mine


async def begun(store: Store, user: User, fence: Fence) -> Turn:
    await store.messages.accept(user.id, "hello")
    turn = await store.turns.claim(fence, deadline=60)
    assert turn is not None
    return turn


async def child_of(store: Store, user: User, turn: Turn, step_id: str) -> tuple[Fence, Turn]:
    """A sub-agent's running turn for which this step waits."""
    agent = await store.sub_agents.spawn(user.id, "coding", actor="test")
    await store.messages.accept(
        user.id, "do it", thread_id=agent.thread_id, parent=(turn.id, step_id)
    )
    own = Fence(agent.lease_key, 1)
    await store.leases.take(own, holder="h", ttl=60)
    claimed = await store.turns.claim(own, deadline=60)
    assert claimed is not None
    return own, claimed


async def together(*calls: Any) -> None:
    """All at once; none may fail for the sake of the others."""
    for outcome in await asyncio.gather(*calls, return_exceptions=True):
        assert not isinstance(outcome, StoreUnavailable), outcome


async def test_nothing_begins_in_a_turn_that_has_ended(store: Store, alice: User, fence: Fence):
    for _ in range(ROUNDS):
        turn = await begun(store, alice, fence)
        await together(
            store.steps.claim_tool(fence, turn, 1, call(1), "unsafe"),
            store.turns.finish(fence, turn.id, TurnState.CANCELLED),
            store.steps.begin_model(fence, turn, 1, "m", None),
            store.steps.claim_tool(fence, turn, 1, call(2), "unsafe"),
        )
        assert "intent" not in {step.state for step in await store.steps.of(turn.id)}
        last = (await store.events.after(alice.id, 0, thread_id=turn.thread_id))[-1]
        assert last.type == "turn.cancelled"


async def test_a_last_reply_and_a_cancellation_make_one_end(
    store: Store, alice: User, fence: Fence
):
    for _ in range(ROUNDS):
        turn = await begun(store, alice, fence)
        step = await store.steps.begin_model(fence, turn, 1, "m", None)
        said: Any = {"content": [{"type": "text", "text": "x"}], "output": {}, "result": "x"}
        claim = await store.steps.claim_tool(fence, turn, 1, call(1), "unsafe")
        await together(
            store.steps.finish_tool(fence, turn, claim.step, StepState.DONE, "ok"),
            store.steps.finish_model(fence, turn, step, **said),
            store.turns.finish(fence, turn.id, TurnState.CANCELLED),
        )
        events = await store.events.after(alice.id, turn.seq)
        ends = [e.type for e in events if e.type in ("turn.completed", "turn.cancelled")]
        assert ends == [f"turn.{(await store.turns.get(None, turn.id)).state}"]


async def test_a_sub_agents_end_and_its_parents_next_step_do_not_block_each_other(
    store: Store, alice: User, fence: Fence
):
    for _ in range(ROUNDS // 2):
        turn = await begun(store, alice, fence)
        waiting = await store.steps.claim_tool(fence, turn, 1, call(0), "idempotent")
        own, child = await child_of(store, alice, turn, waiting.step.id)
        await together(
            store.steps.claim_tool(fence, turn, 1, call(1), "idempotent"),
            store.turns.finish(own, child.id, TurnState.COMPLETED, result="r"),
            store.steps.claim_tool(fence, turn, 1, call(2), "idempotent"),
        )
        assert (await store.steps.get(waiting.step.id)).output == {"content": "r"}
        await store.turns.finish(fence, turn.id, TurnState.COMPLETED, result="")
        await store.sub_agents.stop(alice.id, own.key.rpartition(":")[2], actor="test")


async def test_a_child_that_ends_by_itself_is_no_obstacle_to_cancelling(
    store: Store, alice: User, fence: Fence, database_url: str
):
    turn = await begun(store, alice, fence)
    claim = await store.steps.claim_tool(fence, turn, 1, call(0), "idempotent")
    _, child = await child_of(store, alice, turn, claim.step.id)
    async with locked(database_url, "turn", child.id) as conn:
        cancelling = asyncio.create_task(store.turns.cancel(alice.id, turn.id))
        await blocked(conn)
        ending = "update turn set state = 'completed', finished_at = now() where id = %s"
        await conn.execute(ending, (child.id,))
        await conn.commit()
        cancelled, _ = await cancelling
    assert cancelled.cancel_requested


@pytest.mark.parametrize("how", ["finish", "cancel"])
async def test_an_end_that_waits_for_a_step_holds_up_nobody_else(
    store: Store, alice: User, fence: Fence, database_url: str, how: str
):
    """The user's stream is locked last: whoever has a step and wants the stream gets it."""
    turn = await begun(store, alice, fence)
    claim = await store.steps.claim_tool(fence, turn, 1, call(0), "idempotent")
    async with locked(database_url, "step", claim.step.id) as conn:
        if how == "finish":
            end: Any = store.turns.finish(fence, turn.id, TurnState.CANCELLED)
        else:
            assert await store.turns.wait(fence, turn.id)
            end = store.turns.cancel(alice.id, turn.id)
        ending = asyncio.create_task(end)
        await blocked(conn)
        other = await store.threads.create(alice.id, "other")
        await store.messages.accept(alice.id, "hello", thread_id=other.id)
        await conn.rollback()
        await ending
    assert (await store.turns.get(None, turn.id)).state == TurnState.CANCELLED


async def test_a_renewal_is_not_overtaken_by_writes(
    store: Store, alice: User, fence: Fence, database_url: str
):
    async with await psycopg.AsyncConnection.connect(database_url) as conn:
        await conn.execute("select 1 from lease where key = %s for share", (fence.key,))
        renewing = asyncio.create_task(store.leases.renew(fence, ttl=60))
        await blocked(conn)
        writing = asyncio.create_task(store.turns.claim(fence, deadline=60))
        done, _ = await asyncio.wait({writing}, timeout=0.3)
        assert not done
        await conn.rollback()
        assert await renewing
        assert await writing is None


@asynccontextmanager
async def locked(
    url: str, table: LiteralString, row: str
) -> AsyncIterator[psycopg.AsyncConnection]:
    """Somebody else is at this row."""
    async with await psycopg.AsyncConnection.connect(url) as conn:
        await conn.execute(f"select 1 from {table} where id = %s for update", (row,))
        yield conn


async def blocked(conn: psycopg.AsyncConnection) -> None:
    """Return when somebody waits for a row that `conn` holds."""
    waiting = "select 1 from pg_stat_activity where pg_backend_pid() = any(pg_blocking_pids(pid))"
    async with asyncio.timeout(2):
        while await (await conn.execute(waiting)).fetchone() is None:
            await asyncio.sleep(0.01)
