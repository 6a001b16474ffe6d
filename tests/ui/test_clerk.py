"""Signing in through Clerk: its token becomes our cookie, and is needed no more."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from anyio.from_thread import BlockingPortal
from playwright.sync_api import Page, expect

from tests.fakes.clerk import FakeClerk
from tests.instances import until
from tests.ui.conftest import Visitor
from tests.ui.entrance import ENTRANCES, Entrance
from tests.ui.product import Site, site_of

Visitors = Callable[..., Visitor]

ANN = {"name": "Ann", "email": "ann@example.com"}
BOB = {"name": "Bob", "email": "bob@example.com", "sub": "user_2Bob"}
MALLORY = {"name": "Mallory", "email": "mallory@elsewhere.org", "sub": "user_2Mallory"}


@pytest.fixture(scope="module")
def running() -> Iterator[FakeClerk]:
    with FakeClerk() as up:
        yield up


@pytest.fixture
def clerk(running: FakeClerk) -> FakeClerk:
    """Whoever continues there is Ann."""
    running.custom = ANN
    return running


@pytest.fixture(scope="module", params=ENTRANCES)
def site(
    request: pytest.FixtureRequest,
    postgres_url: str,
    portal: BlockingPortal,
    running: FakeClerk,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Site]:
    """For people of example.com alone."""
    given = {
        "clerk_publishable_key": running.publishable_key,
        "allowed_emails": ("@example.com",),
        "local_issuer": "off",
    }
    folder, more = tmp_path_factory.mktemp("clerk"), lambda url: given | {"public_url": url}
    with site_of(postgres_url, folder, portal, more, request.param) as up:
        yield up


def there(page: Page) -> None:
    """On Clerk's page: go on as whoever is there."""
    page.get_by_role("button", name="Continue as Ann").click()


def by_clerk(page: Page, site: Site) -> Entrance:
    page.goto(f"{site.url}/app")
    entrance = site.entrance(page)
    entrance.way("Clerk").click()
    there(page)
    return entrance


def test_a_session_there_becomes_a_cookie_here(site: Site, clerk: FakeClerk, visitor: Visitor):
    page, entrance = visitor.page, by_clerk(visitor.page, site)
    entrance.expect_inside("Ann")
    assert visitor.cookie["httpOnly"]
    assert site.statuses(visitor.cookie) == [200, 200]
    asked = clerk.token_requests
    bearers: list[str] = []
    page.on("request", lambda sent: bearers.extend(sent.headers.get("authorization") or ()))
    page.reload()
    entrance.expect_inside("Ann")
    assert (clerk.token_requests, bearers) == (asked, []), "the cookie alone is used"
    entrance.see_account()
    expect(page.get_by_text("ann@example.com")).to_be_visible()


def test_signing_out_ends_both_sessions_and_somebody_else_signs_in(
    site: Site, clerk: FakeClerk, visitor: Visitor
):
    page, entrance = visitor.page, by_clerk(visitor.page, site)
    entrance.expect_inside("Ann")
    cookie, sessions = visitor.cookie, len(clerk.sessions)
    entrance.sign_out()
    entrance.expect_outside()
    assert site.statuses(cookie) == [401, 401]
    until(lambda: len(clerk.sessions) == sessions - 1, 5, "the session there has not ended")
    assert visitor.context.cookies() == []
    clerk.custom = BOB
    entrance.way("Clerk").click()
    there(page)
    entrance.expect_inside("Bob")


def test_who_was_signed_out_elsewhere_stays_so_until_they_say(
    site: Site, clerk: FakeClerk, visitors: Visitors
):
    here, away = (by_clerk(visitors().page, site) for _ in range(2))
    for entrance in (here, away):
        entrance.expect_inside("Ann")
    here.page.reload()
    here.see_browsers()
    here.sign_out_other("Chrome")
    away.expect_told("signed out elsewhere", seconds=2)
    away.page.reload()
    away.way("Clerk").click()
    away.expect_inside("Ann")  # the session there still lives, so one press is enough


def test_the_gate_refuses_in_words_and_somebody_else_may_come(
    site: Site, clerk: FakeClerk, visitor: Visitor
):
    clerk.custom = MALLORY
    visitor.expect_complaints(r"status of 403 .*/auth/exchange$")
    entrance = by_clerk(visitor.page, site)
    entrance.expect_told("ou have not been invited")
    assert visitor.context.cookies() == []
    clerk.custom = ANN
    entrance.way("Clerk").click()
    there(visitor.page)  # it asks, because the session there has ended too
    entrance.expect_inside("Ann")


def test_whoever_comes_back_without_signing_in_may_try_again(
    site: Site, clerk: FakeClerk, visitor: Visitor
):
    page, entrance = visitor.page, site.entrance(visitor.page)
    page.goto(f"{site.url}/app")
    entrance.way("Clerk").click()
    expect(page.get_by_role("button", name="Continue as Ann")).to_be_visible()
    page.go_back()
    entrance.expect_outside()
    expect(entrance.way("Clerk")).to_be_enabled()
    entrance.way("Clerk").click()
    there(page)
    entrance.expect_inside("Ann")


def test_without_clerk_the_page_says_so(site: Site, clerk: FakeClerk, visitor: Visitor):
    visitor.expect_complaints(r"ERR_FAILED .*clerk-js")
    page, entrance = visitor.page, site.entrance(visitor.page)
    page.route("**/clerk.browser.js", lambda route: route.abort())
    page.goto(f"{site.url}/app")
    entrance.way("Clerk").click()
    entrance.expect_told("Clerk cannot be reached")
    page.unroute("**/clerk.browser.js")
    entrance.way("Clerk").click()
    expect(page.get_by_role("button", name="Continue as Ann")).to_be_visible()
