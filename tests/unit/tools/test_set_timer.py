"""set_timer: one timer a call, in the call's thread, and what cannot be is told to the model."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from growqr import names
from growqr.directory import Fence
from growqr.errors import Fenced, ToolError
from growqr.store import Store, User
from tests.unit.tools.test_memory_tools import call_of, use

pytestmark = pytest.mark.anyio


async def called(store: Store, user: User, **values: Any) -> Any:
    thread = await store.threads.master(user.id)
    fence, use_id = values.pop("fence", None), values.pop("use_id", "use_1")
    return await use(
        "set_timer", replace(call_of(store, user, use_id, fence), thread_id=thread.id), **values
    )


async def test_the_same_call_again_sets_one(store: Store, alice: User):
    first = await called(store, alice, text="look at the build", seconds=90)
    assert await called(store, alice, text="look at the build", seconds=90) == first
    await called(store, alice, use_id="use_2", text="and again", seconds=90)
    one, two = await store.timers.list(alice.id, limit=9)
    assert first == {"timer_id": one.id, "due": one.due.astimezone(UTC).isoformat()}
    assert (one.text, two.text) == ("look at the build", "and again")
    events = await store.events.after(alice.id, 0)
    assert {event.actor for event in events} == {names.grow_agent(alice.id)}


async def test_a_time_with_its_offset(store: Store, alice: User):
    at = datetime.now(UTC).replace(microsecond=0) + timedelta(days=2)
    told = await called(store, alice, text="x", at=at.isoformat())
    assert datetime.fromisoformat(told["due"]) == at


@pytest.mark.parametrize(
    "values",
    [
        {"seconds": 0},
        {},
        {"seconds": 1, "at": "2030-01-01T00:00:00Z"},
        {"at": "2000-01-01T00:00:00Z"},
        {"at": "2027-01-01T00:00:00"},
        {"seconds": 10**10},
    ],
)
async def test_a_time_that_cannot_be_is_told_to_the_model(
    store: Store, alice: User, values: dict[str, Any]
):
    with pytest.raises(ToolError):
        await called(store, alice, text="x", **values)
    assert await store.timers.list(alice.id, limit=9) == []


async def test_a_former_owner_sets_none(store: Store, alice: User):
    with pytest.raises(Fenced):
        stale = Fence(names.grow_agent(alice.id), 3)
        await called(store, alice, text="x", seconds=5, fence=stale)
