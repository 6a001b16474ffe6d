"""Notes are written by people too: no text is lost, none of others is replaced unseen."""

from __future__ import annotations

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.instances import Person
from tests.ui.built.conftest import Meet, Someone


def write(person: Person, path: str, content: str) -> None:
    assert person.http.put(f"/memory/{path}", json={"content": content}).status_code == 200


def content(person: Person, path: str) -> str:
    return str(person.get(f"/memory/{path}")["content"])


def box(page: Page) -> Locator:
    return page.get_by_role("textbox", name="Content")


def press(page: Page, name: str) -> None:
    page.get_by_role("main").get_by_role("button", name=name, exact=True).click()


@pytest.fixture
def anna(meet: Meet) -> Someone:
    """Before two notes, one of them open."""
    anna = meet(None)
    for path in ("notes/tea.md", "notes/cake.md"):
        write(anna.person, path, "first")
    anna.page.goto(f"{anna.url}/app/memory/notes/tea.md")
    return anna


def test_unsaved_text_stays(anna: Someone):
    page = anna.page
    press(page, "Edit")
    box(page).fill("half a tho")
    history = page.get_by_role("complementary", name="History")
    history.get_by_role("list").get_by_role("button").first.click()
    expect(box(page)).to_be_hidden()
    press(page, "Back to the file")
    expect(box(page)).to_have_value("half a tho")
    page.get_by_role("treeitem", name="cake.md").click()
    expect(page.get_by_role("main")).to_contain_text("notes/cake.md")
    expect(box(page)).to_be_hidden()
    press(page, "New note")
    box(page).fill("something new")
    page.get_by_role("treeitem", name="tea.md").click()
    expect(box(page)).to_have_value("half a tho")
    page.reload()
    expect(box(page)).to_have_value("half a tho")
    press(page, "New note")
    expect(box(page)).to_have_value("something new")
    press(page, "Cancel")
    press(page, "Save")
    expect(page.get_by_role("main")).to_contain_text("half a tho")
    assert content(anna.person, "notes/tea.md") == "half a tho"
    page.reload()
    expect(page.get_by_role("button", name="Edit")).to_be_visible()


def test_nothing_is_replaced_unseen(anna: Someone):
    page = anna.page
    anna.visitor.expect_complaints(r"status of 412 ")
    press(page, "New note")
    page.get_by_role("textbox", name="Path").fill("notes/cake.md")
    box(page).fill("mine")
    press(page, "Save")
    expect(page.get_by_role("alert")).to_contain_text("There is a file of this name")
    assert content(anna.person, "notes/cake.md") == "first"
    press(page, "Replace it")
    press(page, "Save")
    expect(page.get_by_role("button", name="Edit")).to_be_visible()
    assert content(anna.person, "notes/cake.md") == "mine"
