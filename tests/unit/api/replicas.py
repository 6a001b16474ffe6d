"""A served application, and the streams that a client opens of it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import psycopg
from fastapi import FastAPI
from httpx_sse import EventSource, ServerSentEvent, aconnect_sse

from growqr.api import make_app
from growqr.api.stream import Hub
from growqr.config import Settings
from growqr.identity import mint
from growqr.store import Store, User
from tests.fakes.serving import serving
from tests.unit.api.conftest import RecordedDirectory


class Replica:
    """A served application and Alice's way to it."""

    def __init__(self, app: FastAPI, client: httpx.AsyncClient) -> None:
        self.hub: Hub = app.state.context.hub
        self.client = client

    @asynccontextmanager
    async def events(
        self,
        path: str = "/actors/me/events",
        last: int | None = None,
        seconds: float = 20,
        **query: Any,
    ) -> AsyncIterator[AsyncIterator[ServerSentEvent]]:
        head = {} if last is None else {"Last-Event-ID": str(last)}
        async with (
            aconnect_sse(self.client, "GET", path, headers=head, params=query) as source,
            asyncio.timeout(seconds),
        ):
            source.response.raise_for_status()
            yield listening(source)


async def listening(source: EventSource) -> AsyncIterator[ServerSentEvent]:
    async for event in source.aiter_sse():
        yield event


async def durable(events: AsyncIterator[ServerSentEvent], count: int) -> list[int]:
    """The next `count` numbers, pings and deltas left out."""
    seen: list[int] = []
    while len(seen) < count:
        event = await anext(events)
        if event.event not in ("ping", "delta"):
            assert json.loads(event.data)["seq"] == int(event.id)
            seen.append(int(event.id))
    return seen


@asynccontextmanager
async def replica(
    settings: Settings, store: Store, user: User, *, patience: float = 0.5
) -> AsyncIterator[Replica]:
    hub = Hub(store, ping=0.3, poll=0.2, patience=patience)
    app = make_app(settings, store, RecordedDirectory(), hub=hub)
    head = {"Authorization": f"Bearer {mint(settings, user.subject)}"}
    async with serving(app) as url:
        async with httpx.AsyncClient(base_url=f"{url}/api/v1", headers=head, timeout=20) as client:
            yield Replica(app, client)
            hub.close()


async def write(store: Store, user: User, count: int, text: str = "x") -> None:
    for _ in range(count):
        await store.messages.accept(user.id, text)


async def silently(database_url: str, user: User, count: int) -> None:
    """Events that come without a word to any listener."""
    async with await psycopg.AsyncConnection.connect(database_url, autocommit=True) as conn:
        await conn.execute(
            "with s as (update stream set last_seq = last_seq + %(n)s where user_id = %(u)s"
            " returning last_seq) insert into event (user_id, seq, type, data)"
            " select %(u)s, last_seq - %(n)s + i, 'error', '{}'"
            " from s, generate_series(1, %(n)s) as i",
            {"n": count, "u": user.id},
        )
