"""What each route answers, over both of its paths."""

from __future__ import annotations

import asyncio

import httpx
import pytest
from fastapi import FastAPI

from growqr import names
from growqr.config import Settings
from growqr.identity import mint
from growqr.store import Store, User
from tests.unit.api.conftest import RecordedDirectory, until

pytestmark = pytest.mark.anyio


async def test_first_sight_mirrors_the_user(
    app: FastAPI, settings: Settings, store: Store, directory: RecordedDirectory
) -> None:
    token = mint(settings, "carol")
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://growqr") as client:
        head = {"Authorization": f"Bearer {token}"}
        answer = await client.post("/users/bootstrap", headers=head, json={"userId": "u_carol"})
        assert answer.status_code == 200
        assert answer.json()["user"]["id"] == "u_carol"
        assert answer.json()["agent"]["state"] == "asleep"
        assert answer.json()["stack"]["opencode"]["state"] == "absent"
        assert (await client.get("/api/v1/users/me", headers=head)).json()["name"] == "carol"
    assert await store.users.get("u_carol") is not None
    await until(lambda: [lease.key for lease in directory.woken] == ["grow-agent:u_carol"])


async def test_message_is_stored_before_the_answer(
    client: httpx.AsyncClient, store: Store, alice: User, directory: RecordedDirectory
) -> None:
    answer = await client.post("/actors/me/message", json={"text": "add a health check"})
    assert answer.status_code == 202
    accepted = answer.json()
    assert set(accepted) == {"message_id", "turn_id", "thread_id", "seq"}
    turn = (await client.get(f"/turns/{accepted['turn_id']}")).json()
    assert (turn["state"], turn["steps"]) == ("queued", [])
    agent = (await client.get(f"/actors/{alice.id}")).json()
    assert (agent["state"], agent["activity"]) == ("waking", "idle")
    assert agent["seq"] == accepted["seq"]
    assert [turn["id"] for turn in agent["unfinished"]] == [accepted["turn_id"]]
    thread = f"/threads/{accepted['thread_id']}"
    page = (await client.get(f"{thread}/messages")).json()
    assert [message["content"] for message in page["data"]] == [
        [{"type": "text", "text": "add a health check"}]
    ]
    assert page["seq"] == accepted["seq"]
    await until(lambda: directory.woken[-1:] != [])
    assert directory.woken[-1].key == names.grow_agent(alice.id)


async def test_seeds_path_takes_camel_case(client: httpx.AsyncClient, alice: User) -> None:
    thread = (await client.post("/threads", json={"title": "side"})).json()
    body = {"text": "hello", "userId": alice.id, "channelId": thread["id"]}
    answer = await client.post("http://growqr/actors/me/message", json=body)
    assert answer.status_code == 202
    assert answer.json()["thread_id"] == thread["id"]


async def test_queued_turn_is_cancelled_once(client: httpx.AsyncClient) -> None:
    turn = (await client.post("/actors/me/message", json={"text": "x"})).json()["turn_id"]
    assert (await client.post(f"/turns/{turn}/cancel")).json()["state"] == "cancelled"
    assert (await client.post(f"/turns/{turn}/cancel")).status_code == 202
    assert (await client.get(f"/turns/{turn}")).json()["finished_at"]


@pytest.mark.parametrize("path", ["/actors/me/stop", "http://growqr/actors/stop"])
async def test_stop_asks_the_owner(
    client: httpx.AsyncClient, directory: RecordedDirectory, path: str
) -> None:
    assert (await client.post(path)).status_code == 202
    await until(lambda: len(directory.stopped) == 1)


async def test_threads_are_renamed_put_away_and_found(
    client: httpx.AsyncClient, other: httpx.AsyncClient
) -> None:
    made = (await client.post("/threads", json={"title": "Garden"})).json()
    path = f"/threads/{made['id']}"

    changed = await client.patch(path, json={"title": "Kitchen", "archived": True})

    assert changed.status_code == 200
    assert (changed.json()["title"], bool(changed.json()["archived_at"])) == ("Kitchen", True)

    async def listed(**query: str) -> list[str]:
        answer = await client.get("/threads", params=query)
        return [one["title"] for one in answer.json()["data"] if one["kind"] == "thread"]

    assert await listed(q="kitch") == ["Kitchen"]
    assert await listed(archived="true") == ["Kitchen"]
    assert await listed(archived="false") == await listed(q="Garden") == []
    assert (await client.patch(path, json={})).status_code == 422
    assert (await client.get("/threads", params={"q": "a\0b"})).status_code == 422
    assert (await other.patch(path, json={"title": "x"})).status_code == 404


