"""Tabs that nobody sees, and where the focus goes."""

from __future__ import annotations

from playwright.sync_api import Page, Request, expect

from tests.ui.built.conftest import Someone
from tests.ui.built.screens import Chat, said

MINUTE = 61_000
SEE = """seen => {
  Object.defineProperty(document, 'visibilityState', {get: () => seen, configurable: true});
  document.dispatchEvent(new Event('visibilitychange'));
}"""


def is_stream(request: Request) -> bool:
    return request.url.endswith("/actors/me/events")


def test_a_hidden_tab_gives_its_stream_up_and_misses_nothing(anna: Someone):
    page, chat = anna.page, Chat(anna.page)
    page.clock.install()
    page.reload()
    chat.say("[[say One.]]")
    chat.expect_answer("One.")
    page.evaluate(SEE, "hidden")
    with page.expect_event("requestfailed", is_stream):
        page.clock.fast_forward(MINUTE)
    anna.person.ask("[[say Two.]]")
    page.evaluate(SEE, "visible")
    chat.expect_answer("Two.")
    assert chat.transcript() == said(anna.person)


def test_a_hidden_tab_tells_what_waits(anna: Someone):
    page = anna.page
    page.clock.install()
    page.reload()
    expect(page).to_have_title("Grow Agent · growqr")
    page.evaluate(SEE, "hidden")
    with page.expect_event("requestfailed", is_stream):
        page.clock.fast_forward(MINUTE)
    anna.person.say('[[tools ask_user {"question": "Which?", "options": ["red", "green"]}]]')
    with page.expect_request(is_stream):
        page.clock.fast_forward(MINUTE)
    expect(page).to_have_title("(1) Grow Agent · growqr")


def focused(page: Page, name: str) -> None:
    expect(page.get_by_role("button", name=name)).to_be_focused()


def test_the_focus_comes_back_to_where_it_was(anna: Someone):
    page = anna.page
    made = anna.person.http.post("/threads", json={"title": "Of tea"})
    assert made.status_code == 201
    page.reload()
    page.get_by_role("button", name="Actions for Of tea").focus()
    page.keyboard.press("Enter")
    page.get_by_role("menuitem", name="Rename").press("Enter")
    expect(page.get_by_role("dialog", name="Rename thread")).to_be_visible()
    page.keyboard.press("Escape")
    focused(page, "Actions for Of tea")
    page.get_by_role("button", name="Account and theme").focus()
    page.keyboard.press("Enter")
    page.get_by_role("menuitem", name="Keyboard shortcuts").press("Enter")
    expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_visible()
    page.keyboard.press("Escape")
    focused(page, "Account and theme")
