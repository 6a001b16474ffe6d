"""A real Chromium before the real product. What its console complains of fails the test."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from anyio.from_thread import BlockingPortal, start_blocking_portal
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.ui.entrance import ENTRANCES
from tests.ui.product import Site, site_of

SHOTS = Path(__file__).parents[2] / "dist" / "ui"
CHROMIUM = "/usr/bin/chromium"
FLAGS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--disable-dev-shm-usage",
)  # fmt: skip
EXPECTED = re.compile(r"status of (401 .*/api/v1/|404 .*/favicon\.ico$)")
"""Whoever asks whether they are signed in may hear that they are not; fakes have no icon."""

_failed = pytest.StashKey[bool]()

expect.set_options(timeout=8_000)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[Any]:
    report = yield
    item.stash[_failed] = item.stash.get(_failed, False) or report.failed
    return report


@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    """One for all tests of this folder: afterwards other tests may use event loops again."""
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        yield launched
        launched.close()


@pytest.fixture(scope="package")
def portal() -> Iterator[BlockingPortal]:
    """A loop in a thread of its own, for servers: Playwright has the main one."""
    with start_blocking_portal("asyncio") as opened:
        yield opened


Sites = Callable[..., Site]


@pytest.fixture(scope="package", params=ENTRANCES)
def site(
    request: pytest.FixtureRequest,
    postgres_url: str,
    portal: BlockingPortal,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Site]:
    """With the built-in issuer alone."""
    folder = tmp_path_factory.mktemp("site")
    with site_of(postgres_url, folder, portal, lambda _: {}, request.param) as up:
        yield up


class Visitor:
    """A browser of somebody: its own cookies, and everything it complained of."""

    def __init__(self, context: BrowserContext) -> None:
        self.context = context
        self.complaints: list[str] = []
        self.expected: list[str] = []
        context.on("console", lambda said: self._hear(said.type, said.text, said.location))
        context.on("weberror", lambda found: self.complaints.append(str(found.error)))
        self.page = context.new_page()

    def _hear(self, kind: str, text: str, place: Any) -> None:
        line = f"{text} at {place.get('url', '')}"
        if kind == "error" and not EXPECTED.search(line):
            self.complaints.append(line)

    def expect_complaints(self, *patterns: str) -> None:
        """What this test provokes."""
        self.expected += patterns

    def unexpected(self) -> list[str]:
        return [
            line
            for line in self.complaints
            if not any(re.search(pattern, line) for pattern in self.expected)
        ]

    def tab(self) -> Page:
        """Another page of the same browser."""
        return self.context.new_page()

    @property
    def cookie(self) -> dict[str, Any]:
        """The one that we gave."""
        [found] = [c for c in self.context.cookies() if c["name"].endswith("growqr_session")]
        return dict(found)


@pytest.fixture
def visitors(chromium: Browser, request: pytest.FixtureRequest) -> Iterator[Callable[..., Visitor]]:
    """Makes browsers that know nothing of each other; keeps what they looked like at the end."""
    made: list[Visitor] = []

    def visitor(*, traced: bool = True, **options: Any) -> Visitor:
        context = chromium.new_context(**options)
        context.set_default_timeout(8_000)
        context.tracing.start(screenshots=traced, snapshots=traced)  # both cost the page time
        made.append(Visitor(context))
        return made[-1]

    yield visitor
    SHOTS.mkdir(parents=True, exist_ok=True)
    failed = request.node.stash.get(_failed, False)
    for number, found in enumerate(made):
        name = re.sub(r"\W+", "-", request.node.name).strip("-") + (f"-{number}" if number else "")
        if not found.page.is_closed():
            found.page.screenshot(path=SHOTS / f"{name}.png", full_page=True)
        found.context.tracing.stop(path=SHOTS / f"{name}.zip" if failed else None)
        found.context.close()
    assert [line for found in made for line in found.unexpected()] == []


@pytest.fixture
def visitor(visitors: Callable[..., Visitor]) -> Visitor:
    """Somebody's browser."""
    return visitors()
