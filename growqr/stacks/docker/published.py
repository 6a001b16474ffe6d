"""Ports of this machine for services whose containers cannot be reached by their address.

The engine's own list says which it holds; what is being started now is remembered here.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from growqr.config import Settings
from growqr.errors import NoRoom
from growqr.instance.ports import is_free
from growqr.stacks.docker.engine import Engine


class PublishedPorts:
    """Takes ports out of USER_PORT_RANGE_START to USER_PORT_RANGE_END."""

    def __init__(self, engine: Engine, settings: Settings) -> None:
        self._engine = engine
        self._range = range(settings.user_port_range_start, settings.user_port_range_end + 1)
        self._starting: set[int] = set()
        self._lock = asyncio.Lock()

    @asynccontextmanager
    async def one(self, refused: set[int]) -> AsyncIterator[int]:
        """A port nobody has, ours for the block. `refused`: what the engine did not take.

        Raises NoRoom.
        """
        async with self._lock:
            port = await self._choose(refused)
            self._starting.add(port)
        try:
            yield port
        finally:
            self._starting.discard(port)

    async def _choose(self, refused: set[int]) -> int:
        held = {
            port.get("PublicPort")
            for container in await self._engine.call(lambda c: c.api.containers())
            for port in container.get("Ports") or []
        }
        for port in self._range:
            if port not in held | self._starting | refused and is_free(port):
                return port
        raise NoRoom(
            f"no port is free between {self._range.start} and {self._range.stop - 1}: widen "
            "USER_PORT_RANGE_START and USER_PORT_RANGE_END, or stop services that are not used"
        )
