"""A Directory inside one process: agents as tasks. The whole product runs on it in tests."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from growqr.agents.agent import Agent
from growqr.directory import Fence, Lease

Make = Callable[[Fence], Agent]


class LocalDirectory:
    """Starts the agents that `make` builds; the same rules as among actors hold for them."""

    def __init__(self, make: Make) -> None:
        self._make = make
        self._lives: dict[Fence, tuple[Agent, asyncio.Task[object]]] = {}

    async def wake(self, lease: Lease) -> None:
        """Hint the owner, or start the next epoch."""
        fence = Fence(lease.key, lease.epoch if lease.live else lease.epoch + 1)
        if fence not in self._lives and not lease.live:
            agent = self._make(fence)
            life = asyncio.create_task(agent.run(f"local {fence.epoch}"))
            self._lives[fence] = (agent, life)
        if fence in self._lives:
            self._lives[fence][0].wake()

    async def watch(self, lease: Lease) -> None:
        """Return when that agent's task is over."""
        if known := self._lives.get(Fence(lease.key, lease.epoch)):
            await asyncio.wait({known[1]})

    async def stop(self, lease: Lease) -> None:
        """Ask the agent to end."""
        if known := self._lives.get(Fence(lease.key, lease.epoch)):
            known[0].stop()

    async def kill(self, lease: Lease) -> None:
        """End the agent as a crash would: nothing more is written."""
        if known := self._lives.get(Fence(lease.key, lease.epoch)):
            known[1].cancel()
            await asyncio.wait({known[1]})

    async def close(self) -> None:
        """End all agents."""
        lives = [life for _, life in self._lives.values()]
        for life in lives:
            life.cancel()
        await asyncio.gather(*lives, return_exceptions=True)
