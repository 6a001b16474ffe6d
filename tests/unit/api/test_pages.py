"""The pages: which addresses are theirs, how they are cached, and that the api keeps its own."""

from __future__ import annotations

import re
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from growqr.api import pages
from growqr.api.pages import PAGE
from growqr.config import Settings
from growqr.errors import Forbidden
from growqr.store import Store
from tests.unit.api.doors import coming, door

pytestmark = pytest.mark.anyio

HTML = {"accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


@pytest.fixture(autouse=True)
def built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where a build would be. There is none, whatever was built beside the tests."""
    monkeypatch.setattr(pages, "BUILT", tmp_path / "_web")
    return tmp_path / "_web"


@pytest.fixture
async def anybody(app: FastAPI) -> httpx.AsyncClient:
    """Without an account."""
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://growqr")


@pytest.mark.parametrize("path", ["/", "/app", "/app/", "/app/sign-in", "/app/a/b", "/app/x.html"])
async def test_the_page_stands_at_its_addresses(anybody: httpx.AsyncClient, path: str):
    found = await anybody.get(path, headers=HTML)
    assert found.status_code == 200
    assert found.headers["content-type"].startswith("text/html")
    assert found.headers["cache-control"] == "no-cache"
    assert "<title>growqr</title>" in found.text
    policy = found.headers["content-security-policy"]
    assert "script-src 'self';" in policy
    assert "frame-ancestors 'none'" in policy
    head = await anybody.head(path, headers=HTML)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == found.headers["content-length"]


@pytest.mark.parametrize(
    "path", ["/api/v1/nothing", "/api/nothing", "/api", "/nothing", "/assets/nothing.js",
             "/app/assets/nothing.js", "/app/assets/", "/app/assets/../../pages.py",
             "/app/assets/..%2f..%2fpages.py", "/app/assets/%00"],
)  # fmt: skip
async def test_elsewhere_there_is_a_problem_even_for_browsers(
    anybody: httpx.AsyncClient, path: str
):
    found = await anybody.get(path, headers=HTML)
    assert found.status_code == 404
    assert found.json()["code"] == "not_found"


@pytest.mark.parametrize("path", ["/", "/app", "/app/sign-in"])
async def test_programs_get_no_page(anybody: httpx.AsyncClient, path: str):
    for accept in ("*/*", "application/json"):
        found = await anybody.get(path, headers={"accept": accept})
        assert (found.status_code, found.json()["code"]) == (404, "not_found")
    posted = await anybody.post(path, headers=HTML)
    assert (posted.status_code, posted.json()["code"]) == (405, "method_not_allowed")
    assert set(posted.headers["allow"].split(", ")) == {"GET", "HEAD"}


async def test_what_a_browser_has_is_not_sent_again(anybody: httpx.AsyncClient):
    for path in ("/app", "/app/assets/sign_in.js", "/assets/style.css"):
        first = await anybody.get(path, headers=HTML)
        again = await anybody.get(path, headers=HTML | {"if-none-match": first.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["cache-control"] == "no-cache"
        # It would replace the policy that came with the page.
        assert "content-security-policy" not in again.headers


@pytest.mark.parametrize("path", ["/app", "/docs"])
async def test_a_page_names_nothing_that_is_missing_or_elsewhere(
    anybody: httpx.AsyncClient, path: str
):
    text = (await anybody.get(path, headers=HTML)).text
    parts = re.findall(r'(?:src|href)="(/app/[^"]+)"', text)
    assert len(parts) >= 3
    for path in parts:
        assert (await anybody.get(path)).status_code == 200, path
    assert "//" not in text
    assert "<script>" not in text
    assert not re.search(r" on[a-z]+=", text)


async def test_a_built_interface_takes_its_place(built: Path):
    assert pages.folder() == PAGE
    (built / "assets").mkdir(parents=True)
    (built / "index.html").write_text("<!doctype html>built")
    (built / "docs.html").write_text("<!doctype html>the API")
    (built / "favicon.svg").write_text("<svg/>")
    (built / "assets" / "index-Ab3_x9Zq.js").write_text("1")
    app = FastAPI(docs_url=None)
    app.include_router(pages.pages())
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://growqr", headers=HTML
    ) as client:
        assert (await client.get("/app/threads/1")).text == "<!doctype html>built"
        assert (await client.get("/docs")).text == "<!doctype html>the API"
        assert (await client.get("/app/favicon.svg")).text == "<svg/>"
        for path in ("/assets/index-Ab3_x9Zq.js", "/app/assets/index-Ab3_x9Zq.js"):
            found = await client.get(path)
            assert found.headers["cache-control"] == "public, max-age=31536000, immutable"
        # Ours is still there for what the api itself shows to browsers.
        assert (await client.get("/app/assets/style.css")).status_code == 200


async def test_the_instance_serves_what_was_built(settings: Settings, store: Store, built: Path):
    (built / "assets").mkdir(parents=True)
    (built / "index.html").write_text("<!doctype html>built")
    (built / "assets" / "index-Ab3_x9Zq.js").write_text("1")
    async with door(settings, store) as app, coming(app, base="http://growqr") as anybody:
        anybody.base_url = httpx.URL("http://growqr")
        for path in ("/", "/app", "/app/sign-in", "/app/settings"):
            found = await anybody.get(path, headers=HTML)
            assert (found.status_code, found.text) == (200, "<!doctype html>built"), path
            assert found.headers["cache-control"] == "no-cache"
            assert "frame-ancestors 'none'" in found.headers["content-security-policy"]
        assert (await anybody.get("/assets/index-Ab3_x9Zq.js")).text == "1"
        assert (await anybody.get("/api/v1/nothing", headers=HTML)).status_code == 404


def test_trouble_is_told_on_a_page_that_holds_no_markup_of_others():
    refused = Forbidden("you are <b>not</b> invited", {"rule": "gate"})
    told = pages.trouble("Signing in did not work", refused, "req_1")
    text = bytes(told.body).decode()
    assert told.status_code == 403
    assert "You are &lt;b&gt;not&lt;/b&gt; invited." in text
    assert "req_1" in text
