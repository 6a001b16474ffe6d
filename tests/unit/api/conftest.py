"""The ingress over the real store, with a directory that records what it is told."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from growqr.api import make_app
from growqr.api.stream import Hub
from growqr.config import Settings
from growqr.directory import Lease
from growqr.identity import mint
from growqr.store import Store, User


class RecordedDirectory:
    """Speaks for agents that are not there: remembers the leases it was asked about."""

    def __init__(self) -> None:
        self.woken: list[Lease] = []
        self.stopped: list[Lease] = []

    async def wake(self, lease: Lease) -> None:
        self.woken.append(lease)

    async def watch(self, lease: Lease) -> None:
        await asyncio.Event().wait()

    async def stop(self, lease: Lease) -> None:
        self.stopped.append(lease)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings.model_validate({"data": tmp_path})


@pytest.fixture
def directory() -> RecordedDirectory:
    return RecordedDirectory()


@pytest.fixture
async def app(
    settings: Settings,
    store: Store,
    directory: RecordedDirectory,
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[FastAPI]:
    """One replica, its hub running, with short times."""
    monkeypatch.setattr("growqr.api.routes.memory.COMMIT_SECONDS", 0.05)
    hub = Hub(store, ping=0.3, poll=0.2, patience=0.5)
    made = make_app(settings, store, directory, hub=hub)
    async with made.router.lifespan_context(made):
        yield made


def client_of(app: FastAPI, settings: Settings, user: User) -> httpx.AsyncClient:
    token = mint(settings, user.subject)
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(app),
        base_url="http://growqr/api/v1",
        headers={"Authorization": f"Bearer {token}"},
    )


@pytest.fixture
async def client(app: FastAPI, settings: Settings, alice: User) -> AsyncIterator[httpx.AsyncClient]:
    """Alice over the canonical paths."""
    async with client_of(app, settings, alice) as made:
        yield made


@pytest.fixture
async def other(app: FastAPI, settings: Settings, bob: User) -> AsyncIterator[httpx.AsyncClient]:
    """Bob over the canonical paths."""
    async with client_of(app, settings, bob) as made:
        yield made


async def until(probe: Callable[[], Awaitable[bool] | bool], seconds: float = 5.0) -> None:
    """Return once the probe holds; fail after `seconds`."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            while True:
                found = probe()
                if found if isinstance(found, bool) else await found:
                    return
                await asyncio.sleep(0.01)
    raise AssertionError(f"not within {seconds:g} s: {probe}")
