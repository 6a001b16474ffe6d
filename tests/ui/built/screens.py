"""What people see and press, by its role and name."""

from __future__ import annotations

import re
from typing import Any

from playwright.sync_api import Locator, Page, expect

from tests.instances import Person


class Chat:
    """A conversation in a page."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.messages = page.get_by_role("list", name="Messages")
        self.box = page.get_by_role("textbox", name="Message")
        self.stop = page.get_by_role("button", name="Stop", exact=True)
        self.withdraw = page.get_by_role("button", name="Withdraw", exact=True)

    def say(self, text: str) -> None:
        self.box.fill(text)
        self.page.get_by_role("button", name="Send", exact=True).click()
        expect(self.box).to_have_value("")

    def rows(self, who: str = "You|Agent") -> Locator:
        """What was said, by whom."""
        return self.messages.get_by_role("listitem").filter(has_text=re.compile(f"^({who}): "))

    def written(self) -> Locator:
        """What the agent says or does, finished or not."""
        return self.messages.get_by_role("listitem").filter(has_not_text=re.compile("^You: "))

    def transcript(self) -> list[str]:
        """Who said what, as it is read: `Agent: ...`."""
        return [plain(row) for row in self.rows().all_inner_texts()]

    def expect_answer(self, text: str | re.Pattern[str], seconds: float = 15) -> None:
        expect(self.rows("Agent").last).to_contain_text(text, timeout=seconds * 1000)


def plain(text: str) -> str:
    """With single spaces."""
    return " ".join(text.split())


def said(person: Person) -> list[str]:
    """The same as the server has it. What belongs to a turn stays together."""
    [master] = [one for one in person.get("/threads")["data"] if one["kind"] == "master"]
    messages = person.get(f"/threads/{master['id']}/messages", limit=200)["data"]
    names = {"user": "You", "assistant": "Agent"}
    turns = list(dict.fromkeys(message["turn_id"] for message in messages))
    return [
        plain(f"{names[message['role']]}: {text}")
        for message in sorted(messages, key=lambda one: turns.index(one["turn_id"]))
        if message["role"] in names and (text := _text(message["content"]))
    ]


def _text(content: list[dict[str, Any]]) -> str:
    return "".join(block["text"] for block in content if block["type"] == "text")


def fits(page: Page) -> bool:
    """The page does not scroll sideways."""
    return bool(page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"))
