"""Talking to the agent: replies as they are written, tools, stopping, taking back."""

from __future__ import annotations

import re
import time

from playwright.sync_api import expect

from tests.fakes.messages_api import THOUGHT
from tests.ui.built.conftest import Someone
from tests.ui.built.screens import Chat, said

TABLE = "## Plan\n\n| step | what |\n|---|---|\n| 1 | **look** |\n\n```python\nprint(6 * 7)\n```"


def test_a_reply_is_shown_while_it_is_written(anna: Someone):
    chat = Chat(anna.page)
    chat.say(f"[[slow 0.1]] [[thinking]] [[say {TABLE}]]")
    expect(chat.messages).to_contain_text(THOUGHT[:20])
    expect(chat.messages.get_by_role("heading", name="Plan")).to_be_visible()
    expect(chat.stop).to_be_visible()  # so it is not written to its end yet
    expect(chat.stop).to_be_hidden(timeout=15_000)
    row = chat.rows("Agent")
    expect(row).to_have_count(1)
    expect(row.get_by_role("cell", name="look")).to_be_visible()
    expect(row.locator("pre")).to_have_text("print(6 * 7)")


def test_a_tool_call_is_a_card(anna: Someone):
    chat = Chat(anna.page)
    note = '{"path": "notes/tea.md", "content": "Anna likes tea"}'
    chat.say(f"[[tools commit_memory {note}]] [[say It is noted.]]")
    chat.expect_answer("It is noted.")
    card = chat.messages.get_by_role("group").filter(has_text="commit_memory")
    expect(card).to_contain_text(re.compile("done|completed"))
    card.get_by_text("commit_memory").click()
    expect(card.get_by_text("Anna likes tea")).to_be_visible()


def test_a_turn_is_stopped_and_a_queued_message_taken_back(anna: Someone):
    chat = Chat(anna.page)
    chat.say("[[slow 0.2]] [[say " + "on and on " * 60 + "]]")
    expect(chat.written().first).to_contain_text("on and on")
    chat.say("and then this")
    expect(chat.withdraw).to_be_visible()
    chat.withdraw.click()
    expect(chat.messages.get_by_text("and then this")).to_have_count(0)
    began = time.monotonic()
    chat.stop.click()
    expect(chat.stop).to_be_hidden()
    took = time.monotonic() - began
    print(f"a turn is stopped {took:.2f} s after the press")
    assert took < 2
    chat.say("[[say Here I am.]]")
    chat.expect_answer("Here I am.")
    assert chat.transcript() == said(anna.person)
