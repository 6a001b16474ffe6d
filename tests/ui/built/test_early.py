"""A page that has read nothing yet says nothing of it, and takes what is typed already."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, Route, expect

from tests.ui.built.conftest import Meet
from tests.ui.built.screens import Chat


class Held:
    """The first snapshot of a page, until it is let go."""

    def __init__(self, page: Page) -> None:
        self.routes: list[Route] | None = []
        page.route("**/api/v1/actors/me", self._take)

    def _take(self, route: Route) -> None:
        if self.routes is None:
            route.continue_()
        else:
            self.routes.append(route)

    def let_go(self) -> None:
        routes, self.routes = self.routes or [], None
        for route in routes:
            route.continue_()


@pytest.mark.parametrize(
    ("path", "words"),
    [("/app/decisions", "Nothing waits for you"), ("/app/events", "No events")],
)
def test_nothing_is_called_empty_before_it_was_read(meet: Meet, path: str, words: str):
    someone = meet(None)
    page, snapshot = someone.page, Held(someone.page)
    page.goto(someone.url + path)
    expect(page.get_by_role("main").get_by_label("Loading", exact=True)).to_be_visible()
    expect(page.get_by_label("Loading threads")).to_be_visible()
    expect(page.get_by_text(words)).to_have_count(0)
    snapshot.let_go()
    expect(page.get_by_label("Loading")).to_have_count(0)


def test_what_is_typed_early_stays(meet: Meet):
    anna = meet(None)
    [master] = [one for one in anna.person.get("/threads")["data"] if one["kind"] == "master"]
    page, chat, snapshot = anna.page, Chat(anna.page), Held(anna.page)
    page.goto(f"{anna.url}/app/chat/{master['id']}")
    chat.box.focus()
    page.keyboard.type("[[say Early", delay=5)
    snapshot.let_go()
    expect(page.get_by_text("Say something to begin")).to_be_visible()
    page.keyboard.type(" bird.]]", delay=5)
    expect(chat.box).to_have_value("[[say Early bird.]]")
    page.keyboard.press("Enter")
    chat.expect_answer("Early bird.")
