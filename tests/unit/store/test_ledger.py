"""Charged once, answered once."""

from __future__ import annotations

import asyncio

import pytest

from growqr.errors import InProgress, KeyReused
from growqr.store import Store, User

pytestmark = pytest.mark.anyio

CALL = {
    "step_id": None,
    "provider": "scripted",
    "model": "m",
    "input_tokens": 10,
    "output_tokens": 2,
}


async def test_a_repeated_record_changes_nothing(store: Store, alice: User):
    costs = {"micro_usd": 7, "model_ms": 1200}
    first = await store.usage.record("c-1", user_id=alice.id, turn_id="t", **CALL, **costs)
    again = await store.usage.record("c-1", user_id=alice.id, turn_id="t", **CALL)
    other = await store.usage.record("c-2", user_id=alice.id, turn_id="t", **CALL)
    assert (first, again, other) == (True, False, True)
    totals = await store.usage.of_turn("t")
    assert (totals["calls"], totals["input_tokens"], totals["output_tokens"]) == (2, 20, 4)
    assert (totals["micro_usd"], totals["model_ms"]) == (7, 1200)


async def test_the_answer_is_kept_with_its_effect(store: Store, alice: User):
    async with store.idempotency.once(alice.id, "k", "POST /threads", b"1") as slot:
        assert slot.answer is None
        thread = await store.threads.create(alice.id, "new", conn=slot.conn)
        slot.answer = (201, {"id": thread.id})
    async with store.idempotency.once(alice.id, "k", "POST /threads", b"1") as slot:
        assert slot.answer == (201, {"id": thread.id})
    titles = [t.title for t in await store.threads.list(alice.id, limit=10)]
    assert titles.count("new") == 1


async def test_a_crash_before_the_answer_leaves_nothing(store: Store, alice: User):
    with pytest.raises(RuntimeError):
        async with store.idempotency.once(alice.id, "k", "r", b"1") as slot:
            await store.threads.create(alice.id, "new", conn=slot.conn)
            raise RuntimeError("crash")
    async with store.idempotency.once(alice.id, "k", "r", b"1") as slot:
        assert slot.answer is None
    assert [t.kind for t in await store.threads.list(alice.id, limit=10)] == ["master"]


async def test_another_request_under_the_same_key_is_refused(store: Store, alice: User):
    async with store.idempotency.once(alice.id, "k", "r", b"1") as slot:
        slot.answer = (200, {})
    for route, body in (("r", b"2"), ("other", b"1")):
        with pytest.raises(KeyReused):
            async with store.idempotency.once(alice.id, "k", route, body):
                pass


async def test_while_the_first_still_runs_the_second_is_told_so(store: Store, alice: User):
    entered, leave = asyncio.Event(), asyncio.Event()

    async def slow() -> None:
        async with store.idempotency.once(alice.id, "k", "r", b"1") as slot:
            entered.set()
            await leave.wait()
            slot.answer = (200, {})

    running = asyncio.create_task(slow())
    await entered.wait()
    with pytest.raises(InProgress):
        async with store.idempotency.once(alice.id, "k", "r", b"1"):
            pass
    leave.set()
    await running
