"""What agents do beside talking: sub-agents' work as it goes on, and notes that can be undone."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from tests.ui.built.conftest import Meet, Someone
from tests.ui.built.screens import Chat

COUNT = "create count.py that writes 1 to 4 to count.txt, one a second, and run it"


def test_a_sub_agents_work_is_seen_as_it_goes_on(anna: Someone):
    page, chat = anna.page, Chat(anna.page)
    chat.say(COUNT)
    page.get_by_role("link", name=re.compile(r"coding-[0-9a-f]{8}")).first.click()
    channel = page.get_by_role("main")
    for tool in ("write", "bash"):
        expect(channel.get_by_text(tool, exact=True).first).to_be_visible(timeout=60_000)
    [working] = anna.person.get("/actors/me/sub-agents")["data"]
    assert working["state"] == "working", "what is seen is not the end of it"
    expect(channel).to_contain_text("count.txt", timeout=30_000)
    page.get_by_role("link", name="Chat", exact=True).click()
    chat.expect_answer("count.txt", 30)


def test_a_note_appears_and_is_undone(meet: Meet):
    anna = meet("/app/memory/")
    page, note = anna.page, '{"path": "notes/tea.md", "content": "Anna likes *green* tea"}'
    anna.person.ask(f"[[tools commit_memory {note}]] [[say Noted.]]")
    page.get_by_role("treeitem", name="tea.md").click()
    expect(page.get_by_role("main")).to_contain_text("Anna likes green tea")
    history = page.get_by_role("complementary", name="History")
    history.get_by_role("list").get_by_role("button").first.click()
    expect(page.get_by_role("region", name=re.compile("changed$"))).to_contain_text("*green* tea")
    anna.visitor.expect_complaints(r"status of 404 .*/memory/notes%2Ftea\.md$")
    page.get_by_role("button", name="Undo", exact=True).click()
    expect(page.get_by_role("treeitem", name="tea.md")).to_be_hidden()
    assert anna.person.http.get("/memory/notes/tea.md").status_code == 404
