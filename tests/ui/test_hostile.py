"""A page of somebody else, open in a browser that is signed in here, gets nothing and does nothing.

From `localhost` the browser keeps our cookie back; from another port of 127.0.0.1 it is the same
site to the browser, the cookie comes along, and the origin alone tells.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, Response, expect

from tests.ui.conftest import Visitor
from tests.ui.hostile import hostile
from tests.ui.product import Site
from tests.ui.test_link import sign_in

BLOCKED = (r"blocked by CORS policy", r"status of 40[13] ", r"ERR_FAILED")


@pytest.fixture
def evil(site: Site) -> Iterator[int]:
    with site.portal.wrap_async_context_manager(hostile(site.url)) as port:
        yield port


@pytest.fixture(params=["localhost", "127.0.0.1"])
def elsewhere(request: pytest.FixtureRequest, evil: int) -> str:
    """The hostile page's origin."""
    return f"http://{request.param}:{evil}"


@pytest.fixture
def victim(site: Site, visitor: Visitor) -> Visitor:
    sign_in(visitor.page, site, "vera")
    return visitor


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


def test_its_scripts_read_and_do_nothing(site: Site, victim: Visitor, elsewhere: str):
    victim.expect_complaints(*BLOCKED)
    [(sign_in_id,)] = site.rows("select id from sign_in where user_id = 'u_vera'")
    page = victim.tab()
    answers: list[Response] = []
    page.on("response", lambda answer: answers.append(answer))
    page.goto(elsewhere)
    for method, path in ATTEMPTS:
        url = f"{site.url}/api/v1{path.format(id=sign_in_id)}"
        assert fetched(page, method, url) == "TypeError", (method, path)
    ours = [answer for answer in answers if answer.url.startswith(site.url)]
    assert len(ours) >= len(ATTEMPTS) - 1
    for answer in ours:
        assert not [name for name in answer.all_headers() if name.startswith("access-control-")]
        assert answer.status >= 400
    unharmed(site, victim)


@pytest.mark.parametrize("path", ["/actors/me/message", "/auth/logout", "/auth/exchange"])
def test_its_forms_do_nothing(site: Site, victim: Visitor, elsewhere: str, path: str):
    victim.expect_complaints(*BLOCKED)
    page = victim.tab()
    page.goto(f"{elsewhere}/form?to=/api/v1{path}")
    with page.expect_navigation() as gone:
        page.get_by_role("button").click()
    assert gone.value.status in (401, 403, 422)
    unharmed(site, victim)


def test_it_cannot_frame_the_page(site: Site, victim: Visitor, elsewhere: str):
    victim.expect_complaints(r"frame-ancestors|X-Frame-Options|Refused to (display|frame)|Framing")
    page = victim.tab()
    page.goto(f"{elsewhere}/frame")
    expect(page.get_by_title("framed")).to_be_visible()
    inside = page.frame_locator("iframe").get_by_role("heading", name="vera")
    expect(inside).to_have_count(0)
    assert [frame.url for frame in page.frames if site.url in frame.url] == []


def unharmed(site: Site, victim: Visitor) -> None:
    """Still signed in, and nothing was said in her name."""
    assert site.statuses(victim.cookie) == [200, 200]
    [(said,)] = site.rows("select count(*) from message where user_id = 'u_vera'")
    assert said == 0
