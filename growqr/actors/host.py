"""Shell of a Host: what one node does for its users."""

from __future__ import annotations

import asyncio

import aiohttp
import ray

from growqr import config, logs, names
from growqr.actors.life import Life
from growqr.actors.warm import Raylet, Warmer
from growqr.agents.skills import SkillFolders
from growqr.config import Settings
from growqr.identity import instance_secret, service_password, stack_token
from growqr.memory import Projection
from growqr.opencode import OpenCode, Server
from growqr.stacks import ProcessRuntime, Reconciler, ServiceSpec, folders, opencode_spec
from growqr.store import Store, open_store

LOCAL = "local"
"""Id of the one Host of a single machine."""

ROLE = "opencode"


@ray.remote(num_cpus=0, max_restarts=-1, max_task_retries=0)
class HostActor:
    """Lives as long as the cluster; Ray restarts it."""

    def __init__(self, host_id: str) -> None:
        self._name = names.host(host_id)
        self._life = Life(self._name, self._live)

    def __repr__(self) -> str:
        return self._name

    async def ready(self) -> bool:
        """Answers once the process is up."""
        return True

    async def _live(self) -> None:
        settings = config.load()
        logs.configure(settings.log_level)
        async with (
            open_store(settings, 6, name="growqr host") as store,
            asyncio.TaskGroup() as group,
        ):
            runtime = ProcessRuntime(settings)
            specs = {ROLE: OpenCodeSpec(settings)}
            reconciler = Reconciler(
                store,
                runtime,
                specs,
                holder=self._name,
                idle=settings.service_idle,
                ttl=settings.lease_ttl,
            )
            skills = SkillFolders(
                store, lambda user: folders(settings, user).skills, Reload(settings, store)
            )
            group.create_task(Warmer(settings.warm_workers, lambda: Raylet.ours(settings)).run())
            group.create_task(Projection(store, settings, self._name).run())
            group.create_task(reconciler.run())
            group.create_task(skills.run())


class OpenCodeSpec:
    """The spec of a user's OpenCode, with the secrets of its generation."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._secret = instance_secret(settings)

    def __call__(self, user_id: str, generation: int) -> ServiceSpec:
        bound = (self._secret, user_id, ROLE, generation)
        return opencode_spec(
            self._settings,
            user_id,
            generation,
            token=stack_token(*bound),
            password=service_password(*bound),
        )


class Reload:
    """Has a user's running OpenCode read its configuration again."""

    def __init__(self, settings: Settings, store: Store) -> None:
        self._settings = settings
        self._store = store
        self._secret = instance_secret(settings)

    async def __call__(self, user_id: str) -> bool:
        service = await self._store.services.get(user_id, ROLE)
        if service is None or service.state != "ready" or not service.address:
            return True
        password = service_password(self._secret, user_id, ROLE, service.generation)
        async with aiohttp.ClientSession(trust_env=False) as session:
            client = OpenCode(Server(service.address, password), session)
            return await client.dispose_idle(str(self._settings.workspace(user_id)))
