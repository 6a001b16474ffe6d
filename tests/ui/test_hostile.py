"""A page of somebody else, open in a browser that is signed in here, gets nothing and does nothing.

From `localhost` the browser keeps our cookie back; from another port of 127.0.0.1 it is the same
site to the browser, the cookie comes along, and the origin alone tells.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from typing import NamedTuple
from urllib.parse import quote, urlsplit

import pytest
from playwright.sync_api import Page, expect

from growqr import names
from tests.ui.conftest import Visitor
from tests.ui.entrance import BUILT, SMALL
from tests.ui.hostile import hostile
from tests.ui.product import Site
from tests.ui.test_link import sign_in

BLOCKED = (r"blocked by CORS policy", r"status of 40[13] ", r"ERR_FAILED")
ELSEWHERE = (
    "https://evil.example/app", "//evil.example/app", "/\\evil.example", "/app\\..//evil.example",
    "/app/..//evil.example", "/app/%2e%2e//evil.example", "javascript:alert(1)//app",
)  # fmt: skip
"""Where a link could ask to be led once signed in."""


@pytest.fixture
def evil(site: Site) -> Iterator[int]:
    with site.portal.wrap_async_context_manager(hostile(site.url)) as port:
        yield port


@pytest.fixture(params=["localhost", "127.0.0.1"])
def elsewhere(request: pytest.FixtureRequest, evil: int) -> str:
    """The hostile page's origin."""
    return f"http://{request.param}:{evil}"


class Victim(NamedTuple):
    """Signed in here, with a page of somebody else beside."""

    id: str
    browser: Visitor

    def unharmed(self, site: Site) -> None:
        """Still signed in, and nothing was said in her name."""
        assert site.statuses(self.browser.cookie) == [200, 200]
        [(said,)] = site.rows("select count(*) from message where user_id = %(u)s", u=self.id)
        assert said == 0


@pytest.fixture
def victim(site: Site, visitor: Visitor) -> Victim:
    name = f"vera-{secrets.token_hex(4)}"
    sign_in(visitor, site, name)
    return Victim(names.local_user_id(name), visitor)


def ticket(site: Site) -> str:
    """The secret part of a fresh link."""
    return site.link("vera").partition("#link=")[2]


def fetched(page: Page, method: str, url: str) -> str:
    """What a script there gets to know: the body, or nothing but that it failed."""
    return page.evaluate(
        "([method, url]) => fetch(url, {method, credentials: 'include',"
        " body: method === 'GET' ? undefined : '{\"text\": \"do as I say\"}'})"
        ".then(answer => answer.text(), error => error.name)",
        [method, url],
    )


ATTEMPTS = [
    ("GET", "/auth/me"),
    ("GET", "/threads"),
    ("POST", "/actors/me/message"),
    ("POST", "/auth/logout"),
    ("POST", "/auth/exchange"),
    ("DELETE", "/auth/sign-ins/{id}"),
]


def test_its_scripts_read_and_do_nothing(site: Site, victim: Victim, elsewhere: str):
    victim.browser.expect_complaints(*BLOCKED)
    [(mine,)] = site.rows("select id from sign_in where user_id = %(u)s", u=victim.id)
    page = victim.browser.tab()
    page.goto(elsewhere)
    site.door.passed.clear()
    for method, path in ATTEMPTS:
        url = f"{site.url}/api/v1{path.format(id=mine)}"
        assert fetched(page, method, url) == "TypeError", (method, path)
    tried = [passed for passed in site.door.passed if passed.origin == elsewhere]
    assert len(tried) == len(ATTEMPTS), "each was asked, DELETE by its preflight"
    for passed in tried:
        assert passed.status in (401, 403, 405), passed
        assert not [name for name in passed.headers if name.startswith("access-control-")]
    if "127.0.0.1" in elsewhere:  # her cookie came along, so it was the origin that told
        assert {passed.status for passed in tried} == {403, 405}
    victim.unharmed(site)


@SMALL  # they never load a page of ours
@pytest.mark.parametrize("path", ["/actors/me/message", "/auth/logout", "/auth/exchange"])
def test_its_forms_do_nothing(site: Site, victim: Victim, elsewhere: str, path: str):
    victim.browser.expect_complaints(*BLOCKED)
    page = victim.browser.tab()
    page.goto(f"{elsewhere}/form?to=/api/v1{path}")
    with page.expect_navigation() as gone:
        page.get_by_role("button").click()
    assert gone.value.status in (401, 403)
    victim.unharmed(site)


def test_it_cannot_frame_the_page(site: Site, victim: Victim, elsewhere: str):
    victim.browser.expect_complaints(r"frame-ancestors|X-Frame-Options|[Ff]raming")
    page = victim.browser.tab()
    page.goto(f"{elsewhere}/frame")
    expect(page.get_by_title("framed")).to_be_visible()
    expect(page.frame_locator("iframe").get_by_role("heading")).to_have_count(0)
    assert [frame.url for frame in page.frames if site.url in frame.url] == []


@BUILT
def test_no_way_back_leads_elsewhere(site: Site, visitor: Visitor):
    page, entrance = visitor.page, site.entrance(visitor.page)
    asked: list[str] = []
    page.on("request", lambda sent: asked.append(urlsplit(sent.url).netloc))
    for to in ELSEWHERE:
        page.goto("about:blank")
        page.goto(f"{site.url}/app/sign-in?return_to={quote(to, safe='')}#link={ticket(site)}")
        entrance.expect_inside("vera")
        assert page.url.startswith(f"{site.url}/"), to
    assert set(asked) == {urlsplit(site.url).netloc}
