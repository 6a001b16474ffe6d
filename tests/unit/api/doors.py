"""Replicas with settings of their own, and browsers and programs that come to them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
from fastapi import FastAPI

from growqr.api import make_app
from growqr.api.stream import Hub
from growqr.config import Settings
from growqr.identity import mint, new_ticket
from growqr.store import Store, User
from tests.unit.api.conftest import RecordedDirectory

ORIGIN = "http://growqr"


@asynccontextmanager
async def door(settings: Settings, store: Store, **changed: Any) -> AsyncIterator[FastAPI]:
    """One replica over the store, whose settings differ by `changed`."""
    given = settings.model_dump(exclude_unset=True) | changed
    hub = Hub(store, ping=0.3, poll=0.2, patience=0.5)
    app = make_app(Settings.model_validate(given), store, RecordedDirectory(), hub=hub)
    async with app.router.lifespan_context(app):
        yield app


def coming(
    app: FastAPI, *, base: str = ORIGIN, address: str = "192.0.2.1", **headers: str
) -> httpx.AsyncClient:
    """Somebody with these headers, `_` for `-`; keeps the cookies they are given."""
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(app, client=(address, 1)),
        base_url=f"{base}/api/v1",
        headers={name.replace("_", "-"): value for name, value in headers.items()},
    )


def bearer(settings: Settings, user: User) -> str:
    return f"Bearer {mint(settings, user.subject)}"


async def link_of(store: Store, user: User) -> str:
    """The secret part of a sign-in link."""
    ticket, sha = new_ticket()
    await store.sign_ins.make_link(user.id, sha, 600)
    return ticket


@asynccontextmanager
async def signed_in(
    app: FastAPI, store: Store, user: User, **headers: str
) -> AsyncIterator[httpx.AsyncClient]:
    """A browser of the user's with its cookie, on a page of ours."""
    async with coming(app, origin=ORIGIN, **headers) as browser:
        answer = await browser.post("/auth/exchange", json={"link": await link_of(store, user)})
        assert answer.status_code == 204, answer.text
        yield browser


def refusal(answer: httpx.Response, status: int, rule: str | None = None) -> dict[str, Any]:
    """The problem that refuses, by this rule."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    body: dict[str, Any] = answer.json()
    assert body.get("rule") == rule
    return body
