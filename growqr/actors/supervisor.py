"""Shell of the Supervisor: one per instance, and harmless when there are two."""

from __future__ import annotations

import ray

from growqr import config, logs, names
from growqr.actors.directory import RayDirectory
from growqr.actors.life import Life
from growqr.agents import Limits, Supervision
from growqr.store import open_store


@ray.remote(num_cpus=0, max_restarts=-1, max_task_retries=0)
class SupervisorActor:
    """Lives as long as the cluster; Ray restarts it."""

    def __init__(self) -> None:
        self._life = Life(names.SUPERVISOR, self._live)

    def __repr__(self) -> str:
        return names.SUPERVISOR

    async def ready(self) -> bool:
        """Answers once the process is up."""
        return True

    async def _live(self) -> None:
        settings = config.load()
        logs.configure(settings.log_level, logs.secrets_of(settings))
        async with open_store(settings, 2, name="growqr supervisor") as store:
            await Supervision(
                store,
                RayDirectory(),
                limits=Limits(turn=settings.turn_deadline, lease=settings.lease_ttl),
                retention_days=settings.retention_days,
                retention_events=settings.retention_events,
                retention_refused_days=settings.retention_refused_days,
            ).run()
