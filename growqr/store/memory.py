"""Memory as accepted: the truth of what git shows. An index of the newest state beside it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from growqr import names
from growqr.directory import Fence
from growqr.errors import Conflict, Fenced, Invalid, NotFound
from growqr.events import EventType, NewEvent
from growqr.store import sql
from growqr.store.engine import Database, execute
from growqr.store.jsonb import storable


class MemoryCommit(NamedTuple):
    """One accepted write; `content` None removes. `commit_id` is git's, once it is there."""

    id: str
    user_id: str
    number: int
    path: str
    content: str | None
    message: str
    author: str
    operation_id: str
    at: datetime
    commit_id: str | None


class MemoryFile(NamedTuple):
    """A file as it stands; `size` in bytes, `version` its last write, `commit` that in git."""

    path: str
    content: str
    size: int
    commit: str | None
    pending: bool
    updated_at: datetime
    version: str


class MemoryHit(NamedTuple):
    """A file that a search found, and the words around what matched."""

    path: str
    content: str
    size: int
    commit: str | None
    pending: bool
    updated_at: datetime
    version: str
    snippet: str


class Memory:
    """Writes accepted once by operation id, reads that see every accepted write."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def accept(
        self,
        user_id: str,
        path: str,
        content: str | None,
        *,
        message: str,
        author: str,
        operation_id: str,
        fence: Fence | None = None,
        behind: str | None = None,
        fresh: bool = False,
    ) -> MemoryCommit:
        """Accept a write; the same `operation_id` answers with the first one's row.

        Raises Fenced when a `fence` is given and stale, Conflict when the newest write of the path
        is not `behind`, or with `fresh` when there is a file, Invalid when a file stands where this
        one needs a folder or the other way round, NotFound for an unknown user.
        """
        params = {
            "id": names.new_id("mem"),
            "user": user_id,
            "path": path,
            "folders": [path[:at] for at, sign in enumerate(path) if sign == "/"],
            "content": storable(content),
            "message": storable(message),
            "author": author,
            "operation": operation_id,
            "fence_key": fence.key if fence else None,
            "fence_epoch": fence.epoch if fence else None,
            "behind": behind,
            "fresh": fresh,
        }
        row = (await self._db.within(self._accept(params)))[0]
        held, other = row.pop("held"), row.pop("other")
        newest, there = row.pop("newest"), row.pop("there")
        if fence is not None and not held:
            raise Fenced(f"the lease {fence.key} has passed on from epoch {fence.epoch}")
        if row["id"] is None:
            changed = behind is not None and newest != behind
            conflict = _stale(path, there) if changed else _exists(path, there) if fresh else None
            return await self._by_operation(user_id, operation_id, path, other, conflict)
        self._db.notifier.work(names.memory(user_id))
        return MemoryCommit(**row)

    async def get(self, user_id: str, path: str) -> MemoryFile:
        """Raises NotFound when there is no such file."""
        found = await self._db.one("get_memory", MemoryFile, user=user_id, path=path)
        if found is None:
            raise NotFound(f"memory holds no file {path!r}")
        return found

    async def contents(self, user_id: str, prefix: str, *, limit: int) -> dict[str, str]:
        """Path → content of the files below `prefix`, by path."""
        rows = await self._db.all("memory_contents", dict, user=user_id, prefix=prefix, limit=limit)
        return {row["path"]: row["content"] for row in rows}

    async def search(
        self, user_id: str, query: str, *, limit: int = 20
    ) -> list[tuple[MemoryFile, str]]:
        """Files that hold any word of `query`, best first, each with a snippet."""
        hits = await self._db.all(
            "search_memory", MemoryHit, user=user_id, query=query, limit=limit
        )
        return [(MemoryFile(*hit[:-1]), hit.snippet) for hit in hits]

    async def history(
        self, user_id: str, path: str, *, limit: int, before: int | None = None
    ) -> list[MemoryCommit]:
        """Writes of one path, newest first, with numbers below `before`."""
        return await self._db.all(
            "memory_history",
            MemoryCommit,
            user=user_id,
            path=path,
            limit=limit,
            before=before or 2**62,
        )

    async def version(
        self, user_id: str, path: str, row_id: str
    ) -> tuple[MemoryCommit, str | None]:
        """One write of a path, and what the file held before it: None where there was no file.

        Raises NotFound when it is not a write of this path.
        """
        row = await self._db.one("memory_version", dict, user=user_id, path=path, id=row_id)
        if row is None:
            raise NotFound(f"memory has no such version of {path!r}")
        previous = row.pop("previous")
        return MemoryCommit(**row), previous

    async def commit_of(self, row_id: str) -> str | None:
        """Git's id of an accepted write, once it is projected."""
        row = await self._db.one("memory_commit_of", dict, id=row_id)
        return row["commit_id"] if row else None

    async def pending_users(self, limit: int = 50) -> list[str]:
        """Users with accepted writes that are not yet in git."""
        rows = await self._db.all("memory_pending_users", dict, limit=limit)
        return [row["user_id"] for row in rows]

    async def pending(self, user_id: str, limit: int = 200) -> list[MemoryCommit]:
        """Writes not yet in git, in order."""
        return await self._db.all("memory_pending", MemoryCommit, user=user_id, limit=limit)

    async def all(
        self, user_id: str, *, after_number: int = 0, limit: int = 200
    ) -> list[MemoryCommit]:
        """Every write in order, from the one behind `after_number`."""
        return await self._db.all(
            "memory_all", MemoryCommit, user=user_id, after=after_number, limit=limit
        )

    async def projected(
        self, fence: Fence, user_id: str, commits: Sequence[tuple[MemoryCommit, str]]
    ) -> None:
        """Record git's ids of projected writes, with an event each. Raises Fenced."""
        events = [
            NewEvent(
                EventType.MEMORY_COMMITTED,
                data={"path": row.path, "commit": commit, "number": row.number},
            )
            for row, commit in commits
        ]
        ids = [row.id for row, _ in commits]
        await self._db.fenced(
            fence, "memory_projected", events, ids=ids, commits=[c for _, c in commits]
        )

    async def _accept(self, params: dict[str, Any]) -> list[dict[str, Any]]:
        async with self._db.transaction("accept_memory") as conn:
            # First, so that what was accepted while this one waited for its turn is seen.
            if params["fence_key"] is not None:
                await execute(conn, sql.texts()["lock_fence"], params)
            await execute(conn, sql.texts()["lock_stream"], params)
            return await execute(conn, sql.texts()["accept_memory"], params)

    async def _by_operation(
        self,
        user_id: str,
        operation_id: str,
        path: str,
        other: str | None,
        conflict: Conflict | None,
    ) -> MemoryCommit:
        row = await self._db.one(
            "memory_by_operation", MemoryCommit, user=user_id, operation=operation_id
        )
        if row is None and conflict is not None:
            raise conflict
        if row is None and other is not None:
            raise Invalid(
                f"memory holds the file {other!r}, so {path!r} cannot be one: "
                "a path is a file or a folder; choose another, or remove that file",
                {"field": "path"},
            )
        if row is None:
            raise NotFound(f"there is no user {user_id}")
        return row

    async def list(
        self, user_id: str, prefix: str = "", *, limit: int = 100, after: str | None = None
    ) -> list[MemoryFile]:
        """Files below `prefix` by path, from the one behind `after`; `content` is left empty."""
        return await self._db.all(
            "list_memory", MemoryFile, user=user_id, prefix=prefix, after=after or "", limit=limit
        )


def _stale(path: str, version: str | None) -> Conflict:
    text = f"{path!r} was changed after this version; read its history again"
    return Conflict(text, {"code": "stale", "version": version})


def _exists(path: str, version: str | None) -> Conflict | None:
    if version is None:
        return None
    text = f"memory holds a file {path!r} already; choose another path, or read it first"
    return Conflict(text, {"code": "exists", "version": version})
