"""API keys at the door: shown once, held to their scopes, gone at once when revoked."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from growqr import names
from growqr.config import Settings
from growqr.identity import read_key
from growqr.identity.policy import GROUPS, PERSONAL
from growqr.store import Store, User
from tests.rows import rows
from tests.unit.api.conftest import until
from tests.unit.api.doors import coming, door, refusal

pytestmark = pytest.mark.anyio

ALL = {"name": "all", "scopes": ["read", "write"]}


async def made(client: httpx.AsyncClient, *scopes: str, **more: Any) -> dict[str, Any]:
    answer = await client.post("/api-keys", json={"name": "ci", "scopes": list(scopes)} | more)
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


def routes(app: FastAPI, *, writes: bool | None = None) -> list[tuple[str, str, str]]:
    """(group, method, path) of every route for known callers; streams are left out."""
    found = []
    for path, operations in app.openapi()["paths"].items():
        for method, operation in operations.items():
            if "security" not in operation or "text/event-stream" in str(operation):
                continue
            if writes in (None, method != "get"):
                place = re.sub(r"\{(user|workspace_id)\}", "me", path.removeprefix("/api/v1"))
                found.append((operation["tags"][0], method.upper(), re.sub(r"\{\w+\}", "x", place)))
    return found


async def test_a_key_is_shown_once(
    app: FastAPI, client: httpx.AsyncClient, other: httpx.AsyncClient, alice: User
) -> None:
    shown = await made(client, "write", "read", "read", expires_in_days=2, day_tokens=9)
    key = shown.pop("key")
    assert read_key(key)
    assert key.startswith(shown["prefix"] + "_")
    assert (shown["scopes"], shown["day_tokens"]) == (["read", "write"], 9)
    lasts = datetime.fromisoformat(shown["expires_at"]) - datetime.now(UTC)
    assert lasts == pytest.approx(timedelta(days=2), abs=timedelta(minutes=1))
    assert (await client.get("/api-keys")).json()["data"] == [shown]
    assert (await other.get("/api-keys")).json()["data"] == []
    refusal(await other.delete(f"/api-keys/{shown['id']}"), 404)
    async with coming(app, authorization=f"Bearer {key}") as program:
        assert (await program.get("/users/me")).json()["id"] == alice.id


@pytest.mark.parametrize(
    "wrong",
    [
        {"scopes": []}, {"scopes": ["all"]}, {"scopes": ["memory"]}, {"scopes": ["admin:read"]},
        {"scopes": ["nothing:read"]}, {"scopes": ["memory:read\n"]}, {"scopes": [":read"]},
        {"expires_in_days": 0}, {"expires_in_days": 4000}, {"day_tokens": 0}, {"name": " "},
        {"user_id": "u_somebody_else"},
    ],
)  # fmt: skip
async def test_what_cannot_be_a_key_is_refused(
    client: httpx.AsyncClient, wrong: dict[str, Any]
) -> None:
    answer = await client.post("/api-keys", json=ALL | wrong)
    assert answer.status_code == (404 if "user_id" in wrong else 422), answer.text


async def test_each_group_has_its_scopes(app: FastAPI, client: httpx.AsyncClient) -> None:
    reads = {group: path for group, _, path in routes(app, writes=False) if group in GROUPS}
    assert len(reads) >= 10
    for group in reads:
        key = (await made(client, f"{group}:read"))["key"]
        async with coming(app, authorization=f"Bearer {key}") as program:
            for other, path in reads.items():
                answer = await program.get(path)
                if other == group:
                    assert answer.status_code != 403, answer.text
                else:
                    assert refusal(answer, 403, "scope")["needs"] == f"{other}:read"


async def test_a_key_that_reads_writes_nothing(app: FastAPI, client: httpx.AsyncClient) -> None:
    key = (await made(client, "read"))["key"]
    writes = routes(app, writes=True)
    assert len(writes) >= 30
    async with coming(app, authorization=f"Bearer {key}") as program:
        for group, method, path in writes:
            answer = await program.request(method, path, json={})
            refusal(answer, 403, "no_keys_here" if group in PERSONAL else "scope")
        assert (await program.get("/threads")).status_code == 200


async def test_no_key_makes_keys_or_lets_anybody_in(
    app: FastAPI, client: httpx.AsyncClient, store: Store, alice: User
) -> None:
    key = (await made(client, "read", "write"))["key"]
    closed = [route for route in routes(app) if route[0] in PERSONAL]
    assert {group for group, _, _ in closed} == PERSONAL
    async with coming(app, authorization=f"Bearer {key}") as program:
        for _, method, path in closed:
            refusal(await program.request(method, path, json={}), 403, "no_keys_here")
        refusal(await program.post("/auth/exchange", json={}), 401)
        assert (await program.post("/threads", json={"title": "t"})).status_code == 201

    async def noted() -> bool:
        return len(await store.audit.list(limit=99, who=alice.id, what="auth.")) == 2  # read, write

    await until(noted)
    [entry, *_] = await store.audit.list(limit=1, what="auth.")
    assert (entry.outcome, entry.rule) == ("refused", "no_keys_here")
    assert entry.via == f"api_key:{read_key(key).id}"


async def test_a_key_ends_with_its_time_and_with_its_owners_word_everywhere(
    app: FastAPI, settings: Settings, database_url: str, client: httpx.AsyncClient
) -> None:
    late, revoked = await made(client, "read", expires_in_days=1), await made(client, "read")
    async with (
        Store(database_url, 2) as far,
        door(settings, far) as second,
        coming(second, authorization=f"Bearer {late['key']}") as first,
        coming(second, authorization=f"Bearer {revoked['key']}") as other,
    ):
        for program in (first, other):
            assert (await program.get("/threads")).status_code == 200
        await rows(database_url, "update api_key set expires_at = expires_at - interval '1 day'")
        refusal(await first.get("/threads"), 401)
        for _ in range(2):
            assert (await client.delete(f"/api-keys/{revoked['id']}")).status_code == 204
            refusal(await other.get("/threads"), 401)
    refusal(await client.delete("/api-keys/nothing"), 404)


async def test_when_it_was_used_is_seen(
    app: FastAPI, database_url: str, client: httpx.AsyncClient
) -> None:
    key = await made(client, "read")

    async def used() -> str | None:
        async with coming(app, authorization=f"Bearer {key['key']}") as program:
            assert (await program.get("/threads")).status_code == 200
        [listed] = (await client.get("/api-keys")).json()["data"]
        return str(listed["used_at"])

    assert key["used_at"] is None
    first = await used()
    assert await used() == first
    await rows(database_url, "update api_key set used_at = used_at - interval '61 seconds'")
    assert await used() > first


async def test_a_repeated_request_makes_no_second_key_and_leaves_no_secret(
    database_url: str, client: httpx.AsyncClient, other: httpx.AsyncClient
) -> None:
    head = {"Idempotency-Key": "once"}
    first = await client.post("/api-keys", json=ALL, headers=head)
    assert first.status_code == 201
    for body in (ALL, ALL | {"name": "another"}):
        again = await client.post("/api-keys", json=body, headers=head)
        assert "shown once" in refusal(again, 409)["detail"]
    assert (await other.post("/api-keys", json=ALL, headers=head)).status_code == 201
    assert len((await client.get("/api-keys")).json()["data"]) == 1
    secret = first.json()["key"].split("_")[2]
    for table in ("idempotency", "audit", "api_key", "event"):
        assert secret not in str(await rows(database_url, f"select t::text from {table} t"))


async def test_turns_asked_with_a_key_keep_it(
    app: FastAPI, database_url: str, client: httpx.AsyncClient, store: Store, alice: User
) -> None:
    key = await made(client, "write")
    agent = await store.sub_agents.spawn(alice.id, "coding", actor="t")
    asks = [
        ("/actors/me/message", {"text": "hello"}),
        (f"/actors/me/sub-agents/{agent.id}/run", {"prompt": "do it"}),
        (f"/opencode/sessions/{agent.id}/messages", {"prompt": "do it"}),
    ]
    async with coming(app, authorization=f"Bearer {key['key']}") as program:
        for who, kept in ((program, key["id"]), (client, None)):
            for path, body in asks:
                answer = await who.post(path, json=body)
                assert answer.status_code == 202, answer.text
                turn = answer.json()["turn_id"]
                found = await rows(database_url, "select api_key from turn where id = %s", turn)
                assert found == [(kept,)]


async def test_a_key_allows_no_more_budget(
    app: FastAPI, database_url: str, client: httpx.AsyncClient, store: Store, alice: User
) -> None:
    key = await made(client, "write", day_tokens=5)
    turn = (await store.messages.accept(alice.id, "hello", api_key=key["id"])).turn_id
    scopes = (f"key:{key['id']}:2026-11-26", f"day:2026-11-26:{alice.id}", f"turn:{turn}")
    async with coming(app, authorization=f"Bearer {key['key']}") as program:
        for scope in scopes:
            decision = names.new_id("dec")
            await rows(
                database_url,
                "insert into decision (id, user_id, thread_id, turn_id, kind, asked, expires_at)"
                " select %s, user_id, thread_id, id, 'budget', jsonb_build_object('scope',"
                " %s::text), clock_timestamp() + interval '1 hour' from turn where id = %s",
                decision, scope, turn,
            )  # fmt: skip
            say = (f"/approvals/{decision}", {"decision": "approve"})
            refusal(await program.post(say[0], json=say[1]), 403, "no_keys_here")
            assert (await client.post(say[0], json=say[1])).status_code == 200
