"""Invites: who may come in although the gate is closed, and as what."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from psycopg.errors import UniqueViolation

from growqr import names
from growqr.errors import Conflict, NotFound
from growqr.store.audit import Act
from growqr.store.engine import Database
from growqr.store.users import Role

INVITE_TTL = 7 * 86400.0
"""Seconds an invite is open."""


class Invite(NamedTuple):
    """An invite as admins see it; with an `email` only that address may use it."""

    id: str
    email: str | None
    role: Role
    created_by: str
    created_at: datetime
    expires_at: datetime
    used_by: str | None
    used_at: datetime | None


class OpenInvite(NamedTuple):
    """One that can be used."""

    id: str
    email: str | None
    role: Role


class Invites:
    """Of everybody; each makes one user."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def make(
        self, user_id: str, sha: bytes, *, email: str | None, role: Role, by: Act,
        ttl: float = INVITE_TTL, key: str | None = None,
    ) -> Invite:  # fmt: skip
        """An invite whose link has this hash. Raises Conflict for a `key` that made one before."""
        made_id = names.derived_id("inv", user_id, key) if key else names.new_id("inv")
        try:
            [made] = await self._db.all(
                "make_invite", Invite, id=made_id, sha=sha, email=email, role=role,
                user=user_id, ttl=ttl, **by.noted("invite.made", role=role),
            )  # fmt: skip
        except UniqueViolation:
            raise Conflict(
                "an invite was made with this Idempotency-Key before; its link was shown once. "
                "For another one send another Idempotency-Key, or none"
            ) from None
        return made

    async def list(self, *, limit: int, after: str | None = None) -> list[Invite]:
        """Oldest first, used ones too."""
        return await self._db.all("list_invites", Invite, after=after or "", limit=limit)

    async def withdraw(self, invite_id: str, by: Act) -> None:
        """It opens nothing any more. Raises NotFound, also for one that was used."""
        noted = by.noted("invite.withdrawn")
        if not await self._db.all("withdraw_invite", dict, id=invite_id, **noted):
            raise NotFound("there is no such invite, or it was used")

    async def open(self, sha: bytes | None, email: str | None) -> OpenInvite | None:
        """The invite of that link, or for that address."""
        return await self._db.one("open_invite", OpenInvite, sha=sha, email=email)
