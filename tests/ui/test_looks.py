"""What the page looks like on a phone and in the dark, and that it works without a mouse."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.ui.conftest import Visitor
from tests.ui.entrance import SMALL
from tests.ui.product import Site
from tests.ui.test_link import sign_in

pytestmark = SMALL

PHONE = {"viewport": {"width": 360, "height": 740}, "device_scale_factor": 2}
LOOKS = [PHONE, PHONE | {"color_scheme": "dark"}, {"color_scheme": "dark"}]

_COLOURS = """selector => {
  const styles = getComputedStyle(document.querySelector(selector));
  const parts = (text) => text.match(/[\\d.]+/g).slice(0, 3).map(Number);
  return [parts(styles.color), parts(styles.backgroundColor)];
}"""


def fits(page: Page) -> bool:
    """Nothing is wider than the window."""
    return bool(page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"))


@pytest.mark.parametrize("look", LOOKS, ids=["phone", "phone-dark", "dark"])
def test_signed_out(site: Site, visitors: Callable[..., Visitor], look: dict[str, Any]):
    page = visitors(**look).page
    page.goto(site.url)
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    expect(page.get_by_text("growqr link").first).to_be_visible()
    assert fits(page)


@pytest.mark.parametrize("look", LOOKS, ids=["phone", "phone-dark", "dark"])
def test_signed_in(site: Site, visitors: Callable[..., Visitor], look: dict[str, Any]):
    other, here = visitors(), visitors(**look)
    page = here.page
    name = "a-rather-long-name-of-somebody"
    sign_in(other, site, name)
    sign_in(here, site, name)
    assert fits(page)
    ink, ground = page.evaluate(_COLOURS, ".card")
    assert (sum(ink) > sum(ground)) == (look.get("color_scheme") == "dark")


def test_without_a_mouse(site: Site, visitor: Visitor):
    page = visitor.page
    sign_in(visitor, site, "kim")
    expect(page.get_by_role("heading", name="kim")).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Sign out", exact=True)).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Sign in")).to_be_focused()
