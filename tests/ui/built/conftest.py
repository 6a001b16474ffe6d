"""The built web interface of a whole instance, and people whose browsers are signed in to it."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import pytest
from anyio.from_thread import BlockingPortal
from playwright.sync_api import Page

from growqr.api.pages import BUILT
from growqr.cli.link import sign_in_link
from tests.fakes.messages_api import MessagesApi
from tests.instance_fixtures import running_on
from tests.instances import Instance, Person
from tests.ui.conftest import Visitor

TURN_TOKENS = 5_000
"""What a turn may use before somebody must allow more."""

TOOLS = Path.home() / ".cache/growqr/tools"
"""OpenCode is fetched once for all runs of the tests."""


@pytest.fixture(scope="package")
def built() -> Path:
    """What `make web` made."""
    assert (BUILT / "index.html").is_file(), "the web interface is not built: run `make web`"
    return BUILT


@pytest.fixture(scope="package")
def running(
    built: Path, messages_api: MessagesApi, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Instance]:
    """One for all tests of this folder, before the scripted model."""
    settings = {"GROWQR_BUDGET_TURN_TOKENS": str(TURN_TOKENS), "GROWQR_TOOLS": str(TOOLS)}
    with running_on(messages_api, tmp_path_factory, **settings) as up:
        yield up


class Someone(NamedTuple):
    """A person with a browser that is signed in as them."""

    person: Person
    visitor: Visitor
    url: str

    @property
    def page(self) -> Page:
        return self.visitor.page

    def tab(self, path: str = "/app") -> Page:
        """Another page of the same browser."""
        page = self.visitor.tab()
        page.goto(self.url + path)
        return page


Meet = Callable[..., Someone]


@pytest.fixture
def meet(
    running: Instance, visitors: Callable[..., Visitor], portal: BlockingPortal
) -> Iterator[Meet]:
    """Signs somebody new in, or a person once more, without a page; then opens `path`."""

    def met(
        path: str | None = "/app", person: Person | None = None, url: str = "", **options: Any
    ) -> Someone:
        url = url or running.url
        if person is None:
            person = closing.enter_context(somebody(running))
        link = portal.call(asyncio.to_thread, sign_in_link, running.settings, person.name)
        visitor = visitors(**options)
        ticket = urlsplit(link).fragment.partition("=")[2]
        answer = visitor.context.request.post(
            f"{url}/api/v1/auth/exchange", data={"link": ticket}, headers={"origin": url}
        )
        assert answer.ok, answer.text()
        someone = Someone(person, visitor, url)
        if path is not None:
            someone.page.goto(url + path)
        return someone

    with ExitStack() as closing:
        yield met


@contextmanager
def somebody(instance: Instance) -> Iterator[Person]:
    """A person of their own, who hangs up at the end."""
    person = Person(instance, f"p-{uuid.uuid4().hex[:10]}")
    with person.http:
        come_before(person)
        yield person


def come_before(person: Person) -> None:
    """So that they are not led to the welcome page, and nothing is left of it."""
    made = person.http.post("/timers", json={"text": "hello", "seconds": 3600})
    assert made.status_code == 201, made.text
    taken = person.http.delete(f"/timers/{made.json()['id']}")
    assert taken.status_code == 200, taken.text


@pytest.fixture
def anna(meet: Meet) -> Someone:
    """Somebody new, before the chat."""
    return meet()
