"""Everything that is not over, read at one moment by the database's clock, and ways to end it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from growqr import names
from growqr.directory import Lease
from growqr.store import sql
from growqr.store.engine import Database, execute

_KINDS = [names.GROW_AGENTS, names.SUB_AGENTS]


class OpenLease(NamedTuple):
    """An agent that is awake `until` then, or one that has work (None).

    `start_since`: since when its next start is awaited.
    """

    key: str
    epoch: int
    until: datetime | None
    start_since: datetime | None


class OpenTurn(NamedTuple):
    """The first unfinished turn of a thread.

    `since`: free, begun or waiting; `delegated`: it waits for another turn that has not ended.
    """

    id: str
    lease_key: str
    state: str
    waiting: str | None
    epoch: int
    cancel_requested: bool
    deadline_at: datetime | None
    since: datetime
    delegated: bool


class OpenDecision(NamedTuple):
    """What a person is asked."""

    id: str
    turn_id: str
    expires_at: datetime


class DueTimer(NamedTuple):
    """A timer whose time has come."""

    id: str
    user_id: str
    due: datetime


class OpenService(NamedTuple):
    """A service that is not as it should be; `since` the last wish, sight or end of a pause."""

    user_id: str
    role: str
    desired: str
    state: str
    since: datetime


class Snapshot(NamedTuple):
    """All of it as it stood at `now`."""

    now: datetime
    leases: Sequence[OpenLease] = ()
    turns: Sequence[OpenTurn] = ()
    decisions: Sequence[OpenDecision] = ()
    timers: Sequence[DueTimer] = ()
    services: Sequence[OpenService] = ()


class Supervised:
    """What the Supervisor reads each second, and the writes that are nobody else's."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def snapshot(self) -> Snapshot:
        """One consistent look; indexed reads that find nothing where nothing goes on."""
        read = self._db.all
        async with self._db.snapshot():
            [moment] = await read("snapshot_now", dict)
            return Snapshot(
                moment["now"],
                await read("snapshot_leases", OpenLease, kinds=_KINDS),
                await read("snapshot_turns", OpenTurn),
                await read("snapshot_decisions", OpenDecision),
                await read("snapshot_timers", DueTimer),
                await read("snapshot_services", OpenService),
            )

    async def await_start(self, key: str, epoch: int) -> bool:
        """A start of the epoch after this one is awaited from now on; False: it has passed on."""
        return bool(await self._db.all("await_start", dict, key=key, epoch=epoch))

    async def requeue(self, turn_id: str) -> Lease | None:
        """Let a turn go on that waits for nothing; the lease to wake, None: it has moved on."""
        key = await self._db.within(self._requeue(turn_id))
        return await self._db.one("get_lease", Lease, key=key) if key else None

    async def _requeue(self, turn_id: str) -> str | None:
        async with self._db.transaction("requeue_turn") as conn:
            await execute(conn, sql.texts()["lock_turn"], {"turn": turn_id})
            rows = await execute(conn, sql.texts()["requeue_turn"], {"turn": turn_id})
        return rows[0]["lease_key"] if rows else None
