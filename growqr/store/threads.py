"""Threads: the master thread of each user, and others beside it."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from growqr import names
from growqr.errors import NotFound
from growqr.store import sql
from growqr.store.engine import Connection, Database, execute


class Thread(NamedTuple):
    """One conversation of a user. `kind`: master, channel or thread."""

    id: str
    user_id: str
    kind: str
    title: str
    created_at: datetime


class Threads:
    """A user's threads; those of others do not exist."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def master(self, user_id: str) -> Thread:
        """The user's master thread. Raises NotFound for an unknown user."""
        return _found(await self._db.one("master_thread", Thread, user=user_id), "master")

    async def get(self, user_id: str, thread_id: str) -> Thread:
        """Raises NotFound, also for a thread of somebody else."""
        row = await self._db.one("get_thread", Thread, user=user_id, thread=thread_id)
        return _found(row, thread_id)

    async def list(self, user_id: str, *, limit: int, after: str | None = None) -> list[Thread]:
        """Ascending by id, from the one behind `after`."""
        return await self._db.all(
            "list_threads", Thread, user=user_id, after=after or "", limit=limit
        )

    async def create(self, user_id: str, title: str, *, conn: Connection | None = None) -> Thread:
        """A new thread; inside the caller's transaction when `conn` is given."""
        params = {"thread": names.new_id("thr"), "user": user_id, "title": title}
        if conn is not None:
            rows = await execute(conn, sql.texts()["create_thread"], params, Thread)
            return _found(rows[0], title)
        return _found(await self._db.one("create_thread", Thread, **params), title)


def _found(thread: Thread | None, which: str) -> Thread:
    if thread is None:
        raise NotFound(f"there is no thread {which}")
    return thread
