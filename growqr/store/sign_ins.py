"""Browsers that are signed in, and the links by which the first one is."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from growqr import names
from growqr.errors import NotFound
from growqr.store.audit import OPERATOR, Act
from growqr.store.engine import Database


class Browser(NamedTuple):
    """What a sign-in remembers of its browser. `sha`: SHA-256 of the cookie's value."""

    sha: bytes
    agent: str
    ttl: float


class SignIn(NamedTuple):
    """A browser that is signed in. `way`: link, token, or the provider's name."""

    id: str
    user_id: str
    way: str
    address: str
    agent: str
    created_at: datetime
    used_at: datetime
    expires_at: datetime


class SignIns:
    """Who is signed in where."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def make_link(self, user_id: str, sha: bytes, ttl: float, by: Act = OPERATOR) -> None:
        """A link with this hash signs `user_id` in, once, within `ttl` seconds."""
        noted = by.noted("sign_in_link.made")
        await self._db.all("make_sign_in_link", dict, sha=sha, user=user_id, ttl=ttl, **noted)

    async def exchange(self, link: bytes, browser: Browser, by: Act) -> tuple[str, str] | None:
        """(sign-in, user) for a link's hash; None when it is unknown, used or over."""
        made = names.new_id("sgn")
        row = await self._db.one(
            "exchange_link", dict, link=link, id=made, **_told(browser),
            **by.noted("sign_in.begun", way="link"),
        )  # fmt: skip
        return (made, row["user_id"]) if row else None

    async def begin(self, user_id: str, way: str, browser: Browser, by: Act) -> str:
        """Sign the user in on this browser; the id of the sign-in."""
        made = names.new_id("sgn")
        await self._db.all(
            "begin_sign_in", dict, id=made, user=user_id, way=way, **_told(browser),
            **by.noted("sign_in.begun", way=way),
        )  # fmt: skip
        return made

    async def list(self, user_id: str) -> list[SignIn]:
        """Where the user is signed in, oldest first."""
        return await self._db.all("list_sign_ins", SignIn, user=user_id)

    async def end(self, user_id: str, sign_in_id: str, by: Act) -> None:
        """End one of the user's, on every replica at once. Raises NotFound."""
        if not await self._end(user_id, sign_in_id, by):
            raise NotFound("there is no such sign-in")

    async def end_all(self, user_id: str, by: Act) -> int:
        """End all of the user's; how many there were."""
        return await self._end(user_id, None, by)

    async def _end(self, user_id: str, sign_in_id: str | None, by: Act) -> int:
        rows = await self._db.all(
            "end_sign_ins", dict, user=user_id, id=sign_in_id, **by.noted("sign_in.ended")
        )
        if rows:
            self._db.notifier.revoked()
        return len(rows)


def _told(browser: Browser) -> dict[str, object]:
    return {"sha": browser.sha, "agent": browser.agent[:200], "ttl": browser.ttl}
