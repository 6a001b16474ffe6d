"""Every page works for everybody: axe finds nothing serious, and a phone needs no sideways scroll."""

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

PHONE = {"viewport": {"width": 360, "height": 740}}
LOOKS = {"light": {}, "dark": {"color_scheme": "dark"}, "phone": PHONE | {"color_scheme": "dark"}}
REPLY = (
    "# Plan\\n\\n- [a link](https://example.com)\\n\\n| a | b |\\n|---|---|\\n| 1 | 2 |\\n\\n`code`"
)


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


def pages(page: Page, person: Person) -> list[str]:
    """All of the navigation, and those that are reached from others."""
    links = page.get_by_role("navigation", name="Pages").get_by_role("link")
    expect(links.first).to_be_visible()
    found = [link.get_attribute("href") or "" for link in links.all()]
    [agent] = person.get("/actors/me/sub-agents")["data"]
    threads = [one["id"] for one in person.get("/threads")["data"] if one["kind"] == "thread"]
    more = [f"/app/channels/{agent['id']}", f"/app/chat/{threads[0]}", "/app/memory/notes/tea.md"]
    return [*found, *more, "/app/welcome", "/app/sign-in", "/app/no-such-page"]


def settled(page: Page) -> None:
    """Nothing is loading any more."""
    expect(page.get_by_role("heading").first).to_be_visible()
    expect(page.get_by_text(re.compile("^(Loading|Reading)"))).to_have_count(0)


@pytest.mark.parametrize("look", LOOKS)
def test_no_page_shuts_anybody_out(meet: Meet, busy: Person, look: str):
    options: dict[str, Any] = LOOKS[look]
    wide = meet(person=busy)
    someone = meet(None, person=busy, **options) if options else wide
    page, axe, found = someone.page, AXE.read_text(), dict[str, Any]()
    for path in pages(wide.page, busy):
        page.goto(someone.url + path)
        settled(page)
        page.evaluate(axe)
        if violations := page.evaluate(RUN):
            found[path] = violations
        if not fits(page):
            found[f"{path}: sideways"] = True
        name = path.removeprefix("/app").strip("/").replace("/", "-") or "chat"
        page.screenshot(path=SHOTS / f"{name}-{look}.png")
    assert found == {}
