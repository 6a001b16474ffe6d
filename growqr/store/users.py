"""Users as mirrored from their issuer, and what they are here."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Literal, NamedTuple

from growqr import names
from growqr.errors import Conflict, NotFound, Unavailable
from growqr.store import sql
from growqr.store.audit import Act
from growqr.store.engine import Database, execute

Role = Literal["member", "admin"]


class User(NamedTuple):
    """One person, as the issuer named them; `id` is ours.

    `day_tokens`, `day_usd`: the hard caps of their day, 0: no limit; None: as the settings say.
    """

    id: str
    issuer: str
    subject: str
    name: str
    created_at: datetime
    role: Role
    email: str | None
    suspended_at: datetime | None
    day_tokens: int | None = None
    day_usd: float | None = None


class Users:
    """Who has been seen at the door. The first one ever is an admin."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def ensure(
        self, user_id: str, *, issuer: str, subject: str, name: str,
        email: str | None = None, invite: str | None = None, by: Act | None = None,
    ) -> User:  # fmt: skip
        """The user, made on first sight together with counter, lease and master thread.

        With an `invite`, of which each makes one user, only as long as it is open: else
        Conflict. An existing user uses none. `by`: None: they came by themselves.
        """
        by = by or Act(user_id, "gate")
        await self._db.all(
            "ensure_user", dict, user=user_id, issuer=issuer, subject=subject, name=name,
            email=email, invite=invite, lease_key=names.grow_agent(user_id),
            thread=names.new_id("thr"), **by.noted("user.made", issuer=issuer, invite=invite),
        )  # fmt: skip
        user = await self.get(user_id)
        if user is None and invite is not None:
            raise Conflict("the invite was used or withdrawn meanwhile; ask for another one")
        if user is None:
            raise Unavailable(f"the user {user_id} could not be mirrored; try again")
        return user

    async def get(self, user_id: str) -> User | None:
        """The user with this id, if it was ever seen."""
        return await self._db.one("get_user", User, user=user_id)

    async def list(self, *, limit: int, after: str | None = None) -> list[User]:
        """Everybody by id, from the one behind `after`."""
        return await self._db.all("list_users", User, after=after or "", limit=limit)

    async def change(
        self, user_id: str, by: Act, *, role: Role | None = None, suspended: bool | None = None,
        caps: Mapping[str, float | None] | None = None,
    ) -> User:  # fmt: skip
        """Another role, other hard caps (by their names in `User`), or shut out and let in again.

        Raises NotFound, Conflict for the last admin.
        Whoever is suspended is signed out everywhere, and their services are stopped; keys and
        tokens open nothing meanwhile.
        """
        caps = caps or {}
        noted = by.noted("user.changed", role=role, suspended=suspended, **caps)
        params = {"user": user_id, "role": role, "suspended": suspended, **noted}
        params |= {"caps": list(caps), "day_tokens": None, "day_usd": None} | dict(caps)
        async with self._db.transaction("change_user") as conn:
            await execute(conn, sql.texts()["lock_org"], {})
            rows = await execute(conn, sql.texts()["change_user"], params, User)
        if rows:
            self._db.notifier.revoked()
            self._db.notifier.work(names.stack(user_id))
            return User(*rows[0])
        if await self.get(user_id) is None:
            raise NotFound("there is no such user")
        raise Conflict("the last admin must stay one; make somebody else an admin first")
