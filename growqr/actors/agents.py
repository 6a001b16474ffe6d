"""Shells of one epoch of an agent. Lean: no SDK, no web framework, no git."""

from __future__ import annotations

import asyncio
import os
from abc import ABC, abstractmethod

import aiohttp
import ray

from growqr import config, failpoints, logs, names
from growqr.actors.directory import RayDirectory
from growqr.actors.life import Life
from growqr.agents import Agent, Ended, Parts
from growqr.directory import Fence
from growqr.identity import agent_token, instance_secret
from growqr.models import GatewayModel
from growqr.store import open_store

IDLE_CONNECTION = 5.0
"""Seconds after which an unused database connection closes."""

CONNECTION = "growqr agent"
"""How the database's operators see an agent's connections."""

LOOKUP = 10.0
"""Seconds for finding out whose lease this is."""


class AgentShell(ABC):
    """May take one epoch of one lease, and ends with it. Ray never restarts it."""

    def __init__(self, key: str, epoch: int) -> None:
        self._fence = Fence(key, epoch)
        self._agent: Agent | None = None
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
        logs.configure(settings.log_level, logs.secrets_of(settings))
        failpoints.call_me(self._fence.key)
        store = open_store(settings, 2, max_idle=IDLE_CONNECTION, name=CONNECTION)
        parts = Parts(settings, store, RayDirectory())
        async with store, aiohttp.ClientSession(trust_env=False) as session:
            async with asyncio.timeout(LOOKUP):
                self._agent = await self._compose(parts, session)
            if self._agent is None:
                return Ended.LATE
            return await self._agent.run(f"{self!r} pid {os.getpid()}")

    @abstractmethod
    async def _compose(self, parts: Parts, session: aiohttp.ClientSession) -> Agent | None:
        """The agent itself; None when there is no such lease."""


@ray.remote(num_cpus=0, max_restarts=0, max_task_retries=0)
class GrowAgentActor(AgentShell):
    """Thinks with a model."""

    async def _compose(self, parts: Parts, session: aiohttp.ClientSession) -> Agent | None:
        owner = await parts.store.leases.owner(self._fence.key)
        if owner is None:
            return None
        token = agent_token(instance_secret(parts.settings), self._fence)
        model = GatewayModel(parts.settings.gateway_url, token, session)
        return parts.grow_agent(self._fence, owner.user_id, model)


@ray.remote(num_cpus=0, max_restarts=0, max_task_retries=0)
class SubAgentActor(AgentShell):
    """Prompts the user's OpenCode."""

    async def _compose(self, parts: Parts, session: aiohttp.ClientSession) -> Agent | None:
        row = await parts.store.sub_agents.of_lease(self._fence.key)
        if row is None:
            return None
        return parts.sub_agent(self._fence, row, instance_secret(parts.settings), session)
