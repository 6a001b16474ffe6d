"""Signing in by a one-time link, and out again, over two replicas."""

from __future__ import annotations

import re
import time
from collections.abc import Callable

from playwright.sync_api import expect

from tests.ui.conftest import Visitor
from tests.ui.entrance import BUILT, Entrance
from tests.ui.product import Site

Visitors = Callable[..., Visitor]

EVERYTHING = "location.href + JSON.stringify([{...sessionStorage}, {...localStorage}])"
"""What is kept where a script could find it."""


def sign_in(visitor: Visitor, site: Site, name: str = "anna") -> Entrance:
    visitor.page.goto(site.link(name))
    entrance = site.entrance(visitor.page)
    entrance.expect_inside(name)
    return entrance


def test_a_link_signs_in_and_leaves_no_trace(site: Site, visitor: Visitor):
    page, link, entrance = visitor.page, site.link("lena"), site.entrance(visitor.page)
    page.goto(f"{site.url}/app")
    entrance.expect_outside()
    page.goto("about:blank")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url + str(request.headers)))
    page.goto(link)
    entrance.expect_inside("lena")
    assert re.fullmatch(f"{site.url}/app/(sign-in|welcome)", page.url)
    secret = link.partition("=")[2]
    assert asked
    assert not [line for line in asked if secret in line], "only a body has it"
    page.goto("about:blank")
    page.go_back()
    entrance.expect_inside("lena")
    assert secret not in page.evaluate(EVERYTHING)


def test_no_script_sees_the_cookie_and_it_lasts_over_a_reload(site: Site, visitor: Visitor):
    page, entrance = visitor.page, sign_in(visitor, site)
    assert visitor.cookie["httpOnly"]
    assert visitor.cookie["sameSite"] == "Lax"
    assert visitor.cookie["expires"] > time.time() + 6 * 86_400
    assert page.evaluate("document.cookie") == ""
    for _ in range(3):  # either replica answers
        page.reload()
        entrance.expect_inside("anna")
    entrance.see_account()
    expect(page.get_by_text("member")).to_be_visible()


def test_a_link_is_good_once(site: Site, visitors: Visitors):
    link = site.link()
    first, second = visitors(), visitors()
    first.page.goto(link)
    site.entrance(first.page).expect_inside("anna")
    second.expect_complaints(r"status of 400 .*/auth/exchange$")
    second.page.goto(link)
    entrance = site.entrance(second.page)
    entrance.expect_told("prints a new one")
    entrance.expect_outside()
    assert second.page.url == f"{site.url}/app/sign-in"
    assert second.context.cookies() == []


def test_a_used_link_does_not_hide_that_one_is_signed_in(site: Site, visitor: Visitor):
    link, entrance = site.link(), site.entrance(visitor.page)
    visitor.page.goto(link)
    entrance.expect_inside("anna")
    visitor.expect_complaints(r"status of 400 .*/auth/exchange$")
    visitor.page.goto("about:blank")
    visitor.page.goto(link)
    entrance.expect_inside("anna")
    entrance.expect_told("was used or is over")


def test_the_stream_comes_by_the_cookie(site: Site, visitor: Visitor):
    entrance = sign_in(visitor, site, "stella")
    # A message of this very page, as another program of hers would post it.
    status = visitor.page.evaluate(
        "fetch('/api/v1/actors/me/message', {method: 'POST', body: '{\"text\": \"hi\"}',"
        " headers: {'content-type': 'application/json'}}).then(answer => answer.status)"
    )
    assert status == 202
    entrance.expect_message("hi")


def test_signing_out_ends_the_other_tab_and_every_replica(site: Site, visitor: Visitor):
    entrance, other = sign_in(visitor, site), site.entrance(visitor.tab())
    other.page.goto(f"{site.url}/app")
    other.expect_inside("anna")
    cookie = visitor.cookie
    assert site.statuses(cookie) == [200, 200]
    began = time.monotonic()
    entrance.sign_out()
    other.expect_told("signed out elsewhere", seconds=2)
    assert time.monotonic() - began < 2
    assert site.statuses(cookie) == [401, 401]
    entrance.expect_outside()
    assert visitor.context.cookies() == []
    visitor.page.reload()
    entrance.expect_outside()


@BUILT
def test_nothing_of_whoever_signed_out_is_shown_to_the_next(site: Site, visitor: Visitor):
    entrance = sign_in(visitor, site, "first-of-two")
    entrance.sign_out()
    entrance.expect_outside()
    visitor.page.go_back()
    expect(visitor.page.get_by_text("first-of-two")).to_have_count(0)
    entrance.expect_outside()
    expect(visitor.page.get_by_text("first-of-two")).to_have_count(0)


def test_another_browser_is_signed_out_from_the_list(site: Site, visitors: Visitors):
    here, there = visitors(), visitors(user_agent="Mozilla/5.0 (Windows NT 10.0) Firefox/145.0")
    away, entrance = sign_in(there, site, "olga"), sign_in(here, site, "olga")
    cookie = there.cookie
    rows = entrance.see_browsers()
    expect(rows).to_have_count(2)
    expect(rows.filter(has_text="this browser")).to_have_count(1)
    began = time.monotonic()
    entrance.sign_out_other("Firefox on Windows")
    away.expect_told("signed out elsewhere", seconds=2)
    assert time.monotonic() - began < 2
    expect(rows).to_have_count(1)
    assert site.statuses(cookie) == [401, 401]
    assert site.statuses(here.cookie) == [200, 200]
