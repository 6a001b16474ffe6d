"""The way to the instance is lost in mid-reply: afterwards the page shows what the server has."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from anyio.from_thread import BlockingPortal
from playwright.sync_api import expect

from tests.fakes.proxy import FaultProxy
from tests.instances import Instance
from tests.ui.built.conftest import Meet
from tests.ui.built.screens import Chat, said

AWAY = 10
"""Seconds."""

WORDS = " ".join(f"word-{number}" for number in range(170))


@pytest.fixture
def line(running: Instance, portal: BlockingPortal) -> Iterator[FaultProxy]:
    """A way to the instance that can be cut."""
    port = urlsplit(running.url).port or 80
    with portal.wrap_async_context_manager(FaultProxy("127.0.0.1", port)) as proxy:
        yield proxy


def test_a_cut_of_ten_seconds_in_mid_reply(meet: Meet, line: FaultProxy, portal: BlockingPortal):
    anna = meet(url=f"http://127.0.0.1:{line.port}")
    anna.visitor.expect_complaints(r"net::ERR_")
    chat = Chat(anna.page)
    chat.say("[[say First.]]")
    chat.expect_answer("First.")
    chat.say(f"[[slow 0.08]] [[say {WORDS}]]")
    expect(chat.written().last).to_contain_text("word-9 ")
    line.mode = "refuse"
    portal.call(line.cut)
    anna.person.say("[[say Last.]]")  # from elsewhere
    expect(anna.page.get_by_role("status").filter(has_text="No connection since")).to_be_visible()
    anna.page.wait_for_timeout(AWAY * 1000)
    line.mode = "pass"
    expect(chat.rows("Agent")).to_have_count(3, timeout=30_000)
    expect(chat.stop).to_be_hidden()
    assert chat.transcript() == said(anna.person)
    assert chat.messages.inner_text().count("word-99 ") == 2, "asked for and said, each once"
    anna.page.reload()
    expect(chat.rows("Agent")).to_have_count(3)
    assert chat.transcript() == said(anna.person)
