"""The lease of one agent: renewed while it lives, and asked before anything that shows outside."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

from growqr.directory import Fence
from growqr.errors import Fenced, StoreUnavailable
from growqr.store import Store

T = TypeVar("T")

RETRY = 0.25
"""Seconds between two tries while the database is away."""


class Keeper:
    """Holds one epoch of a lease. The local clock only makes it stricter, never later."""

    def __init__(
        self,
        store: Store,
        fence: Fence,
        *,
        ttl: float,
        idle_ttl: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.fence = fence
        self._store = store
        self._busy_ttl = ttl
        self._idle_ttl = idle_ttl
        self._clock = clock
        self._ttl = ttl
        self._until = 0.0
        self._changed = asyncio.Event()

    async def take(self, holder: str) -> bool:
        """Become the owner; False: this epoch is no longer, or not yet, to be had.

        `holder` is nobody else's name, so that a repeat knows what its lost answer was.
        """
        sent, ttl, leases = self._clock(), self._ttl, self._store.leases
        taken = await leases.take(self.fence, holder=holder, ttl=ttl)
        if not taken:
            found = await leases.holder(self.fence.key)
            mine = found is not None and (found.epoch, found.holder) == (self.fence.epoch, holder)
            taken = mine and await leases.renew(self.fence, ttl=ttl)
        self._until = sent + ttl
        return taken

    async def renew(self) -> None:
        """Live on for the present TTL. Raises Fenced."""
        sent, ttl = self._clock(), self._ttl  # `idle` may change it meanwhile
        if not await self._store.leases.renew(self.fence, ttl=ttl):
            raise Fenced(f"the lease {self.fence.key} has passed on from epoch {self.fence.epoch}")
        self._until = sent + ttl

    async def keep(self) -> None:
        """Renew at every third of the TTL, for ever. Raises Fenced."""
        while True:
            self._changed.clear()
            try:
                async with asyncio.timeout(self._ttl / 3):
                    await self._changed.wait()
            except TimeoutError:
                pass
            try:
                await self.renew()
            except StoreUnavailable:
                await asyncio.sleep(RETRY)
                self._changed.set()

    def idle(self, idle: bool) -> None:
        """Nothing to do: a long lease, so that the connection may close. Work: a short one."""
        ttl = self._idle_ttl if idle else self._busy_ttl
        if ttl != self._ttl:
            self._ttl = ttl
            self._changed.set()

    @property
    def held(self) -> bool:
        """Whether nobody else can be the owner yet."""
        return self._clock() < self._until

    async def confirm(self) -> None:
        """Return only as owner: before an effect that the database cannot undo. Raises Fenced."""
        while not self.held:
            try:
                await self.renew()
            except StoreUnavailable:
                await asyncio.sleep(RETRY)

    async def patiently(self, call: Callable[[], Awaitable[T]]) -> T:
        """The result of a store call that may be repeated, however long the database is away."""
        while True:
            try:
                return await call()
            except StoreUnavailable:
                await asyncio.sleep(RETRY)
