"""Signing in through GitHub: there and back, once per state, for whom the gate lets in."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import httpx
import pytest
from anyio.from_thread import BlockingPortal
from playwright.sync_api import Page, expect

from growqr.identity import mint
from tests.fakes.oauth_provider import OAuthProvider, Person
from tests.ui.conftest import Visitor
from tests.ui.entrance import BUILT, ENTRANCES, SMALL, Entrance
from tests.ui.product import Site, site_of

Visitors = Callable[..., Visitor]


@pytest.fixture(scope="module")
def github() -> Iterator[OAuthProvider]:
    with OAuthProvider() as running:
        yield running


@pytest.fixture(scope="module", params=ENTRANCES)
def site(
    request: pytest.FixtureRequest,
    postgres_url: str,
    portal: BlockingPortal,
    github: OAuthProvider,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Site]:
    """For people of example.org alone."""
    given = github.settings() | {"allowed_emails": ("@example.org",)}
    folder, more = tmp_path_factory.mktemp("github"), lambda url: given | {"public_url": url}
    with site_of(postgres_url, folder, portal, more, request.param) as up:
        yield up


@pytest.fixture(autouse=True)
def ann(github: OAuthProvider) -> Iterator[None]:
    """Ann is signed in there; her profile shows no address."""
    github.person = Person()
    yield
    assert github.misuse == []
    assert github.leaks() == []


def invite_of(site: Site) -> str:
    """What an admin's invite has behind the `#`."""
    site.link("admin")
    site.rows("update users set role = 'admin' where id = 'u_admin' returning id")
    answer = httpx.post(
        f"{site.url}/api/v1/admin/invites",
        json={},
        headers={"authorization": f"Bearer {mint(site.settings, 'admin')}"},
    )
    assert answer.status_code == 201, answer.text
    return str(answer.json()["url"]).partition("#invite=")[2]


def by_github(page: Page, site: Site, path: str = "/app") -> Entrance:
    page.goto(f"{site.url}{path}")
    entrance = site.entrance(page)
    entrance.way("GitHub").click()
    page.get_by_role("button", name="Authorize").click()
    return entrance


@SMALL
def test_somebody_new_and_the_same_one_again(site: Site, visitors: Visitors):
    first, again = visitors(), visitors()
    by_github(first.page, site).expect_inside("Ann Example")
    expect(first.page.get_by_text("ann@example.org")).to_be_visible()
    assert first.page.url == f"{site.url}/"
    assert first.cookie["httpOnly"]
    accounts = first.page.get_by_role("list", name="Accounts").get_by_role("listitem")
    expect(accounts.filter(has_text="GitHub")).to_contain_text("linked")
    entrance = by_github(again.page, site)
    entrance.expect_inside("Ann Example")
    who = "#user-id"
    assert again.page.locator(who).text_content() == first.page.locator(who).text_content()
    rows = entrance.see_browsers()
    expect(rows).to_have_count(2)
    expect(rows.first).to_contain_text("by GitHub")


@BUILT
def test_somebody_new_is_welcomed_once(site: Site, visitors: Visitors):
    first, again = visitors(), visitors()
    page, box = first.page, first.page.get_by_role("textbox", name="Message")
    entrance = by_github(page, site, "/app/settings")
    entrance.expect_inside("Ann Example")
    expect(page).to_have_url(f"{site.url}/app/welcome")
    expect(page.get_by_test_id("phase-account")).to_contain_text("You are Ann Example")
    page.get_by_role("link", name="Begin").click()
    expect(box).to_be_visible()
    page.reload()
    expect(box).to_be_visible()
    cookie = first.cookie
    entrance.sign_out()
    entrance.expect_outside()
    assert site.statuses(cookie) == [401, 401]
    for browser in (first, again):
        here = by_github(browser.page, site)
        here.expect_inside("Ann Example")
        expect(browser.page.get_by_role("textbox", name="Message")).to_be_visible()
        assert browser.page.url == f"{site.url}/app"
    rows = here.see_browsers()
    expect(rows).to_have_count(2)
    expect(rows.first).to_contain_text("by GitHub")


def test_whoever_is_signed_in_links_another_account(site: Site, visitor: Visitor):
    page, entrance = visitor.page, site.entrance(visitor.page)
    page.goto(site.link("lou"))
    entrance.expect_inside("lou")
    entrance.see_account()
    page.get_by_role("link", name="Link Google").click()
    page.get_by_role("button", name="Authorize").click()
    entrance.expect_inside("lou")
    accounts = page.get_by_role("list", name="Accounts").get_by_role("listitem")
    expect(accounts.filter(has_text="Google")).to_contain_text("linked")


def test_the_gate_refuses_on_a_page(site: Site, github: OAuthProvider, visitor: Visitor):
    github.person = Person(id=666, login="mallory", email="mallory@elsewhere.org")
    visitor.expect_complaints(r"status of 403 .*/auth/github/callback")
    page, entrance = visitor.page, by_github(visitor.page, site)
    expect(page.get_by_role("heading", name="Signing in did not work")).to_be_visible()
    expect(page.get_by_text("You have not been invited")).to_be_visible()
    assert visitor.context.cookies() == []
    assert site.rows("select 1 from users where email like %(m)s", m="mallory@%") == []
    page.get_by_role("link", name="Try again").click()
    expect(entrance.way("GitHub")).to_be_visible()


def test_whoever_says_no_there_is_told(site: Site, visitor: Visitor):
    visitor.expect_complaints(r"status of 400 .*/auth/github/callback")
    page = visitor.page
    page.goto(f"{site.url}/app")
    site.entrance(page).way("GitHub").click()
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_role("heading", name="Signing in did not work")).to_be_visible()
    assert visitor.context.cookies() == []


@SMALL
def test_a_way_back_is_good_once_and_in_one_browser(site: Site, visitors: Visitors):
    mine, theirs = visitors(), visitors()
    back: list[str] = []
    mine.page.on("request", lambda sent: back.append(sent.url) if "code=" in sent.url else None)
    by_github(mine.page, site).expect_inside("Ann Example")
    [callback] = back
    for browser in (theirs, mine):
        browser.expect_complaints(r"status of 400 .*/auth/github/callback")
        browser.page.goto(callback)
        expect(browser.page.get_by_role("heading", name="Signing in did not")).to_be_visible()
    assert theirs.context.cookies() == []
    assert site.statuses(mine.cookie) == [200, 200], "she is still signed in as before"


def test_an_invite_opens_the_gate(site: Site, github: OAuthProvider, visitor: Visitor):
    github.person = Person(id=777, login="ida", name="Ida", email="ida@elsewhere.org")
    page, entrance = visitor.page, site.entrance(visitor.page)
    page.goto(f"{site.url}/app#invite={invite_of(site)}")
    expect(entrance.way("GitHub")).to_be_visible()
    assert "#" not in page.url
    entrance.way("GitHub").click()
    page.get_by_role("button", name="Authorize").click()
    entrance.expect_inside("Ida")
    kept = "Object.keys(sessionStorage).filter(key => key.startsWith('growqr'))"
    assert page.evaluate(kept) == []
