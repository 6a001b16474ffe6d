"""Signing in by a one-time link, and out again, over two replicas."""

from __future__ import annotations

import time
from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.ui.conftest import Visitor
from tests.ui.product import Site

Visitors = Callable[..., Visitor]

EVERYTHING = "location.href + JSON.stringify([{...sessionStorage}, {...localStorage}])"
"""What is kept where a script could find it."""


def sign_in(page: Page, site: Site, name: str = "anna") -> None:
    page.goto(site.link(name))
    expect(page.get_by_role("heading", name=name)).to_be_visible()
    expect(page.get_by_role("status")).to_contain_text("Live")


def test_a_link_signs_in_and_leaves_no_trace(site: Site, visitor: Visitor):
    page, link = visitor.page, site.link("lena")
    page.goto(f"{site.url}/app")
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    page.goto("about:blank")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url + str(request.headers)))
    page.goto(link)
    expect(page.get_by_role("heading", name="lena")).to_be_visible()
    assert page.url == f"{site.url}/app/sign-in"
    secret = link.partition("=")[2]
    assert asked
    assert not [line for line in asked if secret in line], "only a body has it"
    page.goto("about:blank")
    page.go_back()
    expect(page.get_by_role("heading", name="lena")).to_be_visible()
    assert secret not in page.evaluate(EVERYTHING)


def test_no_script_sees_the_cookie_and_it_lasts_over_a_reload(site: Site, visitor: Visitor):
    page = visitor.page
    sign_in(page, site)
    assert visitor.cookie["httpOnly"]
    assert visitor.cookie["sameSite"] == "Lax"
    assert visitor.cookie["expires"] > time.time() + 6 * 86_400
    assert page.evaluate("document.cookie") == ""
    for _ in range(3):  # either replica answers
        page.reload()
        expect(page.get_by_role("heading", name="anna")).to_be_visible()
    expect(page.get_by_text("member")).to_be_visible()


def test_a_link_is_good_once(site: Site, visitors: Visitors):
    link = site.link()
    first, second = visitors(), visitors()
    first.page.goto(link)
    expect(first.page.get_by_role("heading", name="anna")).to_be_visible()
    second.expect_complaints(r"status of 400 .*/auth/exchange$")
    second.page.goto(link)
    expect(second.page.get_by_role("alert")).to_contain_text("growqr link prints a new one")
    expect(second.page.get_by_role("heading", name="Sign in")).to_be_visible()
    assert second.page.url == f"{site.url}/app/sign-in"
    assert second.context.cookies() == []


def test_a_used_link_does_not_hide_that_one_is_signed_in(site: Site, visitor: Visitor):
    link = site.link()
    visitor.page.goto(link)
    expect(visitor.page.get_by_role("heading", name="anna")).to_be_visible()
    visitor.expect_complaints(r"status of 400 .*/auth/exchange$")
    visitor.page.goto("about:blank")
    visitor.page.goto(link)
    expect(visitor.page.get_by_role("heading", name="anna")).to_be_visible()
    expect(visitor.page.get_by_role("alert")).to_contain_text("was used or is over")


def test_the_stream_comes_by_the_cookie(site: Site, visitor: Visitor):
    page = visitor.page
    sign_in(page, site, "stella")
    # A message of this very page, as another program of hers would post it.
    status = page.evaluate(
        "fetch('/api/v1/actors/me/message', {method: 'POST', body: '{\"text\": \"hi\"}',"
        " headers: {'content-type': 'application/json'}}).then(answer => answer.status)"
    )
    assert status == 202
    expect(page.get_by_role("status")).to_contain_text("just now")


def test_signing_out_ends_the_other_tab_and_every_replica(site: Site, visitor: Visitor):
    page, other = visitor.page, visitor.tab()
    sign_in(page, site)
    other.goto(f"{site.url}/app")
    expect(other.get_by_role("status")).to_contain_text("Live")
    cookie = visitor.cookie
    assert site.statuses(cookie) == [200, 200]
    began = time.monotonic()
    page.get_by_role("button", name="Sign out", exact=True).click()
    expect(other.get_by_role("alert")).to_contain_text("signed out elsewhere", timeout=2000)
    assert time.monotonic() - began < 2
    assert site.statuses(cookie) == [401, 401]
    expect(page.get_by_role("alert")).to_contain_text("You are signed out")
    assert visitor.context.cookies() == []
    page.reload()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


def test_another_browser_is_signed_out_from_the_list(site: Site, visitors: Visitors):
    here, there = visitors(), visitors(user_agent="Mozilla/5.0 (Windows NT 10.0) Firefox/145.0")
    sign_in(there.page, site, "olga")
    sign_in(here.page, site, "olga")
    cookie = there.cookie
    rows = here.page.get_by_role("list", name="Signed-in browsers").get_by_role("listitem")
    expect(rows).to_have_count(2)
    expect(rows.first).to_contain_text("this browser")
    began = time.monotonic()
    here.page.get_by_role("button", name="Sign out Firefox on Windows").click()
    expect(there.page.get_by_role("alert")).to_contain_text("signed out elsewhere", timeout=2000)
    assert time.monotonic() - began < 2
    expect(rows).to_have_count(1)
    assert site.statuses(cookie) == [401, 401]
    assert site.statuses(here.cookie) == [200, 200]
