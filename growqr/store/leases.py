"""Leases: who may write for a key. Only the database's clock counts."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import NamedTuple

from growqr import names
from growqr.directory import Fence, Lease
from growqr.errors import Unavailable
from growqr.store import sql
from growqr.store.engine import Database, execute


class Holder(NamedTuple):
    """Who took the lease last, for operators: a process as it named itself."""

    key: str
    epoch: int
    live: bool
    holder: str | None


class Owner(NamedTuple):
    """Whose lease it is, and at which epoch it stands."""

    user_id: str
    epoch: int


class Leases:
    """Take, renew, give back, give up."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def get(self, key: str) -> Lease | None:
        """The lease as it stands."""
        return await self._db.one("get_lease", Lease, key=key)

    async def owner(self, key: str) -> Owner | None:
        """User and epoch of a lease, for checking tokens."""
        return await self._db.one("lease_owner", Owner, key=key)

    async def holder(self, key: str) -> Holder | None:
        """The process that took the lease last."""
        return await self._db.one("lease_holder", Holder, key=key)

    async def take(self, fence: Fence, *, holder: str, ttl: float) -> bool:
        """Become the owner with exactly this epoch; False: too late, or not yet expired."""
        return await self._yes("take_lease", fence, holder=holder, ttl=ttl)

    async def renew(self, fence: Fence, *, ttl: float) -> bool:
        """Live `ttl` seconds from now; False: fenced."""
        return await self._yes("renew_lease", fence, ttl=ttl)

    async def release(self, fence: Fence) -> bool:
        """Let the lease expire now: given back, or its owner was seen dead."""
        return await self._yes("release_lease", fence)

    async def release_idle(self, fence: Fence, user_id: str) -> bool:
        """Give the lease back unless there is work; False: stay, there is."""

        async def steps() -> bool:
            async with self._db.transaction("release_idle") as conn:
                mine = {"key": fence.key, "epoch": fence.epoch}
                await execute(conn, sql.texts()["lock_lease"], mine)
                await execute(conn, sql.texts()["lock_stream"], {"user": user_id})
                return bool(await execute(conn, sql.texts()["release_idle"], mine))

        return await self._db.within(steps())

    async def acquire(self, key: str, *, user_id: str, holder: str, ttl: float) -> Fence | None:
        """The next epoch of a key without actor names, or None while it is held."""
        row = await self._db.one(
            "acquire_lease", dict, key=key, user=user_id, holder=holder, ttl=ttl
        )
        return Fence(key, row["epoch"]) if row else None

    @asynccontextmanager
    async def holding(
        self, key: str, *, user_id: str, holder: str, ttl: float
    ) -> AsyncIterator[Fence | None]:
        """`acquire`, and `release` at the block's end; None: somebody else has it.

        Nothing renews it meanwhile.
        """
        fence = await self.acquire(key, user_id=user_id, holder=holder, ttl=ttl)
        try:
            yield fence
        finally:
            if fence is not None:
                with suppress(Unavailable):  # it expires; how the block ended must not be lost
                    await self.release(fence)

    async def burn(self, fence: Fence) -> bool:
        """Give up the start of this epoch, so that whoever comes late with it finds no row."""
        return await self._yes("burn_epoch", fence)

    async def live_holders(self) -> list[Holder]:
        """Who is awake: every agent's live lease with the process that holds it."""
        kinds = [names.GROW_AGENTS, names.SUB_AGENTS]
        return await self._db.all("live_holders", Holder, kinds=kinds)

    async def _yes(self, name: str, fence: Fence, **params: object) -> bool:
        return bool(await self._db.all(name, dict, key=fence.key, epoch=fence.epoch, **params))
