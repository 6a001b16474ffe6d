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
from tests.ui.product import Site, site_of

Visitors = Callable[..., Visitor]


@pytest.fixture(scope="module")
def github() -> Iterator[OAuthProvider]:
    with OAuthProvider() as running:
        yield running


@pytest.fixture(scope="module")
def site(
    postgres_url: str,
    portal: BlockingPortal,
    github: OAuthProvider,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Site]:
    """For people of example.org alone."""
    given = github.settings() | {"allowed_emails": ("@example.org",)}
    folder = tmp_path_factory.mktemp("github")
    with site_of(postgres_url, folder, portal, lambda url: given | {"public_url": url}) as up:
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


def by_github(page: Page, site: Site) -> None:
    page.goto(f"{site.url}/app")
    page.get_by_role("link", name="Continue with GitHub").click()
    page.get_by_role("button", name="Authorize").click()


def test_somebody_new_and_the_same_one_again(site: Site, visitors: Visitors):
    first, again = visitors(), visitors()
    by_github(first.page, site)
    expect(first.page.get_by_role("heading", name="Ann Example")).to_be_visible()
    expect(first.page.get_by_role("status")).to_contain_text("Live")
    expect(first.page.get_by_text("ann@example.org")).to_be_visible()
    assert first.page.url == f"{site.url}/"
    assert first.cookie["httpOnly"]
    accounts = first.page.get_by_role("list", name="Accounts").get_by_role("listitem")
    expect(accounts.filter(has_text="GitHub")).to_contain_text("linked")
    by_github(again.page, site)
    expect(again.page.get_by_role("heading", name="Ann Example")).to_be_visible()
    who = "#user-id"
    assert again.page.locator(who).text_content() == first.page.locator(who).text_content()
    rows = again.page.get_by_role("list", name="Signed-in browsers").get_by_role("listitem")
    expect(rows).to_have_count(2)
    expect(rows.first).to_contain_text("by GitHub")


def test_whoever_is_signed_in_links_another_account(site: Site, visitor: Visitor):
    page = visitor.page
    page.goto(site.link("lou"))
    expect(page.get_by_role("heading", name="lou")).to_be_visible()
    page.get_by_role("link", name="Link Google").click()
    page.get_by_role("button", name="Authorize").click()
    expect(page.get_by_role("heading", name="lou")).to_be_visible()
    accounts = page.get_by_role("list", name="Accounts").get_by_role("listitem")
    expect(accounts.filter(has_text="Google")).to_contain_text("linked")


def test_the_gate_refuses_on_a_page(site: Site, github: OAuthProvider, visitor: Visitor):
    github.person = Person(id=666, login="mallory", email="mallory@elsewhere.org")
    visitor.expect_complaints(r"status of 403 .*/auth/github/callback")
    page = visitor.page
    by_github(page, site)
    expect(page.get_by_role("heading", name="Signing in did not work")).to_be_visible()
    expect(page.get_by_text("You have not been invited")).to_be_visible()
    assert visitor.context.cookies() == []
    assert site.rows("select 1 from users where email like %(m)s", m="mallory@%") == []
    page.get_by_role("link", name="Try again").click()
    expect(page.get_by_role("link", name="Continue with GitHub")).to_be_visible()


def test_whoever_says_no_there_is_told(site: Site, visitor: Visitor):
    visitor.expect_complaints(r"status of 400 .*/auth/github/callback")
    page = visitor.page
    page.goto(f"{site.url}/app")
    page.get_by_role("link", name="Continue with GitHub").click()
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_role("heading", name="Signing in did not work")).to_be_visible()
    assert visitor.context.cookies() == []


def test_a_way_back_is_good_once_and_in_one_browser(site: Site, visitors: Visitors):
    mine, theirs = visitors(), visitors()
    back: list[str] = []
    mine.page.on("request", lambda sent: back.append(sent.url) if "code=" in sent.url else None)
    by_github(mine.page, site)
    expect(mine.page.get_by_role("heading", name="Ann Example")).to_be_visible()
    [callback] = back
    for browser in (theirs, mine):
        browser.expect_complaints(r"status of 400 .*/auth/github/callback")
        browser.page.goto(callback)
        expect(browser.page.get_by_role("heading", name="Signing in did not")).to_be_visible()
    assert theirs.context.cookies() == []
    assert site.statuses(mine.cookie) == [200, 200], "she is still signed in as before"


def test_an_invite_opens_the_gate(site: Site, github: OAuthProvider, visitor: Visitor):
    github.person = Person(id=777, login="ida", name="Ida", email="ida@elsewhere.org")
    page = visitor.page
    page.goto(f"{site.url}/app#invite={invite_of(site)}")
    expect(page.get_by_role("link", name="Continue with GitHub")).to_be_visible()
    assert page.url == f"{site.url}/app"
    page.get_by_role("link", name="Continue with GitHub").click()
    page.get_by_role("button", name="Authorize").click()
    expect(page.get_by_role("heading", name="Ida")).to_be_visible()
    assert page.evaluate("sessionStorage.length") == 0
