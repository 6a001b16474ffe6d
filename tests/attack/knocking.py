"""Ways to knock that the attacks share: streams that are watched, links, requests by hand."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import httpx

from growqr.identity import new_ticket
from growqr.store import OPERATOR, Browser, Store, User
from tests.attack.house import House
from tests.attack.raw import spoken

SOON = 3.0
"""Seconds within which an open stream ends once its caller may not be there any more."""


@asynccontextmanager
async def stream(who: httpx.AsyncClient) -> AsyncIterator[Callable[..., Awaitable[None]]]:
    """An open stream; what is given waits for its end."""
    async with who.stream("GET", "/actors/me/events") as answer:
        assert answer.status_code == 200
        pieces = answer.aiter_bytes()

        async def ended(seconds: float = SOON) -> None:
            async with asyncio.timeout(seconds):
                async for _ in pieces:
                    pass

        yield ended


def name_of(browser: httpx.AsyncClient) -> str:
    """Of the one cookie that it has."""
    [cookie] = browser.cookies.jar
    return cookie.name


async def fresh_link(store: Store, user: User) -> str:
    """The secret of a sign-in link."""
    ticket, sha = new_ticket()
    await store.sign_ins.make_link(user.id, sha, 60.0)
    return ticket


async def signed_in(store: Store, user: User) -> str:
    """The value of a cookie."""
    ticket, sha = new_ticket()
    await store.sign_ins.begin(user.id, "token", Browser(sha, "", 60.0), OPERATOR)
    return ticket


async def post(ours: House, path: str, head: dict[str, str], body: str) -> str:
    lines = {"Host": "x", "Content-Type": "application/json", "Content-Length": str(len(body))}
    text = "".join(f"{name}: {value}\r\n" for name, value in (lines | head).items())
    return await spoken(ours.urls[0], f"POST {path} HTTP/1.1\r\n{text}\r\n{body}".encode())


async def get(ours: House, path: str, head: dict[str, str]) -> str:
    text = "".join(f"{name}: {value}\r\n" for name, value in ({"Host": "x"} | head).items())
    return await spoken(ours.urls[0], f"GET {path} HTTP/1.1\r\n{text}\r\n".encode())
