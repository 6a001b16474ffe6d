"""A thread's journal can be read as a list; a sub-agent tells its newest task and who made it."""

from __future__ import annotations

import httpx
import pytest

from growqr.store import Store, User

pytestmark = pytest.mark.anyio


async def test_a_sub_agent_tells_its_task_and_parent(
    client: httpx.AsyncClient, alice: User
) -> None:
    made = (await client.post("/actors/me/sub-agents", json={"type": "coding"})).json()
    assert (made["turn_id"], made["parent"]) == (None, alice.id)
    path = f"/actors/me/sub-agents/{made['id']}"
    task = (await client.post(f"{path}/run", json={"prompt": "count"})).json()
    read = (await client.get(path)).json()
    assert (read["turn_id"], read["parent"]) == (task["turn_id"], alice.id)
    assert read["state"] == "working"
    listed = (await client.get("/actors/me/sub-agents")).json()
    assert listed["data"] == [read]


async def test_pages_of_a_journal_hold_each_event_once(
    client: httpx.AsyncClient, store: Store, alice: User
) -> None:
    made = (await client.post("/actors/me/sub-agents", json={"type": "coding"})).json()
    for task in range(3):
        await client.post(f"/actors/me/sub-agents/{made['id']}/run", json={"prompt": f"{task}"})
    await store.messages.accept(alice.id, "in another thread")
    path = f"/threads/{made['thread_id']}/journal"
    page = (await client.get(path, params={"limit": 2})).json()
    events = page["data"]
    while cursor := page["next_cursor"]:
        page = (await client.get(path, params={"limit": 2, "cursor": cursor})).json()
        events += page["data"]
    assert [event["type"] for event in events] == ["sub_agent.spawned"] + 3 * ["message.created"]
    kept = await store.events.after(alice.id, 0, thread_id=made["thread_id"])
    assert [event["seq"] for event in events] == [event.seq for event in kept]


async def test_nobody_reads_the_journal_of_another(
    client: httpx.AsyncClient, store: Store, bob: User
) -> None:
    theirs = await store.messages.accept(bob.id, "mine alone")
    answer = await client.get(f"/threads/{theirs.thread_id}/journal")
    assert answer.status_code == 404


async def test_the_same_sub_agent_is_told_the_same_way(client: httpx.AsyncClient) -> None:
    asked = {"type": "coding", "channel_id": "ch-1"}
    path = "/actors/me/sub-agents"
    made = (await client.post(path, json=asked)).json()
    assert (await client.post(path, json=asked)).json() == made
    taken = await client.post(path, json={"type": "research", "channel_id": "ch-1"})
    assert (taken.status_code, taken.json()["code"]) == (409, "conflict")

    key = {"Idempotency-Key": "k-1"}
    other = {"type": "coding", "channel_id": "ch-2"}
    kept = (await client.post(path, json=other, headers=key)).json()
    assert (await client.post(path, json=other, headers=key)).json() == kept
    wrong = await client.post(path, json=other | {"channel_id": "ch-3"}, headers=key)
    assert (wrong.status_code, wrong.json()["code"]) == (422, "idempotency_mismatch")
