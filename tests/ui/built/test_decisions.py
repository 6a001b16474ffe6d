"""What waits for a person is decided once, from whichever tab, and however often it is pressed."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, Request, expect

from tests.ui.built.conftest import TURN_TOKENS, Meet, Someone
from tests.ui.built.screens import Chat, said

ASK = '[[tools ask_user {"question": "Which colour?", "options": ["red", "green"]}]]'
SPEND = f'[[tools commit_memory {{"path": "a.md", "content": "a"}}]] {"x" * 5 * TURN_TOKENS}'
"""Its first call uses up what a turn may use."""


@pytest.fixture
def anna(meet: Meet) -> Someone:
    """Before the decisions."""
    return meet("/app/decisions")


def sent_by(page: Page) -> list[str]:
    """Answers that leave the page, from now on."""
    sent: list[str] = []
    answers = re.compile(r"/(approvals|questions)/")

    def look(request: Request) -> None:
        if request.method == "POST" and answers.search(request.url):
            sent.append(request.url)

    page.on("request", look)
    return sent


@pytest.mark.parametrize(("verdict", "state"), [("Approve", "completed"), ("Deny", "failed")])
def test_a_budget_is_decided_once(anna: Someone, verdict: str, state: str):
    page, turn, sent = anna.page, anna.person.say(SPEND), sent_by(anna.page)
    button = page.get_by_role("main").get_by_role("button", name=verdict)
    button.dblclick()
    expect(button).to_be_hidden()
    assert anna.person.ended(turn)["state"] == state
    assert len(sent) == 1
    assert anna.person.get("/approvals")["data"] == []


def test_two_tabs_show_the_same_and_a_question_is_answered_once(anna: Someone):
    page, other = anna.page, anna.tab("/app/decisions")
    turn, sent = anna.person.say(ASK), sent_by(anna.page)
    for tab in (page, other):
        expect(tab.get_by_role("main").get_by_text("Which colour?")).to_be_visible()
        expect(tab.get_by_role("button", name="green")).to_be_visible()
    page.get_by_role("textbox", name="Answer").fill("violet")
    page.get_by_role("button", name="Answer").dblclick()
    for tab in (page, other):
        expect(tab.get_by_role("textbox", name="Answer")).to_be_hidden()
    assert anna.person.ended(turn)["result"].endswith("violet")
    assert len(sent) == 1
    for tab in (page, other):
        tab.goto(f"{anna.url}/app")
    chats = [Chat(page), Chat(other)]
    chats[0].say("[[slow 0.05]] [[say One reply, in two tabs at once.]]")
    for chat in chats:
        chat.expect_answer("One reply, in two tabs at once.")
        assert chat.transcript() == said(anna.person)
