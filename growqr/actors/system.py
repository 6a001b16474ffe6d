"""The actors every instance has; whoever finds one missing makes it."""

from __future__ import annotations

import asyncio
from typing import Any, cast

import ray

from growqr import names

HEAD = "node:__internal_head__"
"""Only there: the loss of another node must not take the Supervisor with it."""

DEADLINE = 60.0
"""Seconds until the first answer of a new actor."""


def ensure_system_actors() -> None:
    """Make Supervisor and Host unless they are there, and wait until they answer."""
    ray.get([handle.ready.remote() for handle in _handles()], timeout=DEADLINE)


async def ensure_system_actors_async() -> None:
    """The same, without waiting for their answer."""
    await asyncio.to_thread(_handles)


def _handles() -> list[Any]:
    # Here, so that an agent, which shares this room, loads nothing of what only a Host needs.
    from growqr.actors.host import LOCAL, HostActor
    from growqr.actors.supervisor import SupervisorActor

    there = {"namespace": names.NAMESPACE, "lifetime": "detached", "get_if_exists": True}
    there["resources"] = {HEAD: 0.001}
    return [
        cast("Any", SupervisorActor).options(name=names.SUPERVISOR, **there).remote(),
        cast("Any", HostActor).options(name=names.host(LOCAL), **there).remote(LOCAL),
    ]
