"""Users as mirrored from their issuer."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from growqr import names
from growqr.errors import Unavailable
from growqr.store.engine import Database


class User(NamedTuple):
    """One person, as the issuer named them; `id` is ours."""

    id: str
    issuer: str
    subject: str
    name: str
    created_at: datetime


class Users:
    """Who has been seen at the door."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def ensure(self, user_id: str, *, issuer: str, subject: str, name: str) -> User:
        """The user, made on first sight together with counter, lease and master thread."""
        await self._db.all(
            "ensure_user",
            dict,
            user=user_id,
            issuer=issuer,
            subject=subject,
            name=name,
            lease_key=names.grow_agent(user_id),
            thread=names.new_id("thr"),
        )
        user = await self.get(user_id)
        if user is None:
            raise Unavailable(f"the user {user_id} could not be mirrored; try again")
        return user

    async def get(self, user_id: str) -> User | None:
        """The user with this id, if it was ever seen."""
        return await self._db.one("get_user", User, user=user_id)
