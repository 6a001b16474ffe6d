"""The door's one way to the database: who stands behind a token, and how much of it there was.

Counts are of all replicas, in tables that a crash of the database empties: nobody minds.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Literal, NamedTuple

from growqr import names
from growqr.errors import TooMany
from growqr.store.engine import Database

WINDOW = 60
"""Seconds of a window; it begins with its first request."""

STREAM_TTL = 45.0
"""Seconds after which the streams of a replica that died count no more."""


class Limits(NamedTuple):
    """Of a user and of an API key: requests in a window, 0: no limit; or open streams."""

    user: int
    key: int


class Way(NamedTuple):
    """How somebody came in: `via` is the sign-in's or key's id, empty for a JWT."""

    user_id: str
    kind: Literal["token", "sign_in", "api_key", "stack"]
    via: str


class Admitted(NamedTuple):
    """Somebody known. `used`: requests of this window with this one, `rest`: seconds it lasts."""

    user_id: str
    name: str
    role: Literal["member", "admin"]
    suspended: bool
    kind: Literal["token", "sign_in", "api_key"]
    via: str
    expires_at: datetime | None
    scopes: list[str] | None
    user_used: int | None
    user_rest: float | None
    key_used: int | None
    key_rest: float | None


class Counted(NamedTuple):
    """Requests of a window, and the seconds it still lasts."""

    used: int
    rest: float


class Admissions:
    """Who comes in, and what is open."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def token(self, user_id: str, limits: Limits) -> Admitted | None:
        """The user a verified JWT names; None before their first sight."""
        return await self._admit(limits, user=user_id)

    async def cookie(self, sha: bytes, limits: Limits) -> Admitted | None:
        """Whoever is signed in with the cookie of this hash."""
        return await self._admit(limits, cookie=sha)

    async def api_key(self, key_id: str, sha: bytes, limits: Limits) -> Admitted | None:
        """The owner of a key of this id and hash, which is neither revoked nor over."""
        return await self._admit(limits, key=key_id, key_sha=sha)

    async def _admit(
        self, limits: Limits, *, user: str | None = None, cookie: bytes | None = None,
        key: str | None = None, key_sha: bytes | None = None,
    ) -> Admitted | None:  # fmt: skip
        return await self._db.one(
            "admit", Admitted, user=user, cookie=cookie, key=key, key_sha=key_sha,
            user_limit=limits.user, key_limit=limits.key,
        )  # fmt: skip

    async def stranger(self, address: str) -> Counted:
        """One more request of nobody in particular, from this address."""
        row = await self._db.one("count_stranger", dict, key=f"address:{address}")
        return Counted(row["used"], row["rest"]) if row else Counted(0, 0.0)

    async def dead(self, ways: Sequence[Way]) -> set[Way]:
        """Those of `ways` that were revoked, or whose user was suspended."""
        columns = list(zip(*ways, strict=True)) or [(), (), ()]
        users, kinds, vias = (list(column) for column in columns)
        return set(await self._db.all("dead_ways", Way, users=users, kinds=kinds, vias=vias))

    async def open_stream(self, way: Way, replica: str, most: Limits) -> str:
        """A place for one more stream, as long as its replica lives. Raises TooMany."""
        stream, key = names.new_id("str"), way.via if way.kind == "api_key" else None
        user = way.user_id
        await self._db.all(
            "open_stream", dict, id=stream, user=user, key=key, replica=replica, ttl=STREAM_TTL
        )
        [count] = await self._db.all("count_streams", dict, user=user, key=key)
        if count["of_user"] <= most.user and count["of_key"] <= most.key:
            return stream
        await self.close_stream(stream)
        users = count["of_user"] > most.user
        who, bound = ("a user", most.user) if users else ("an API key", most.key)
        raise TooMany(f"{who} may have {bound} streams open; close one")

    async def close_stream(self, stream: str) -> None:
        """Give the place back."""
        await self._db.all("close_stream", dict, id=stream)

    async def keep_streams(self, replica: str) -> None:
        """The replica lives, and so do its streams."""
        await self._db.all("keep_streams", dict, replica=replica, ttl=STREAM_TTL)
