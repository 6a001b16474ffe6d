"""The way in and out of either page, by what people see and press: its role and its name."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Literal

import pytest
from playwright.sync_api import Locator, Page, expect

Kind = Literal["small", "built"]


class Entrance(ABC):
    """What the small page and the built ones have in common."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def way(self, provider: str) -> Locator:
        """What begins to sign in by it: Clerk is a script of the page, others are places to go."""
        role: Literal["button", "link"] = "button" if provider == "Clerk" else "link"
        return self.page.get_by_role(role, name=f"Continue with {provider}")

    def expect_outside(self) -> None:
        """Nobody is signed in."""
        expect(self.page.get_by_role("heading", name="Sign in")).to_be_visible()

    @abstractmethod
    def expect_inside(self, name: str) -> None:
        """Signed in as them, and what happens to them is heard of."""

    def expect_told(self, text: str, seconds: float = 8) -> None:
        """It is said at once, also to those who do not see."""
        expect(self._notices().filter(has_text=text).first).to_be_visible(timeout=seconds * 1000)

    @abstractmethod
    def expect_message(self, text: str) -> None:
        """What was said to the agent elsewhere is heard of here."""

    @abstractmethod
    def sign_out(self) -> None: ...

    @abstractmethod
    def see_account(self) -> None:
        """To where one's accounts at providers are."""

    def see_browsers(self) -> Locator:
        """To where one is signed in: a row for each browser."""
        return self.page.get_by_role("list", name="Signed-in browsers").get_by_role("listitem")

    @abstractmethod
    def sign_out_other(self, browser: str) -> None:
        """The first row of that name, once the browsers are seen."""

    def _notices(self) -> Locator:
        return self.page.get_by_role("alert")


class SmallPage(Entrance):
    """The page of our own, where nothing was built."""

    def expect_inside(self, name: str) -> None:
        expect(self.page.get_by_role("heading", name=name)).to_be_visible()
        expect(self.page.get_by_role("status")).to_contain_text("Live")

    def expect_message(self, text: str) -> None:
        expect(self.page.get_by_role("status")).to_contain_text("just now")

    def see_account(self) -> None:
        """They are on the page already."""

    def sign_out(self) -> None:
        self.page.get_by_role("button", name="Sign out", exact=True).click()

    def sign_out_other(self, browser: str) -> None:
        self.page.get_by_role("button", name=f"Sign out {browser}").first.click()


class BuiltPages(Entrance):
    """The web interface."""

    def expect_inside(self, name: str) -> None:
        expect(self._menu(name)).to_be_visible()
        expect(self.page.get_by_role("status").filter(has_text="Connected")).to_be_attached()

    def expect_message(self, text: str) -> None:
        self._go("Chat")
        expect(self.page.get_by_role("list", name="Messages")).to_contain_text(text)

    def sign_out(self) -> None:
        self._menu("").click()
        self.page.get_by_role("menuitem", name="Sign out").click()

    def see_account(self) -> None:
        self._go("Settings")

    def see_browsers(self) -> Locator:
        self._go("Settings")
        self.page.get_by_role("tab", name="Browsers").click()
        return super().see_browsers()

    def sign_out_other(self, browser: str) -> None:
        row = super().see_browsers().filter(has_text=browser).filter(has_not_text="this browser")
        row.get_by_role("button", name="Sign out").first.click()
        self.page.get_by_role("alertdialog").get_by_role("button", name="Sign out").click()

    def _menu(self, name: str) -> Locator:
        return self.page.get_by_role("button", name=f"{name} Account and theme".strip())

    def _go(self, place: str) -> None:
        pages = self.page.get_by_role("navigation", name="Pages")
        pages.get_by_role("link", name=place).click()

    def _notices(self) -> Locator:
        return super()._notices().or_(self.page.locator("[data-sonner-toast]"))


SMALL = pytest.mark.parametrize("site", ["small"], indirect=True)
"""A test of the small page alone; likewise of the built ones."""
BUILT = pytest.mark.parametrize("site", ["built"], indirect=True)

ENTRANCES: dict[Kind, type[Entrance]] = {"small": SmallPage, "built": BuiltPages}
