"""Shell of a Host: what one node does for its users."""

from __future__ import annotations

import ray

from growqr import config, logs, names
from growqr.actors.life import Life
from growqr.memory import Projection
from growqr.store import open_store

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
        logs.configure(settings.log_level)
        async with open_store(settings, 4) as store:
            await Projection(store, settings, self._name).run()
