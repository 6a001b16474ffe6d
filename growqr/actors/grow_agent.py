"""Shell of one epoch of a Grow Agent. Lean: no SDK, no web framework, no git."""

from __future__ import annotations

import asyncio
import os

import aiohttp
import ray

from growqr import config, logs, names
from growqr.actors.life import Life
from growqr.agents import Ended, GrowAgent, compose
from growqr.directory import Fence
from growqr.identity import agent_token, instance_secret
from growqr.models import GatewayModel
from growqr.store import open_store

IDLE_CONNECTION = 5.0
"""Seconds after which an unused database connection closes."""


@ray.remote(num_cpus=0, max_restarts=0, max_task_retries=0)
class GrowAgentActor:
    """May take one epoch of one lease, and ends with it. Ray never restarts it."""

    def __init__(self, key: str, epoch: int) -> None:
        self._fence = Fence(key, epoch)
        self._agent: GrowAgent | None = None
        self._life = Life(names.actor(key, epoch), self._live)

    def __repr__(self) -> str:
        return names.actor(*self._fence)

    async def wake(self) -> None:
        """There may be work."""
        if agent := self._agent:
            self._life.call(agent.wake)

    async def stop(self) -> None:
        """End once no turn is under way."""
        if agent := self._agent:
            self._life.call(agent.stop)

    async def watch(self) -> str:
        """Pending until this life has ended; a crash shows as ActorDiedError."""
        return await self._life.end()

    async def _live(self) -> Ended:
        settings = config.load()
        logs.configure(settings.log_level)
        store = open_store(settings, 2, max_idle=IDLE_CONNECTION)
        token = agent_token(instance_secret(settings), self._fence)
        async with store, aiohttp.ClientSession() as session:
            owner = await asyncio.wait_for(store.leases.owner(self._fence.key), 10)
            if owner is None:
                return Ended.LATE
            model = GatewayModel(settings.gateway_url, token, session)
            self._agent = compose(settings, store, model, self._fence, owner.user_id)
            return await self._agent.run(f"{self!r} pid {os.getpid()}")
