"""Texts and paths that mean something to a database, a shell, git or a file system."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import psycopg
import pytest

from growqr.identity import mint
from growqr.store import User
from tests.attack.house import House, problem
from tests.attack.raw import spoken
from tests.attack.things import FILE, everything
from tests.attack.walk import Operation, operations

pytestmark = pytest.mark.anyio

PATHS = (
    "../x", "/etc/passwd", "a/../../x", ".git/config", ".GIT/hooks/x", "a\\..\\b", "%2e%2e/x",
    "%2e%2e%2fx", "..%2fx", "a%00b", "-rf", "a//b", "a/./b", ".git ", "GIT~1/config", "a/.git/x",
    "a%0ab", "%ff", "CON:", "x" * 501, "~/x", "a/b.", "%c0%ae%c0%ae/x", "\u202ex", "a/",
)  # fmt: skip
"""As they stand behind /memory/ in the request line; what is not ASCII there is encoded."""


async def test_59_memory_paths_that_lead_elsewhere(ours: House, alice: User) -> None:
    token = mint(ours.settings, alice.subject)
    her = await ours.person(alice)
    before = {str(file) for file in ours.settings.data.rglob("*")}
    for path in PATHS:
        line = quote(path, safe="/%~:\\ ").replace(" ", "%20").replace("\\", "%5C")
        for method, end in (("GET", ""), ("PUT", ""), ("DELETE", ""), ("GET", "/history")):
            told = await spoken(ours.urls[0], _request(method, f"/memory/{line}{end}", token))
            assert told.split(" ")[1] in ("404", "405", "422"), f"{method} {line}: {told[:300]}"
    assert (await her.get("/memory")).json()["data"] == []
    assert {str(file) for file in ours.settings.data.rglob("*")} == before
    answer = await her.put("/memory/a/b c.md", json={"content": "x"})
    assert answer.status_code == 200


async def test_59_twin_links_that_an_agent_has_made(ours: House, alice: User, bob: User) -> None:
    await everything(ours, alice)
    her, settings = await ours.person(alice), ours.settings
    work, secret = settings.workspace(alice.id), settings.secrets / "instance.key"
    _links(work, secret, settings.workspace(bob.id))
    for path in ("link", "folder/instance.key", "up/x", "proc/environ", "pipe", "hard/../link"):
        assert (await her.get(f"/files/{path}")).status_code in (404, 422), path
    for path in ("..%2f..%2fsecrets%2finstance.key", "%2e%2e/x", f"%2f{secret}", "a%00b"):
        told = await spoken(ours.urls[0], _request("GET", f"/files/{path}", mint(
            settings, alice.subject)))  # fmt: skip
        assert told.split(" ")[1] in ("404", "422"), told[:300]
        assert secret.read_text() not in told
    for folder in ("folder", "up", "..", "/etc", "folder/..", "%00"):
        answer = await her.get("/files", params={"folder": folder})
        assert answer.status_code in (404, 422) or "instance.key" not in answer.text, folder
    assert (await her.get(f"/files/{FILE}")).status_code == 200


def _links(work: Any, secret: Any, other: Any) -> None:
    other.mkdir(parents=True, exist_ok=True)
    (other / "x").write_text("bob's")
    (work / "link").symlink_to(secret)
    (work / "folder").symlink_to(secret.parent)
    (work / "up").symlink_to(other)
    (work / "proc").symlink_to("/proc/self")
    os.mkfifo(work / "pipe")


SQL = (
    "'", '"', "'; drop table users; --", "' or '1'='1", "\x00", "a\x00b", "%s %(x)s {0} $1",
    "\\", "\udcff", "\ud800", "1; select pg_sleep(9)", "\u202e\U0001f600", "x" * 70_000,
)  # fmt: skip


async def test_61_sql_in_every_text_of_every_route(
    ours: House, alice: User, database_url: str
) -> None:
    hers = await everything(ours, alice)
    token = mint(ours.settings, alice.subject)
    her, tables = await ours.person(alice), await _tables(database_url)
    tried, failed = 0, []
    for one in operations(ours.apps[0]):
        for where, method, url, body in _with_sql(one, hers.of(one), ours):
            request = her.build_request(method, url, **body)
            answer = await her.send(request, stream=True)
            if answer.status_code >= 429:
                failed.append(f"{answer.status_code}: {one} in {where}")
            await answer.aclose()
            tried += 1
    assert failed == []
    assert tried > 500
    assert await _tables(database_url) == tables
    for header in (b"Last-Event-ID", b"Idempotency-Key", b"Content-Type", b"X-Request-Id",
                   b"User-Agent", b"Cookie", b"Origin", b"Host"):  # fmt: skip
        for text in (b"'; drop table users; --", b"\xff\xfe", b"%s", b'"'):
            told = await spoken(ours.urls[0], _request("POST", "/threads", token).replace(
                b"\r\n\r\n", b"\r\n" + header + b": " + text + b"\r\n\r\n", 1))  # fmt: skip
            assert told.split(" ")[1] < "500", f"{header!r} {text!r}: {told[:300]}"
    said = "Robert'); drop table users;--"
    answer = await her.post("/threads", json={"title": said})
    assert answer.json()["title"] == said


def _with_sql(
    operation: Operation, ids: dict[str, str], ours: House
) -> Iterator[tuple[str, str, str, dict[str, Any]]]:
    """(where, method, url, more) of requests that have one text each replaced."""
    method, body, api = operation.method, operation.body, "/api/v1"
    given: dict[str, Any] = {} if body is None else {"json": body}
    for text in SQL:
        short = text[:3000].encode("utf-8", "surrogatepass")
        for name in operation.ids:
            path = operation.path.replace("{%s}" % name, quote(short, safe=""))  # noqa: UP031
            url = path.format(**ids).removeprefix(api)
            yield f"{name}={text!r:.30}", method, url, given
        for parameter in operation.spec.get("parameters", ()):
            if parameter["in"] == "query":
                query = f"?{parameter['name']}={quote(short, safe='')}"
                yield query[:30], method, operation.url(ids) + query, given
        for name in _texts(operation, ours):
            raw = json.dumps((body or {}) | {name: [text] if name == "scopes" else text})
            sent = {"content": raw.encode(), "headers": {"Content-Type": "application/json"}}
            yield f"{name}: {text!r:.30}", method, operation.url(ids), sent


def _texts(operation: Operation, ours: House) -> list[str]:
    """Names of the body's fields, whatever they are to hold."""
    if operation.body is None:
        return []
    schemas = ours.apps[0].openapi()["components"]["schemas"]
    schema = operation.spec["requestBody"]["content"]["application/json"]["schema"]
    while "properties" not in schema:
        schema = schema["anyOf"][0] if "anyOf" in schema else schema
        schema = schemas[schema["$ref"].rpartition("/")[2]]
    return list(schema["properties"])


async def _tables(database_url: str) -> int:
    async with await psycopg.AsyncConnection.connect(database_url) as conn:
        counted = await conn.execute(
            "select count(*) from information_schema.tables where table_schema = current_schema()"
        )
        [(count,)] = await counted.fetchall()
        return int(count)


def _request(method: str, path: str, token: str) -> bytes:
    body = '{"content": "x"}' if method == "PUT" else "{}"
    return (
        f"{method} /api/v1{path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n{body}"
    ).encode()


async def test_61_twin_bad_ids_are_not_there_and_never_fail(ours: House, alice: User) -> None:
    her = await ours.person(alice)
    problem(await her.delete("/api-keys/%00"), 404)
    problem(await her.patch("/admin/users/%00", json={"role": "member"}), 404)
    assert (await her.get("/users/me")).status_code == 200