async def test_provisioning_ends_a_rest_after_failures(
    client: httpx.AsyncClient, store: Store, alice: User
) -> None:
    await client.post("/actors/provision")
    wanted = await store.services.get(alice.id, "opencode")
    key = names.stack(alice.id)
    fence = await store.leases.acquire(key, user_id=alice.id, holder="h", ttl=60)
    assert fence
    assert wanted
    await store.services.observe(
        fence, wanted, state="backoff", failures=3, failed_at=[wanted.used_at], retry=900
    )
    resting = (await client.get("/actors/me")).json()["stack"]["opencode"]
    assert resting["retry_at"]

    provisioned = (await client.post("/actors/provision")).json()["stack"]["opencode"]

    assert provisioned["retry_at"] is None
    assert [due.role for due in await store.services.due(10)] == ["opencode"]


async def test_lists_are_paged_without_repeats(client: httpx.AsyncClient) -> None:
    made = [(await client.post("/threads", json={"title": f"t{n}"})).json() for n in range(5)]
    seen: list[str] = []
    query: dict[str, str | int] = {"limit": 2}
    while True:
        page = (await client.get("/threads", params=query)).json()
        seen += [thread["id"] for thread in page["data"]]
        if page["next_cursor"] is None:
            break
        query["cursor"] = page["next_cursor"]
    assert len(seen) == len(set(seen)) == 6  # the master thread is one of them
    assert {thread["id"] for thread in made} < set(seen)


async def test_memory_reads_its_own_writes(client: httpx.AsyncClient) -> None:
    put = await client.put("/memory/plans/launch.md", json={"content": "Friday"})
    assert put.status_code == 200
    assert put.json() == {
        "path": "plans/launch.md", "content": "Friday", "version": put.json()["version"],
        "commit": None, "pending": True,
    }  # fmt: skip
    assert (await client.get("/memory/plans/launch.md")).json()["content"] == "Friday"
    listed = (await client.get("/memory", params={"prefix": "plans/"})).json()["data"]
    assert [(file["path"], file["size"]) for file in listed] == [("plans/launch.md", 6)]
    found = (await client.get("/memory-search", params={"q": "friday"})).json()["data"]
    assert "Friday" in found[0]["snippet"]
    assert (await client.delete("/memory/plans/launch.md")).json()["content"] is None
    assert (await client.get("/memory/plans/launch.md")).status_code == 404
    assert (await client.delete("/memory/plans/launch.md")).status_code == 404
    history = (await client.get("/memory/plans/launch.md/history")).json()["data"]
    assert [commit["removed"] for commit in history] == [True, False]


async def test_write_waits_for_the_commit_id(
    client: httpx.AsyncClient, store: Store, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("growqr.api.routes.memory.COMMIT_SECONDS", 5.0)
    writing = asyncio.create_task(client.put("/memory/a.md", json={"content": "x"}))

    async def accepted() -> bool:
        return bool(await store.memory.pending(alice.id))

    await until(accepted)
    fence = await store.leases.acquire(
        names.memory(alice.id), user_id=alice.id, holder="test", ttl=10
    )
    assert fence is not None
    [row] = await store.memory.pending(alice.id)
    await store.memory.projected(fence, alice.id, [(row, "c" * 40)])
    assert (await writing).json() == {
        "path": "a.md", "content": "x", "version": row.id, "commit": "c" * 40, "pending": False,
    }  # fmt: skip


async def test_operations_need_no_token(app: FastAPI) -> None:
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://growqr") as client:
        for path in ("/livez", "/readyz", "/health", "/version", "/openapi.json", "/docs"):
            assert (await client.get(path)).status_code == 200, path
