"""What is attacked: replicas of the ingress on loopback over one real database, and who knocks."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import httpx
from fastapi import FastAPI

from growqr.api import make_app
from growqr.api.stream import Hub
from growqr.config import Settings
from growqr.identity import mint
from growqr.store import Limits, Store, User
from tests.fakes.serving import serving
from tests.unit.api.conftest import RecordedDirectory

API = "/api/v1"
SECRET = bytes(range(32))
"""That tokens of agents and services are made with."""

Wrap = Callable[[FastAPI], Any]


class House:
    """One instance, as seen from the street."""

    def __init__(self, settings: Settings, store: Store, stack: AsyncExitStack) -> None:
        self.settings, self.store, self._stack = settings, store, stack
        self.directory = RecordedDirectory()
        self.apps: list[FastAPI] = []
        self.urls: list[str] = []

    async def open(self, wrap: Wrap | None = None) -> None:
        """One more replica."""
        most = Limits(self.settings.limit_streams, self.settings.limit_key_streams)
        hub = Hub(self.store, ping=0.3, poll=0.2, patience=5.0, most=most)
        app = make_app(self.settings, self.store, self.directory, hub=hub)
        self._stack.callback(hub.close)
        self.apps.append(app)
        url = await self._stack.enter_async_context(serving(wrap(app) if wrap else app))
        self.urls.append(url)

    async def stranger(self, replica: int = 0, **headers: str) -> httpx.AsyncClient:
        """Somebody with these headers alone."""
        made = httpx.AsyncClient(base_url=self.urls[replica] + API, headers=headers, timeout=20)
        return await self._stack.enter_async_context(made)

    async def person(self, user: User, replica: int = 0) -> httpx.AsyncClient:
        """A user with a bearer token."""
        token = mint(self.settings, user.subject)
        return await self.stranger(replica, Authorization=f"Bearer {token}")

    async def browser(self, user: User, replica: int = 0) -> httpx.AsyncClient:
        """A user's browser on one of our pages, signed in by its cookie."""
        made = await self.stranger(replica, Origin=self.urls[replica])
        token = {"Authorization": f"Bearer {mint(self.settings, user.subject)}"}
        answer = await made.post("/auth/exchange", json={}, headers=token)
        assert answer.status_code == 204, answer.text
        assert len(made.cookies) == 1
        return made

    async def key(self, owner: httpx.AsyncClient, *scopes: str, **more: Any) -> dict[str, Any]:
        """A new API key of the owner's, as it was shown."""
        body = {"name": "a program", "scopes": list(scopes)} | more
        answer = await owner.post("/api-keys", json=body)
        assert answer.status_code == 201, answer.text
        shown: dict[str, Any] = answer.json()
        return shown

    async def program(self, key: dict[str, Any], replica: int = 0) -> httpx.AsyncClient:
        """Whoever holds that key."""
        return await self.stranger(replica, Authorization=f"Bearer {key['key']}")


@asynccontextmanager
async def house(
    settings: Settings, store: Store, replicas: int = 1, wrap: Wrap | None = None
) -> AsyncIterator[House]:
    """An instance with so many replicas; `wrap` may stand around each app."""
    settings.secrets.mkdir(parents=True, exist_ok=True, mode=0o700)
    (settings.secrets / "instance.key").write_text(SECRET.hex())
    async with AsyncExitStack() as stack:
        made = House(settings, store, stack)
        for _ in range(replicas):
            await made.open(wrap)
        yield made


def problem(answer: httpx.Response, status: int, code: str | None = None) -> dict[str, Any]:
    """The problem document of a refusal, without the id that differs from one to the next."""
    asked = f"{answer.request.method} {answer.request.url!s:.200}"
    assert answer.status_code == status, f"{asked}: {answer.status_code} {answer.text:.300}"
    assert answer.headers["content-type"] == "application/problem+json", asked
    body: dict[str, Any] = answer.json()
    assert body.pop("request_id") == answer.headers["x-request-id"]
    assert code in (None, body["code"]), f"{asked}: {body}"
    return body
