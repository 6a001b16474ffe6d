"""Whatever comes in: a problem document with its status, never a 500, nothing lost."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from growqr.api import envelope
from growqr.config import Settings
from growqr.errors import StoreUnavailable
from growqr.identity import mint
from growqr.store import Store, User

pytestmark = pytest.mark.anyio

JSON = {"content-type": "application/json"}
DEEP = b'{"text":' + b"[" * 5000 + b"]" * 5000 + b"}"


def problem(answer: httpx.Response, status: int) -> dict[str, Any]:
    assert answer.status_code == status, f"{answer.request.url!s:.200}: {answer.text:.300}"
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"] == "no-store"
    body: dict[str, Any] = answer.json()
    assert body["status"] == status
    assert body["type"] == f"https://growqr.dev/problems/{body['code']}"
    assert body["request_id"] == answer.headers["x-request-id"]
    return body


BODIES: dict[str, tuple[bytes, int]] = {
    "broken": (b'{"text": "x', 422),
    "not json at all": (b"\xff\xfe\x00", 422),
    "nothing": (b"", 422),
    "a list": (b"[]", 422),
    "a number": (b'{"text": 7}', 422),
    "a huge number": (b'{"text": ' + b"9" * 5000 + b"}", 422),
    "not a number": (b'{"text": NaN}', 422),
    "no text": (b"{}", 422),
    "empty text": (b'{"text": ""}', 422),
    "blank text": (b'{"text": " \\n\\t "}', 422),
    "300 kB": (b'{"text": "' + b"x" * 300_000 + b'"}', 422),
    "300 kB in 150,000 characters": (json.dumps({"text": "é" * 150_000}).encode(), 422),
    "2 MiB": (b'{"text": "' + b"x" * 2_097_152 + b'"}', 413),
    "NUL": (b'{"text": "a\\u0000b"}', 422),
    "lone surrogate": (b'{"text": "a\\ud800b"}', 422),
    "lone surrogate as a name": (b'{"text": "x", "\\ud800": 1}', 422),
    "unknown field": (b'{"text": "x", "epoch": 7}', 422),
    "role": (b'{"text": "x", "role": "assistant"}', 422),
    "deep": (DEEP, 422),
    "deep in brackets of both kinds": (b'{"a":[' * 20_000, 422),
    "unknown thread": (b'{"text": "x", "thread_id": "thr_' + b"0" * 32 + b'"}', 404),
    "thread of no form": (b'{"text": "x", "thread_id": "\' or 1=1 --"}', 404),
    "thread with NUL": (b'{"text": "x", "thread_id": "thr_\\u0000"}', 422),
    "someone else": (b'{"text": "x", "userId": "u_bob"}', 404),
}


async def test_bad_message_is_a_problem(client: httpx.AsyncClient) -> None:
    for name, (body, status) in BODIES.items():
        for url in ("/actors/me/message", "http://growqr/actors/me/message"):
            answer = await client.post(url, content=body, headers=JSON)
            assert answer.status_code == status, f"{name}: {answer.text:.300}"
            found = problem(answer, status)
            assert len(answer.content) < 8000, f"{name}: the input is sent back"
        if name == "broken":
            assert found["errors"][0]["type"] == "json_invalid"
    assert (await client.get("/actors/me")).json()["seq"] == 0, "nothing was written"


async def test_good_messages_of_odd_letters_are_kept(client: httpx.AsyncClient) -> None:
    for text in ("Robert'); drop table users;--", "\u202e\U0001f600 %s %(x)s {0}", "[" * 4000):
        answer = await client.post("/actors/me/message", json={"text": text})
        assert answer.status_code == 202, answer.text
        messages = f"/threads/{answer.json()['thread_id']}/messages"
        page = (await client.get(messages, params={"limit": 200})).json()
        assert page["data"][-1]["content"][0]["text"] == text


async def test_endless_body_is_cut_while_it_comes(client: httpx.AsyncClient) -> None:
    sent = 0

    async def body() -> AsyncIterator[bytes]:
        nonlocal sent
        for _ in range(11 * 16):
            sent += 65_536
            yield b"x" * 65_536

    answer = await client.post("/actors/me/message", content=body(), headers=JSON)
    assert problem(answer, 413)["code"] == "too_large"
    assert sent < 1_300_000


PATHS = [
    "/actors/u_nobody", "/actors/%00", "/actors/'%20or%201=1", "/actors/u_nobody/events",
    "/threads/x", "/threads/%00", "/threads/thr_0000", "/threads/thr_" + "0" * 32,
    "/threads/thr_" + "0" * 32 + "/messages", "/threads/thr_" + "0" * 32 + "/events",
    "/threads/msg_" + "0" * 32, "/turns/trn_" + "0" * 32, "/turns/%F0%9F", "/turns/..%2f..",
    "/memory/never", "/memory/a%0ab", "/memory/never/history", "/nothing", "/threads/",
]  # fmt: skip


async def test_unknown_things_are_404(client: httpx.AsyncClient) -> None:
    for path in PATHS:
        problem(await client.get(path), 404)


MEMORY = [
    "%2e%2e%2fx", "a/%2e%2e/%2e%2e/x", "%2fetc/passwd", ".git/config", ".GIT/hooks/x",
    "a%5C..%5Cb", "a%00b", "-rf", "x" * 3000, "%ff", "GIT~1/config",
]  # fmt: skip


async def test_memory_paths_stay_inside(client: httpx.AsyncClient) -> None:
    for path in MEMORY:
        problem(await client.get(f"/memory/{path}"), 422)
        problem(await client.put(f"/memory/{path}", json={"content": "x"}), 422)
        problem(await client.delete(f"/memory/{path}"), 422)
        problem(await client.get(f"/memory/{path}/history"), 422)
    assert (await client.get("/memory")).json()["data"] == []


QUERIES = [
    "/threads?limit=0", "/threads?limit=201", "/threads?limit=x", "/threads?cursor=%00",
    "/threads?cursor=bm9wZQ", "/threads?cursor=WyJwYXRoIiwieCJd", "/threads?cursor=é",
    "/memory?cursor=WyJwYXRoIixbXV0", "/memory?prefix=%00", "/memory-search?q=",
    "/memory-search?q=%20", "/memory-search", "/memory-search?q=a%00b",
    "/memory?cursor=" + "W1tb" * 200, "/memory?cursor=WyJwYXRoIiwiYVx1MDAwMGIiXQ",
    "/actors/me/events?after=-1", "/actors/me/events?after=x", "/actors/me/events?after=",
    "/actors/me/events?after=99999999999999999999", "/actors/me/events?after=%D9%A1",
]  # fmt: skip


async def test_bad_queries_are_422(client: httpx.AsyncClient) -> None:
    for query in QUERIES:
        problem(await client.get(query), 422)


async def test_odd_searches_find_nothing(client: httpx.AsyncClient) -> None:
    for words in ("'", "a & | !b <-> (", ":*", "\\", "%", "\U0001f600", "x" * 500):
        answer = await client.get("/memory-search", params={"q": words})
        assert (answer.status_code, answer.json()["data"]) == (200, [])
    for prefix in ("'", "%", "_", "\\"):
        answer = await client.get("/memory", params={"prefix": prefix})
        assert answer.status_code == 200


async def test_other_methods_and_headers(client: httpx.AsyncClient) -> None:
    for path, methods in (("/threads", "GET, POST"), ("/memory/a/b.md", "DELETE, GET, PUT")):
        for place in (path, f"http://growqr{path}"):
            answer = await client.request("OPTIONS", place)
            problem(answer, 405)
            assert answer.headers["allow"] == methods
    for key in ("", "x" * 256, "a\tb", "é"):
        head = {"Idempotency-Key": key.encode()}
        for path, body in (("/actors/me/message", {"text": "x"}), ("/threads", {"title": "x"})):
            problem(await client.post(path, json=body, headers=head), 422)  # type: ignore[arg-type]
    answer = await client.get("/nothing", headers={"x-request-id": "from-the-ingress"})
    assert problem(answer, 404)["request_id"] == "from-the-ingress"
    answer = await client.get("/nothing", headers={"x-request-id": "a b\x7f"})
    assert problem(answer, 404)["request_id"].startswith("req_")


def routes(app: FastAPI) -> Iterator[tuple[str, str]]:
    for path, methods in app.openapi()["paths"].items():
        for method, operation in methods.items():
            if "security" in operation:
                yield method.upper(), path


async def test_every_route_wants_a_token_before_all_else(app: FastAPI, alice: User) -> None:
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://growqr") as client:
        found = list(routes(app))
        assert len(found) > 20
        for method, path in found:
            url = path.replace("{user}", alice.id)
            for place in (url, url.removeprefix("/api/v1")):
                answer = await client.request(method, place, content=b"{broken", headers=JSON)
                body = problem(answer, 401)
                assert answer.headers["www-authenticate"] == "Bearer"
                assert body["detail"] == "A valid bearer token is required."


async def test_token_in_the_query_is_none(app: FastAPI, settings: Settings) -> None:
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://growqr") as client:
        token = mint(settings, "alice")
        problem(await client.get(f"/users/me?token={token}&access_token={token}"), 401)


async def test_nothing_of_another_user_is_there(
    client: httpx.AsyncClient, other: httpx.AsyncClient, alice: User
) -> None:
    word = "xylograph"
    accepted = (await client.post("/actors/me/message", json={"text": word})).json()
    thread = (await client.post("/threads", json={"title": word})).json()["id"]
    await client.put(f"/memory/{word}.md", json={"content": word})
    for path in (
        f"/actors/{alice.id}", f"/actors/{alice.id}/events", f"/threads/{thread}",
        f"/threads/{thread}/messages", f"/threads/{thread}/events",
        f"/threads/{accepted['thread_id']}/messages", f"/turns/{accepted['turn_id']}",
        f"/memory/{word}.md", f"/memory/{word}.md/history",
    ):  # fmt: skip
        problem(await other.get(path), 404)
    unknown = problem(await other.get("/actors/u_nobody"), 404)
    foreign = problem(await other.get(f"/actors/{alice.id}"), 404)
    assert unknown | {"request_id": ""} == foreign | {"request_id": ""}
    for path in ("/threads", "/memory", f"/memory-search?q={word}", "/actors/me", "/users/me"):
        answer = await other.get(path)
        assert answer.status_code == 200
        assert word not in answer.text.replace(f"q={word}", "")
    for method, path, body in (
        ("POST", f"/actors/{alice.id}/message", {"text": "x"}),
        ("POST", f"/actors/{alice.id}/start", None),
        ("POST", f"/actors/{alice.id}/stop", None),
        ("POST", f"/turns/{accepted['turn_id']}/cancel", None),
        ("POST", "/actors/me/message", {"text": "x", "thread_id": thread}),
        ("POST", "/actors/me/message", {"text": "x", "userId": alice.id}),
        ("POST", "/actors/provision", {"userId": alice.id}),
        ("POST", "/users/bootstrap", {"user_id": alice.id}),
        ("DELETE", f"/memory/{word}.md", None),
    ):
        problem(await other.request(method, path, json=body), 404)
    assert (await client.get(f"/turns/{accepted['turn_id']}")).json()["state"] == "queued"
    assert (await client.get(f"/memory/{word}.md")).json()["content"] == word


async def test_database_away_is_503_and_comes_back(
    app: FastAPI, client: httpx.AsyncClient, store: Store, settings: Settings
) -> None:
    assert (await client.get("/users/me")).status_code == 200
    away = Store("postgresql://growqr@127.0.0.1:9/growqr", 2)
    async with away:
        app.state.context.store = away
        started = asyncio.get_running_loop().time()
        answers = await asyncio.gather(
            client.get("/users/me"),
            client.post("/actors/me/message", json={"text": "x"}),
            client.get("http://growqr/readyz"),
        )
        assert asyncio.get_running_loop().time() - started < 3.5
        for answer in answers:
            assert problem(answer, 503)["code"] == StoreUnavailable.code
            assert int(answer.headers["retry-after"]) <= 3
        app.state.context.store = store
    assert (await client.get("/users/me")).status_code == 200


async def test_unknown_failure_and_slow_answer_are_problems(
    app: FastAPI, client: httpx.AsyncClient, caplog: Any
) -> None:
    @app.get("/broken")
    async def broken() -> None:
        raise RuntimeError("bad luck with postgresql://root:hunter2@db and Bearer eyJhbGciOi.x.y")

    @app.get("/slow")
    async def slow() -> None:
        await asyncio.Event().wait()

    answer = problem(await client.get("http://growqr/broken"), 500)
    assert answer["code"] == "internal"
    assert "luck" not in str(answer)
    assert "bad luck" in caplog.text
    assert answer["request_id"] in caplog.text
    assert "hunter2" not in caplog.text
    assert "eyJhbGciOi" not in caplog.text
    quick = envelope.Envelope(app, app.state.context.settings, deadline=0.1)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(quick)) as impatient:
        answer = problem(await impatient.get("http://growqr/slow"), 503)
        assert "0.1 s" in answer["detail"]
