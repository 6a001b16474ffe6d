"""Reaching agents through Ray: at most one actor call per hint, and nobody waits for it."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Any, cast

import ray
from ray.exceptions import ActorDiedError, RayError

from growqr import names
from growqr.directory import Lease
from growqr.errors import Unavailable
from growqr.logs import log

DEADLINE = 5.0
"""Seconds for finding or creating an actor: with the GCS away, creation would hang."""

AT_ONCE = 4
"""Threads that ask the GCS. They are ours alone: should they hang, nobody else waits for one."""

KEPT = 4096
"""Handles remembered; the oldest is forgotten first."""

_log = log("actors")


class RayDirectory:
    """`Directory` over named actors: `<lease key>#<epoch>`."""

    def __init__(self) -> None:
        self._handles: dict[str, Any] = {}
        self._threads = ThreadPoolExecutor(AT_ONCE, "directory")

    async def wake(self, lease: Lease) -> None:
        """Hint the owner, or start the next epoch. Never raises: a lost hint is found later."""
        try:
            handle = await self._handle(lease)
            if handle is not None:
                handle.wake.remote()
        except (RayError, TimeoutError, ValueError) as error:
            _log.warning("hint lost", key=lease.key, reason=str(error)[:200])

    async def stop(self, lease: Lease) -> None:
        """Ask the owner to end. Never raises."""
        try:
            handle = await self._handle(lease) if lease.live else None
            if handle is not None:
                handle.stop.remote()
        except (RayError, TimeoutError, ValueError) as error:
            _log.warning("stop lost", key=lease.key, reason=str(error)[:200])

    async def watch(self, lease: Lease) -> None:
        """Return when the owner's process has ended, or is nowhere in this cluster.

        Raises Unavailable when nobody can tell.
        """
        try:
            handle = await self._handle(lease)
            if handle is not None:
                await handle.watch.remote()
        except ActorDiedError:
            pass
        except (RayError, TimeoutError) as error:
            raise Unavailable(f"cannot watch {names.actor(*lease[:2])}: {error}") from None
        finally:
            self._handles.pop(names.actor(lease.key, lease.epoch), None)

    async def _handle(self, lease: Lease) -> Any:
        """The actor of a live lease (None: gone), or a new one for the next epoch."""
        name = names.actor(lease.key, lease.epoch if lease.live else lease.epoch + 1)
        if (known := self._handles.get(name)) is not None:
            return known
        find = _get if lease.live else _create
        async with asyncio.timeout(DEADLINE):
            loop = asyncio.get_running_loop()
            handle = await loop.run_in_executor(self._threads, find, name, lease)
        # A start may die before it takes its epoch: only an owner's handle is worth keeping.
        if handle is not None and lease.live:
            while len(self._handles) >= KEPT:
                self._handles.pop(next(iter(self._handles)))
            self._handles[name] = handle
        return handle


def _get(name: str, _lease: Lease) -> Any:
    try:
        return ray.get_actor(name, namespace=names.NAMESPACE)
    except ValueError:
        return None


def _create(name: str, lease: Lease) -> Any:
    from growqr.actors.agents import GrowAgentActor, SubAgentActor

    shell = SubAgentActor if names.is_sub_agent(lease.key) else GrowAgentActor
    return (
        cast("Any", shell)
        .options(name=name, namespace=names.NAMESPACE, lifetime="detached", get_if_exists=True)
        .remote(lease.key, lease.epoch + 1)
    )
