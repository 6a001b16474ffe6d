"""The journal: read by cursor, written only together with what happened."""

from __future__ import annotations

from growqr.events import Event
from growqr.store.engine import Database


class Events:
    """Events of one user in order of `seq`, which counts without a gap."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def after(
        self, user_id: str, seq: int, *, thread_id: str | None = None, limit: int = 500
    ) -> list[Event]:
        """Up to `limit` events with a greater seq, ascending; of one thread if given."""
        if thread_id is None:
            return await self._db.all("events_after", Event, user=user_id, seq=seq, limit=limit)
        return await self._db.all(
            "thread_events_after", Event, user=user_id, thread=thread_id, seq=seq, limit=limit
        )

    async def bounds(self, user_id: str) -> tuple[int, int]:
        """(retention floor, last seq); events up to the floor are no longer kept."""
        row = await self._db.one("event_bounds", dict, user=user_id)
        return (row["retention_floor"], row["last_seq"]) if row else (0, 0)

    async def last_seqs(self, user_ids: list[str]) -> dict[str, int]:
        """The last seq of each of these users."""
        rows = await self._db.all("last_seqs", dict, users=user_ids)
        return {row["user_id"]: row["last_seq"] for row in rows}
