"""How many sub-agents of a user may live at once is a setting, whoever asks at the same time."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from growqr.config import Settings
from growqr.directory import Fence
from growqr.errors import TooMany
from growqr.states import TurnState
from growqr.store import Store, User, open_store

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("most", [1, 3])
async def test_no_more_live_than_the_setting_allows(
    database_url: str, tmp_path: Path, alice: User, most: int
) -> None:
    given = {"data": tmp_path, "database_url": database_url, "limit_sub_agents": most}
    async with open_store(Settings.model_validate(given)) as store:
        asked = (store.sub_agents.spawn(alice.id, "coding", actor="t") for _ in range(most + 3))
        outcomes = await asyncio.gather(*asked, return_exceptions=True)
        refused = [outcome for outcome in outcomes if isinstance(outcome, TooMany)]
        assert len(refused) == 3
        assert f"{most} sub-agents are alive" in refused[0].message
        [first, *_] = await store.sub_agents.list(alice.id, limit=9)
        await store.sub_agents.stop(alice.id, first.id, actor="t")
        await store.sub_agents.spawn(alice.id, "coding", actor="t")


async def test_eight_of_each_user_unless_told_otherwise(
    store: Store, alice: User, bob: User
) -> None:
    for user in (alice, bob):
        for _ in range(8):
            await store.sub_agents.spawn(user.id, "general", actor="t")
        with pytest.raises(TooMany):
            await store.sub_agents.spawn(user.id, "general", actor="t")


async def test_the_turn_is_the_one_it_works_on_whatever_is_queued(
    store: Store, alice: User
) -> None:
    agent = await store.sub_agents.spawn(alice.id, "coding", actor=alice.id)
    tasks = [
        await store.messages.accept(alice.id, prompt, thread_id=agent.thread_id)
        for prompt in ("first", "second")
    ]
    fence = Fence(agent.lease_key, 1)
    assert await store.leases.take(fence, holder="h", ttl=60)
    turn = await store.turns.claim(fence, deadline=60)
    assert turn is not None
    assert turn.id == tasks[0].turn_id
    assert (await store.sub_agents.get(alice.id, agent.id)).turn_id == turn.id
    await store.turns.finish(fence, turn.id, TurnState.COMPLETED, result="done")
    assert (await store.sub_agents.get(alice.id, agent.id)).turn_id == tasks[1].turn_id
