"""Looks at one user's services side by side: what takes long for one keeps no other waiting, and a
start that nobody wants any more is given up."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

from growqr.errors import Unavailable

if TYPE_CHECKING:
    from growqr.store import Service


class _UnderWay(NamedTuple):
    task: asyncio.Task[None]
    desired: str


class Looks:
    """One look at each service at a time; `hinted` has those that are not under way begin anew."""

    def __init__(
        self,
        services: Callable[[], Awaitable[Sequence[Service]]],
        look: Callable[[Service], Awaitable[None]],
        hinted: asyncio.Event,
    ) -> None:
        self._services, self._look, self._hinted = services, look, hinted
        self._under_way: dict[str, _UnderWay] = {}

    async def run(self) -> None:
        """Until none is under way. Raises the first error of one, after the end of all."""
        failed: list[BaseException] = []
        try:
            await self._begin()
            while self._under_way:
                failed += await self._ended()
                if self._under_way and self._hinted.is_set():
                    self._hinted.clear()
                    with suppress(Unavailable):  # it is looked again after these
                        await self._begin()
        finally:
            tasks = [look.task for look in self._under_way.values()]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        if failed:
            raise failed[0]

    async def _begin(self) -> None:
        for service in await self._services():
            under_way = self._under_way.get(service.role)
            if under_way is None:
                task = asyncio.ensure_future(self._look(service))
                self._under_way[service.role] = _UnderWay(task, service.desired)
            elif (under_way.desired, service.desired) == ("ready", "stopped"):
                under_way.task.cancel()

    async def _ended(self) -> list[BaseException]:
        """Wait for a hint or the end of a look; errors of those that have ended."""
        hint = asyncio.create_task(self._hinted.wait())
        tasks = [look.task for look in self._under_way.values()]
        try:
            await asyncio.wait([hint, *tasks], return_when=asyncio.FIRST_COMPLETED)
        finally:
            hint.cancel()
        errors = []
        for role in [role for role, look in self._under_way.items() if look.task.done()]:
            task = self._under_way.pop(role).task
            if task.cancelled():
                self._hinted.set()  # another wish is to be carried out
            elif error := task.exception():
                errors.append(error)
        return errors
