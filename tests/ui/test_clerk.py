"""Signing in through Clerk: its token becomes our cookie, and is needed no more."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from anyio.from_thread import BlockingPortal
from playwright.sync_api import Page, expect

from tests.fakes.clerk import FakeClerk
from tests.instances import until
from tests.ui.conftest import Visitor
from tests.ui.product import Site, site_of

Visitors = Callable[..., Visitor]


@pytest.fixture(scope="module")
def clerk() -> Iterator[FakeClerk]:
    with FakeClerk() as running:
        running.custom = {"name": "Ann", "email": "ann@example.com"}
        yield running


@pytest.fixture(scope="module")
def site(
    postgres_url: str,
    portal: BlockingPortal,
    clerk: FakeClerk,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Site]:
    """For people of example.com alone."""
    given = {
        "clerk_publishable_key": clerk.publishable_key,
        "allowed_emails": ("@example.com",),
        "local_issuer": "off",
    }
    folder = tmp_path_factory.mktemp("clerk")
    with site_of(postgres_url, folder, portal, lambda url: given | {"public_url": url}) as up:
        yield up


def by_clerk(page: Page, site: Site) -> None:
    page.goto(f"{site.url}/app")
    page.get_by_role("button", name="Continue with Clerk").click()
    page.get_by_role("button", name="Continue as Ann").click()


def test_a_session_there_becomes_a_cookie_here(site: Site, clerk: FakeClerk, visitor: Visitor):
    page = visitor.page
    by_clerk(page, site)
    expect(page.get_by_role("heading", name="Ann")).to_be_visible()
    expect(page.get_by_role("status")).to_contain_text("Live")
    expect(page.get_by_text("ann@example.com")).to_be_visible()
    assert page.url == f"{site.url}/app"
    assert visitor.cookie["httpOnly"]
    assert site.statuses(visitor.cookie) == [200, 200]
    asked = clerk.token_requests
    bearers: list[str] = []
    page.on("request", lambda sent: bearers.extend(sent.headers.get("authorization") or ()))
    page.reload()
    expect(page.get_by_role("heading", name="Ann")).to_be_visible()
    assert (clerk.token_requests, bearers) == (asked, []), "the cookie alone is used"


def test_signing_out_ends_both_sessions(site: Site, clerk: FakeClerk, visitor: Visitor):
    page = visitor.page
    by_clerk(page, site)
    expect(page.get_by_role("heading", name="Ann")).to_be_visible()
    cookie = visitor.cookie
    sessions = len(clerk.sessions)
    page.get_by_role("button", name="Sign out", exact=True).click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    expect(page.get_by_role("alert")).to_contain_text("You are signed out")
    expect(page.get_by_role("button", name="Sign out", exact=True)).to_be_hidden()
    assert site.statuses(cookie) == [401, 401]
    until(lambda: len(clerk.sessions) == sessions - 1, 5, "the session there has not ended")
    page.reload()
    expect(page.get_by_role("button", name="Continue with Clerk")).to_be_visible()
    assert visitor.context.cookies() == []


def test_who_was_signed_out_elsewhere_stays_so_until_they_say(site: Site, visitors: Visitors):
    here, there = visitors(), visitors()
    for browser in (here, there):
        by_clerk(browser.page, site)
        expect(browser.page.get_by_role("status")).to_contain_text("Live")
    here.page.reload()
    here.page.get_by_role("button", name="Sign out Chrome").first.click()
    expect(there.page.get_by_role("alert")).to_contain_text("signed out elsewhere", timeout=2000)
    there.page.reload()
    there.page.get_by_role("button", name="Continue with Clerk").click()
    # The session there still lives, so one press is enough.
    expect(there.page.get_by_role("heading", name="Ann")).to_be_visible()


def test_the_gate_refuses_in_words(site: Site, clerk: FakeClerk, visitor: Visitor):
    clerk.custom = {"name": "Mallory", "email": "mallory@elsewhere.org", "sub": "user_2Mallory"}
    visitor.expect_complaints(r"status of 403 .*/auth/exchange$")
    try:
        by_clerk(visitor.page, site)
        expect(visitor.page.get_by_role("alert")).to_contain_text("You have not been invited")
    finally:
        clerk.custom = {"name": "Ann", "email": "ann@example.com"}
    assert visitor.context.cookies() == []
    # She may come as somebody else: the session there has ended too.
    visitor.page.get_by_role("button", name="Continue with Clerk").click()
    visitor.page.get_by_role("button", name="Continue as Ann").click()
    expect(visitor.page.get_by_role("heading", name="Ann")).to_be_visible()


def test_without_clerk_the_page_says_so(site: Site, visitor: Visitor):
    visitor.expect_complaints(r"ERR_FAILED .*clerk-js")
    page = visitor.page
    page.route("**/clerk.browser.js", lambda route: route.abort())
    page.goto(f"{site.url}/app")
    page.get_by_role("button", name="Continue with Clerk").click()
    expect(page.get_by_role("alert")).to_contain_text("Clerk cannot be reached")
    page.unroute("**/clerk.browser.js")
    page.get_by_role("button", name="Continue with Clerk").click()
    expect(page.get_by_role("button", name="Continue as Ann")).to_be_visible()
