"""Finds work that nobody does, and owners that died, and has them replaced."""

from __future__ import annotations

import asyncio

from growqr.directory import Directory, Fence, Lease
from growqr.errors import Unavailable
from growqr.logs import log
from growqr.store import Store

PATIENCE = 20.0
"""Seconds a start may take to get its epoch before that epoch is burnt.

Burnt in the database, not by killing the actor: Ray ends a pending actor in milliseconds, but then
lets its name be made again, and one that nobody can reach would still come late.
"""

INTERVAL = 1.0

_log = log("supervision")


class Supervision:
    """Any number of these may run at once; each only repeats what another may have done."""

    def __init__(self, store: Store, directory: Directory) -> None:
        self._store = store
        self._directory = directory
        self._watched: dict[Fence, asyncio.Task[None]] = {}

    async def run(self) -> None:
        """Look once a second, for ever; an outage of the database is waited out."""
        while True:
            try:
                await self.tick()
            except Unavailable as error:
                _log.warning("supervision waits", reason=error.message)
            await asyncio.sleep(INTERVAL)

    async def tick(self) -> None:
        """One look: start what is due, watch who is awake, repeat hints that got lost."""
        await self.start_due()
        for lease in await self._store.leases.live_agents():
            fence = Fence(lease.key, lease.epoch)
            if fence not in self._watched:
                self._watched[fence] = asyncio.create_task(self._watch(lease))
        for lease in await self._store.leases.forgotten():
            await self._directory.wake(lease)

    async def start_due(self) -> None:
        """Wake an agent for every lease with work and no live owner."""
        for due in await self._store.leases.due_starts(patience=PATIENCE):
            if due.overdue and await self._store.leases.burn(Fence(due.key, due.epoch + 1)):
                _log.warning("start given up", key=due.key, epoch=due.epoch + 1)
                continue
            await self._directory.wake(Lease(due.key, due.epoch, live=False))

    async def _watch(self, lease: Lease) -> None:
        """Wait for the owner's end; its lease ends with it, so that a successor starts at once.

        Safe even when it lives on unseen: whatever it writes is fenced, and an effect that was
        under way is found as an intent.
        """
        fence = Fence(lease.key, lease.epoch)
        try:
            await self._directory.watch(lease)
            await self._store.leases.release(fence)
            await self.start_due()
        except Unavailable as error:
            _log.warning("watch broke", key=lease.key, reason=error.message)
        finally:
            self._watched.pop(fence, None)
