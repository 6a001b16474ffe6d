"""What is old enough goes: events beyond their days or number, answers after a day,
sign-ins, links and counts when they are over, refusals in the audit log after their days.

Messages, turns and steps stay: they are the transcript.
"""

from __future__ import annotations

from growqr.store.engine import Database

USERS = 1000
"""Users looked at in one call."""

REFUSED = 90.0
"""Days that refusals are kept; the database lets none go before a week."""

_DAY = 86400.0


class Retention:
    """Walks over all users in the order of their ids, a part in each call, and begins again."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._after = ""

    async def trim(
        self, *, days: float, events: int, refused: float = REFUSED, limit: int = 1000
    ) -> int:
        """Remove events older than `days` or beyond the newest `events` of a user.

        `refused`: days that refusals are kept. Returns how many events, at most `limit`; call
        again while it returns `limit`. A user's stream is held for one statement of at most
        `limit` rows. Raises StoreUnavailable.
        """
        due = {"seconds": days * _DAY, "events": events}
        await self._db.all("drop_answers", dict, limit=limit)
        await self._db.all("drop_expired", dict)
        await self._db.all("drop_refusals", dict, seconds=refused * _DAY, limit=limit)
        rows = await self._db.all("oldest_events", dict, after=self._after, users=USERS, **due)
        removed = 0
        for row in rows:
            if row["due"]:
                left = limit - removed
                [gone] = await self._db.all(
                    "trim_events", dict, user=row["user_id"], limit=left, **due
                )
                removed += gone["removed"]
            if removed >= limit:
                return removed  # this user may have more
            self._after = row["user_id"]
        if len(rows) < USERS:
            self._after = ""
        return removed
