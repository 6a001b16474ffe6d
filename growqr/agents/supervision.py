"""Finds what nobody moves on, and owners that died, and does what health says must be done."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress

from growqr import names
from growqr.agents.health import (
    Abandon,
    Burn,
    EndTurn,
    Expire,
    Fire,
    Hint,
    Limits,
    Release,
    Remedy,
    Requeue,
    Start,
    Watch,
    remedies,
)
from growqr.directory import Directory, Fence, Lease
from growqr.errors import Unavailable
from growqr.logs import log
from growqr.store import Store

INTERVAL, TIDY_INTERVAL = 1.0, 60.0

SIDE_BY_SIDE = 8
"""Remedies at once: what hangs must not keep the others waiting."""

DEADLINE = 10.0
"""Seconds one remedy may take; what it did not get to is found again at the next look."""

TRIM_BATCH, TRIM_ROUNDS = 1000, 20

_log = log("supervision")


class Supervision:
    """Any number of these may run at once; each only repeats what another may have done."""

    def __init__(
        self,
        store: Store,
        directory: Directory,
        *,
        limits: Limits | None = None,
        retention_days: float = 30.0,
        retention_events: int = 200_000,
        retention_refused_days: float = 90.0,
    ) -> None:
        self._store = store
        self._directory = directory
        self._limits = limits or Limits()
        self._retention = (retention_days, retention_events, retention_refused_days)
        self._watched: dict[Fence, asyncio.Task[None]] = {}
        self._slots = asyncio.Semaphore(SIDE_BY_SIDE)
        self._stirred = asyncio.Event()

    async def run(self) -> None:
        """Look once a second, and at once when an owner died; tidy up once a minute. For ever."""
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._repeat(self.tick, INTERVAL, self._stirred))
                group.create_task(self._repeat(self.tidy, TIDY_INTERVAL, asyncio.Event()))
        finally:
            watching = list(self._watched.values())
            for one in watching:
                one.cancel()
            await asyncio.gather(*watching, return_exceptions=True)

    async def tick(self) -> None:
        """One look at everything that is not over, and what it asks for."""
        found = remedies(await self._store.supervised.snapshot(), self._limits)
        for remedy in found:
            if isinstance(remedy, Watch) and remedy.fence not in self._watched:
                watching = asyncio.create_task(self._watch(remedy.fence))
                self._watched[remedy.fence] = watching
        due = [remedy for remedy in found if not isinstance(remedy, Watch)]
        await asyncio.gather(*(self._safely(remedy) for remedy in due))

    async def tidy(self) -> None:
        """Drop what is kept for a time only; the rest of a lot goes with the next round."""
        days, events, refused = self._retention
        for _ in range(TRIM_ROUNDS):
            gone = await self._store.retention.trim(
                days=days, events=events, refused=refused, limit=TRIM_BATCH
            )
            if gone < TRIM_BATCH:
                return

    async def _repeat(
        self, look: Callable[[], Awaitable[None]], pause: float, stirred: asyncio.Event
    ) -> None:
        """Nothing ends it: an outage is waited out, and a defect must not stop the looking."""
        while True:
            stirred.clear()
            try:
                await look()
            except Unavailable as error:
                _log.warning("supervision waits", reason=error.message)
            except Exception:  # noqa: BLE001  a defect must not stop the looking
                _log.error("supervision failed", exc_info=True)
            with suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await stirred.wait()

    async def _safely(self, remedy: Remedy) -> None:
        """Do it; a failure is told and stops no other, and the next look finds the thing again."""
        try:
            async with self._slots, asyncio.timeout(DEADLINE):
                await self._do(remedy)
        except (Unavailable, TimeoutError) as error:
            _log.warning("remedy waits", remedy=repr(remedy), reason=str(error) or "too slow")
        except Exception:  # noqa: BLE001  one remedy's defect must not stop the others
            _log.error("remedy failed", remedy=repr(remedy), exc_info=True)

    async def _do(self, remedy: Remedy) -> None:
        if not isinstance(remedy, Hint | Start):
            _log.info("remedy", remedy=repr(remedy))
        match remedy:
            case Hint(lease):
                await self._directory.wake(lease)
            case Start(lease, first):
                if first:
                    await self._store.supervised.await_start(lease.key, lease.epoch)
                await self._directory.wake(lease)
            case Release(fence):
                await self._store.leases.release(fence)
                self._stirred.set()
            case Burn(fence):
                await self._store.leases.burn(fence)
            case Abandon():
                await self._abandon(remedy)
            case _:
                for woken in await self._move_on(remedy):
                    if woken is not None:
                        await self._directory.wake(woken)

    async def _move_on(self, remedy: Remedy) -> Sequence[Lease | None]:
        """End or requeue a turn; the leases of those who should know."""
        match remedy:
            case EndTurn(turn_id, code, reason):
                return await self._store.turns.give_up(turn_id, {"code": code, "message": reason})
            case Requeue(turn_id):
                return [await self._store.supervised.requeue(turn_id)]
            case Expire(decision_id):
                return [await self._store.decisions.expire(decision_id)]
            case Fire(user_id, timer_id):
                return [await self._store.timers.fire(user_id, timer_id)]
        raise AssertionError(f"nobody does {remedy!r}")

    async def _abandon(self, remedy: Abandon) -> None:
        """As holder of the user's stack, which nobody is; a host that comes back begins anew."""
        user_id, store = remedy.user_id, self._store
        key, me = names.stack(user_id), names.SUPERVISOR
        async with store.leases.holding(key, user_id=user_id, holder=me, ttl=DEADLINE) as fence:
            service = await store.services.get(user_id, remedy.role) if fence else None
            if fence and service:
                await store.services.observe(fence, service, state="failed", reason=remedy.reason)

    async def _watch(self, fence: Fence) -> None:
        """Wait for the owner's end; its lease ends with it, so that a successor starts at once.

        Safe even when it lives on unseen: whatever it writes is fenced, and an effect that was
        under way is found as an intent.
        """
        try:
            await self._directory.watch(Lease(*fence, live=True))
            await self._store.leases.release(fence)
            self._stirred.set()
        except Unavailable as error:
            _log.warning("watch broke", key=fence.key, reason=error.message)
        finally:
            self._watched.pop(fence, None)
