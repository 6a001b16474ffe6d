"""Brings accepted memory into git: one writer per repository, the holder of `memory:<user>`.

It works from what git holds, not from what was meant: rows after the tip are committed, rows up
to the tip that lack their id get it. So a crash anywhere, a deleted repository and a lost hint
all end in the same state, with the same commit ids.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Final, ParamSpec, TypeVar

from growqr import names
from growqr.config import Settings
from growqr.directory import Fence
from growqr.errors import GrowqrError, Unavailable
from growqr.logs import log
from growqr.memory.localgit import LocalRepository, Tip, operation_of
from growqr.memory.paths import repository

if TYPE_CHECKING:
    from growqr.store import MemoryCommit, Store

BATCH: Final = 50
"""Rows per move of the branch: short enough to end well within a lease."""

WORKERS: Final = 3
"""Users projected side by side, so that one long rebuild keeps nobody waiting."""

_POLL, _MAX_PAUSE, _GIT_DEADLINE = 1.0, 10.0, 30.0
_log = log("memory")
P = ParamSpec("P")
T = TypeVar("T")


class Projection:
    """Keeps the memory repositories of this machine in step with the store."""

    def __init__(self, store: Store, settings: Settings, holder: str) -> None:
        self._store, self._settings, self._holder = store, settings, holder
        self._hints = store.hints("memory")
        self._pauses: dict[str, tuple[float, float]] = {}  # user → (length, until)

    async def run(self) -> None:
        """Project on hints and, every second, whatever hints were lost. Ends by cancellation."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._hints.hear())
            group.create_task(self._poll())
            for _ in range(WORKERS):
                group.create_task(self._hints.work(self._attempt))

    async def project(self, user_id: str) -> int:
        """Bring git up to the user's newest row; returns how many commits were made.

        0 also when another holder has the lease: it does the work. Raises Fenced when the lease
        was lost meanwhile, Unavailable when the store or the repository cannot be written.
        """
        key, ttl = names.memory(user_id), self._settings.lease_ttl
        holding = self._store.leases.holding
        async with holding(key, user_id=user_id, holder=self._holder, ttl=ttl) as fence:
            return 0 if fence is None else await self._catch_up(fence, user_id)

    async def _catch_up(self, fence: Fence, user_id: str) -> int:
        repo = LocalRepository(repository(self._settings, user_id), user_id)
        reached, rows = await self._start(repo, fence, user_id)
        made = 0
        while rows:
            ids = await _in_thread(repo.append, rows)
            await self._record(fence, user_id, rows, ids)
            if self._settings.gitea != "off":
                self._store.mirror.changed(user_id)
            made, reached = made + len(rows), rows[-1].number
            rows = await self._store.memory.all(user_id, after_number=reached, limit=BATCH)
            if rows:
                await self._store.leases.renew(fence, ttl=self._settings.lease_ttl)
        return made

    async def _start(
        self, repo: LocalRepository, fence: Fence, user_id: str
    ) -> tuple[int, list[MemoryCommit]]:
        """(number that git has reached, first rows after it).

        A repository whose tip is not the row of that number has another history than the store:
        it is set aside and made again.
        """
        tip = await _in_thread(repo.tip)
        before = tip.number - 1 if tip else 0
        rows = await self._store.memory.all(user_id, after_number=before, limit=BATCH)
        if tip and rows and _same(tip, rows[0]):
            if rows[0].commit_id is None:
                await self._record_found(repo, fence, user_id, tip.number)
            return tip.number, rows[1:]
        if not await _in_thread(repo.empty):
            kept = await _in_thread(repo.set_aside)
            _log.warning("memory repository set aside", user_id=user_id, kept=kept.name)
        return 0, await self._store.memory.all(user_id, limit=BATCH)

    async def _record_found(
        self, repo: LocalRepository, fence: Fence, user_id: str, tip: int
    ) -> None:
        """Give rows their ids that a crash kept from being written after the commit."""
        while rows := [r for r in await self._store.memory.pending(user_id) if r.number <= tip]:
            numbers = {row.number for row in rows}
            ids = await _in_thread(repo.commits, numbers)
            await self._record(fence, user_id, rows, ids)

    async def _record(
        self, fence: Fence, user_id: str, rows: list[MemoryCommit], ids: dict[int, str]
    ) -> None:
        fresh = [(row, ids[row.number]) for row in rows if row.commit_id is None]
        if fresh:
            await self._store.memory.projected(fence, user_id, fresh)
        for row in rows:
            if row.commit_id not in (None, ids[row.number]):
                _log.error("rebuilt commit has another id", user_id=user_id, number=row.number)

    async def _poll(self) -> None:
        while True:
            try:
                for user_id in await self._store.memory.pending_users():
                    self._hints.add(user_id)
            except Unavailable:
                pass  # the next second asks again
            await asyncio.sleep(_POLL)

    async def _attempt(self, user_id: str) -> None:
        """Project one user; a failure pauses this user alone, longer each time."""
        length, until = self._pauses.get(user_id, (0.0, 0.0))
        if time.monotonic() < until:
            return
        try:
            await self.project(user_id)
            self._pauses.pop(user_id, None)
        except Exception as error:  # noqa: BLE001 one user's repository must not stop the others'
            known = isinstance(error, GrowqrError)
            _log.error(
                "memory not projected", user_id=user_id, error=str(error), exc_info=not known
            )
            length = min(max(0.5, length * 2), _MAX_PAUSE)
            self._pauses[user_id] = (length, time.monotonic() + length)


def _same(tip: Tip, row: MemoryCommit) -> bool:
    """Whether this row was committed as this tip."""
    return row.number == tip.number and operation_of(row) == tip.operation


async def _in_thread(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Blocking git work with a deadline. A late thread does no harm: it works under git's lock."""
    try:
        async with asyncio.timeout(_GIT_DEADLINE):
            return await asyncio.to_thread(work, *args, **kwargs)
    except TimeoutError:
        raise Unavailable("the memory repository did not answer in time") from None
