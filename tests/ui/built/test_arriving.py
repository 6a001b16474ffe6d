"""From `growqr link` into the built pages, with the offline model; and out again, everywhere."""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from playwright.sync_api import Response, expect

from tests.instances import Instance
from tests.ui.built.conftest import TOOLS, Meet
from tests.ui.built.screens import Chat
from tests.ui.conftest import Visitor

SINCE_LOAD = "performance.now() - performance.getEntriesByType('navigation')[0].loadEventEnd"
NEEDED = ("document", "script", "stylesheet")
BUNDLE = 300_000
"""Bytes, compressed, of all that the first screen needs."""


@pytest.fixture(scope="module")
def offline(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    """As it is started by `growqr up` where no key of a provider is: two replicas."""
    more = {"GROWQR_API_REPLICAS": "2", "GROWQR_TOOLS": str(TOOLS)}
    up = Instance(tmp_path_factory.mktemp("i") / "data", **more)
    up.up()
    yield up
    up.down()


def test_from_growqr_link_to_signed_out_everywhere(offline: Instance, visitor: Visitor):
    printed = offline.command("link", "--user", "anna")
    assert printed.returncode == 0, printed.stderr
    page, other = visitor.page, visitor.tab()
    page.goto(printed.stdout.strip())
    phases = page.get_by_role("list", name="Phases").get_by_role("listitem")
    expect(phases).to_have_count(4)
    for phase in phases.all():
        expect(phase.get_by_text("done", exact=True)).to_be_attached(timeout=60_000)
    page.get_by_role("link", name="Begin").click()
    chat = Chat(page)
    chat.say("hello")
    chat.expect_answer("(offline model)")
    expect(page.get_by_role("main").get_by_text("offline model", exact=True)).to_be_visible()
    other.goto(f"{offline.url}/")
    expect(Chat(other).rows()).to_have_count(2)
    head = {"cookie": f"{visitor.cookie['name']}={visitor.cookie['value']}"}
    page.get_by_role("button", name="anna").click()
    page.get_by_role("menuitem", name="Sign out").click()
    for tab in (page, other):
        expect(tab).to_have_url(re.compile("/app/sign-in"), timeout=2000)
    for _ in range(20):  # each time another connection, to whichever replica
        answer = httpx.get(f"{offline.url}/api/v1/auth/me", headers=head)
        assert answer.status_code == 401


def test_the_first_screen_is_small_quick_and_all_ours(meet: Meet):
    anna = meet(None, traced=False)
    page, came, files = anna.page, list[Response](), dict[str, int]()
    page.on("response", lambda answer: came.append(answer))
    times = []
    for _ in range(3):  # what else the machine does is not measured
        page.goto(f"{anna.url}/app")
        expect(page.get_by_text("Say something to begin")).to_be_visible()
        times.append(page.evaluate(SINCE_LOAD))
        needed = [one for one in came if one.request.resource_type in NEEDED]
        files = files or {one.url: len(gzip.compress(one.body())) for one in needed}
    print(f"usable {min(times):.0f} ms after the load event; {sum(files.values()):,} bytes")
    assert {urlsplit(one.url).netloc for one in came} == {urlsplit(anna.url).netloc}
    assert min(times) < 1000
    assert sum(files.values()) < BUNDLE


def test_the_api_is_read_and_tried_and_nobody_else_is_asked(meet: Meet):
    anna = meet(None)
    page, came = anna.page, list[Response]()
    page.on("response", lambda answer: came.append(answer))
    page.goto(f"{anna.url}/docs")
    page.get_by_placeholder("Filter by tag").fill("users")
    page.locator('[data-path="/api/v1/users/me"]').first.click()
    page.get_by_role("button", name="Try it out").click()
    page.get_by_role("button", name="Execute").click()
    answer = page.get_by_role("table").filter(has_text="Response body")
    expect(answer).to_contain_text(f'"id": "{anna.person.get("/users/me")["id"]}"')
    assert {urlsplit(one.url).netloc for one in came} == {urlsplit(anna.url).netloc}
