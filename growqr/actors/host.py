"""Shell of a Host: what one node does for its users."""

from __future__ import annotations

import asyncio
from pathlib import Path

import ray

from growqr import config, logs, names
from growqr.actors.directory import RayDirectory
from growqr.actors.life import Life
from growqr.actors.specs import Reload, specs
from growqr.actors.warm import Raylet, Warmer
from growqr.agents.skills import SkillFolders
from growqr.config import Settings
from growqr.instance import instance_id
from growqr.memory import Mirror, Projection
from growqr.repos import folder_of, shelf_of
from growqr.stacks import Inside, Reconciler, folders, measure, open_runtime
from growqr.store import Store, open_store

LOCAL = "local"
"""Id of the one Host of a single machine."""


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
        logs.configure(settings.log_level, logs.secrets_of(settings))
        async with (
            open_store(settings, 6, name="growqr host") as store,
            asyncio.TaskGroup() as group,
        ):
            runtime = open_runtime(settings, instance_id(settings.data))
            raylet = Warmer(settings.warm_workers, lambda: Raylet.ours(settings))
            inside = runtime if isinstance(runtime, Inside) else None
            mirror = Mirror(store, settings, inside, self._name, projects=folder_of)
            group.create_task(raylet.run())
            group.create_task(Projection(store, settings, self._name).run())
            group.create_task(mirror.run())
            group.create_task(_skills(store, settings).run())
            await Reconciler(
                store,
                runtime,
                specs(settings),
                holder=self._name,
                ttl=settings.lease_ttl,
                idle=settings.service_idle,
                paused=settings.service_paused,
                wake=RayDirectory().wake,
                measure=measure(lambda user: _filled_by(settings, user), settings.service_disk),
            ).run()


def _filled_by(settings: Settings, user_id: str) -> tuple[Path, Path]:
    """What a user's services can make as large as they like, by writing or by pushing."""
    return settings.users_folder / user_id, shelf_of(settings, user_id)


def _skills(store: Store, settings: Settings) -> SkillFolders:
    reload = Reload(settings, store)
    return SkillFolders(store, lambda user: folders(settings, user).skills, reload)
