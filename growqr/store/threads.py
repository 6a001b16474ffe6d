"""Threads: the master thread of each user, and others beside it."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any, Literal, NamedTuple

from growqr import names
from growqr.errors import Invalid, NotFound
from growqr.store import sql
from growqr.store.engine import Connection, Database, execute

Origin = Literal["web", "api"]
"""Where a thread was begun: in the pages, or by another program."""


class Thread(NamedTuple):
    """One conversation of a user. `kind`: master, channel or thread. `archived_at`: put away.

    `origin` None: growqr made it. `sub_agent_id`: whose channel it is. `last_at`: when something
    was said in it last.
    """

    id: str
    user_id: str
    kind: str
    title: str
    created_at: datetime
    archived_at: datetime | None
    origin: Origin | None
    sub_agent_id: str | None
    last_at: datetime


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

    async def list(
        self,
        user_id: str,
        *,
        limit: int,
        after: str | None = None,
        words: str | None = None,
        archived: bool | None = None,
    ) -> list[Thread]:
        """Ascending by id, from the one behind `after`.

        `words`: only those with them in the title or in what was said, in any case of letters.
        `archived`: only those that are put away, or only those that are not.
        """
        return await self._db.all(
            "list_threads", Thread, user=user_id, after=after or "", limit=limit,
            words=_pattern(words) if words else None, archived=archived,
        )  # fmt: skip

    async def create(
        self, user_id: str, title: str, *, origin: Origin = "api", conn: Connection | None = None
    ) -> Thread:
        """A new thread, told as `thread.created`.

        Inside the caller's transaction when `conn` is given: readers find it by polling.
        """
        thread = names.new_id("thr")
        params = {"thread": thread, "user": user_id, "title": title, "origin": origin}
        if conn is not None:
            [row] = await execute(conn, sql.texts()["create_thread"], params)
            del row["seq"]
        elif row := await self._db.one("create_thread", dict, **params):
            self._db.notifier.event(user_id, row.pop("seq"))
        else:
            raise NotFound(f"there is no user {user_id}")
        return Thread(**row)

    async def change(
        self,
        user_id: str,
        thread_id: str,
        *,
        actor: str,
        title: str | None = None,
        archived: bool | None = None,
    ) -> Thread:
        """Another title; put away or back. Told as `thread.changed` where that is news.

        Raises NotFound; Invalid for what the master thread and channels cannot have.
        """
        thread = await self.get(user_id, thread_id)
        if title is not None and thread.kind != "thread":
            raise Invalid(f"a {thread.kind} keeps its title; only threads beside it have another")
        if archived and thread.kind == "master":
            raise Invalid("the master thread cannot be put away")
        params = {
            "thread": thread_id, "user": user_id, "actor": actor, "title": title,
            "archived": archived,
        }  # fmt: skip
        if row := await self._db.within(self._change(params)):
            self._db.notifier.event(user_id, row.pop("seq"))
            return Thread(**row)
        return await self.get(user_id, thread_id)

    async def _change(self, params: dict[str, Any]) -> dict[str, Any] | None:
        async with self._db.transaction("change_thread") as conn:
            await execute(conn, sql.texts()["lock_stream"], params)
            rows = await execute(conn, sql.texts()["change_thread"], params)
        return dict(rows[0]) if rows else None


def _pattern(words: str) -> str:
    """Of LIKE, for text that holds these words as they are."""
    return "%" + re.sub(r"([\\%_])", r"\\\1", words) + "%"


def _found(thread: Thread | None, which: str) -> Thread:
    if thread is None:
        raise NotFound(f"there is no thread {which}")
    return thread
