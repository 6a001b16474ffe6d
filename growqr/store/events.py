"""The journal: read by cursor, written only together with what happened."""

from __future__ import annotations

from growqr.events import Event
from growqr.store.engine import Database


class Events:
    """Events of one user in order of `seq`, which counts without a gap."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def after(
        self,
        user_id: str,
        seq: int,
        *,
        thread_id: str | None = None,
        limit: int = 500,
        size: int = 2**62,
    ) -> list[Event]:
        """The next events behind `seq`, ascending; of one thread if given. [] when there are none.

        At most `limit`, and no more than about `size` bytes as Postgres keeps them.
        """
        which = "events_after" if thread_id is None else "thread_events_after"
        place = {"user": user_id, "thread": thread_id, "seq": seq}
        return await self._db.all(which, Event, **place, limit=limit, size=size)

    async def trouble(self, turn_id: str, *, seconds: float, limit: int) -> list[Event]:
        """What befell the user's services since the turn before this one, ascending.

        The newest `limit`, none from more than `seconds` before the turn came.
        """
        found = await self._db.all(
            "trouble_before", Event, turn=turn_id, seconds=seconds, limit=limit
        )
        return found[::-1]

    async def of_services(self, user_id: str, *, limit: int) -> list[Event]:
        """What became of a user's services, the newest first."""
        return await self._db.all("events_of_services", Event, user=user_id, limit=limit)

    async def bounds(self, user_id: str) -> tuple[int, int]:
        """(retention floor, last seq); events up to the floor are no longer kept."""
        row = await self._db.one("event_bounds", dict, user=user_id)
        return (row["retention_floor"], row["last_seq"]) if row else (0, 0)

    async def last_seqs(self, user_ids: list[str]) -> dict[str, int]:
        """The last seq of each of these users."""
        rows = await self._db.all("last_seqs", dict, users=user_ids)
        return {row["user_id"]: row["last_seq"] for row in rows}
