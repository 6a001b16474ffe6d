"""Every page works for everybody: axe finds nothing serious, and it fits into a phone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.instances import Instance, Person
from tests.ui.built.conftest import Meet, somebody
from tests.ui.built.screens import fits
from tests.ui.conftest import SHOTS

AXE = Path(__file__).parents[3] / "web/node_modules/axe-core/axe.min.js"
RUN = """async () => (await axe.run(document, {resultTypes: ['violations']})).violations
  .filter(one => ['serious', 'critical'].includes(one.impact))
  .map(one => [one.id, ...one.nodes.map(node => node.html.slice(0, 200))])"""

STILL = """async () => {
  for (let frame = 0; frame < 2; frame++) await new Promise(requestAnimationFrame);
  const moving = document.getAnimations().filter(one => one instanceof CSSTransition);
  await Promise.allSettled(moving.map(one => one.finished));
}"""
LOOKS = {
    "light": ("light", {"width": 1280, "height": 800}),
    "dark": ("dark", {"width": 1280, "height": 800}),
    "phone": ("dark", {"width": 360, "height": 740}),
}
REPLY = "# Plan\n\n- [link](https://example.com)\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n`code`"


@pytest.fixture(scope="module")
def busy(running: Instance) -> Iterator[Person]:
    """Somebody on each of whose pages there is something."""
    with somebody(running) as person:
        fill(person)
        yield person


def fill(person: Person) -> None:
    note = '{"path": "notes/tea.md", "content": "# Tea\\n\\nAnna likes *green* tea"}'
    person.ask(f"[[thinking]] [[tools commit_memory {note}]] [[say {REPLY}]]")
    person.say('[[tools ask_user {"question": "Which colour?", "options": ["red", "green"]}]]')
    made = person.http.post("/actors/me/sub-agents", json={"type": "research"})
    assert made.status_code == 201, made.text
    thread = person.http.post("/threads", json={"title": "Of tea"})
    assert thread.status_code == 201, thread.text


def places(page: Page, person: Person) -> dict[str, str]:
    """All pages of the navigation, and those that are reached from others."""
    links = page.get_by_role("navigation", name="Pages").get_by_role("link")
    expect(links.first).to_be_visible()
    found = {
        link.inner_text().split("\n")[0]: link.get_attribute("href") or "" for link in links.all()
    }
    [agent] = person.get("/actors/me/sub-agents")["data"]
    thread = next(one for one in person.get("/threads")["data"] if one["kind"] == "thread")
    return found | {
        "Channel": f"/app/channels/{agent['id']}",
        "Thread": f"/app/chat/{thread['id']}",
        "Note": "/app/memory/notes/tea.md",
        "Welcome": "/app/welcome",
        "Sign in": "/app/sign-in",
        "No page": "/app/no-such-page",
    }


def settled(page: Page) -> None:
    """Nothing is loading any more."""
    expect(page.get_by_role("heading").first).to_be_visible()
    expect(page.get_by_text(re.compile("^(Loading|Reading)"))).to_have_count(0)


class Looks:
    """What is wrong with what a page shows, in every look."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.axe = AXE.read_text()
        self.found = dict[str, Any]()

    def at(self, name: str) -> None:
        """Look at what is there now. Ends as wide as it began."""
        page = self.page
        page.evaluate(self.axe)
        for look, (scheme, size) in LOOKS.items():
            page.emulate_media(color_scheme=scheme)
            page.set_viewport_size(size)
            page.evaluate(STILL)  # colours do not change at once
            if violations := page.evaluate(RUN):
                self.found[f"{name}, {look}"] = violations
            if not fits(page):
                self.found[f"{name}, {look}, is wider than the window"] = page.viewport_size
            page.screenshot(path=SHOTS / f"page-{name.lower().replace(' ', '-')}-{look}.png")
        page.set_viewport_size(LOOKS["light"][1])


def test_no_page_shuts_anybody_out(meet: Meet, busy: Person):
    someone = meet(person=busy, reduced_motion="reduce")
    page, looks = someone.page, Looks(someone.page)
    for name, path in places(page, busy).items():
        page.goto(someone.url + path)
        settled(page)
        looks.at(name)
    assert looks.found == {}


def test_no_tab_shuts_an_admin_out(running: Instance, meet: Meet, busy: Person):
    promoted = running.command("users", "promote", busy.name)
    assert promoted.returncode == 0, promoted.stderr
    someone = meet(person=busy, reduced_motion="reduce")
    page, looks = someone.page, Looks(someone.page)
    for path in ("admin", "settings"):
        page.goto(f"{someone.url}/app/{path}")
        tabs = page.get_by_role("tablist").get_by_role("tab")
        expect(tabs.first).to_be_visible()
        for tab in tabs.all():
            tab.click()
            expect(tab).to_have_attribute("aria-selected", "true")
            settled(page)
            looks.at(f"{path} {tab.inner_text()}")
    assert looks.found == {}


def test_nothing_that_opens_shuts_anybody_out(meet: Meet, busy: Person):
    someone = meet("/app/decisions", person=busy, reduced_motion="reduce")
    page, looks = someone.page, Looks(someone.page)
    settled(page)
    for key, name in (("Control+k", "Search or jump to"), ("?", "Keyboard shortcuts")):
        page.keyboard.press(key)
        expect(page.get_by_role("dialog", name=name)).to_be_visible()
        looks.at(name)
        page.keyboard.press("Escape")
    assert looks.found == {}
