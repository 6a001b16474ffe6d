"""The app "api": stateless replicas of the HTTP ingress.

Each replica reads the instance's settings file, so that no secret travels through Serve, and
keeps the Supervisor and the Hosts in being: at its start and every ten seconds.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from fastapi import FastAPI
from ray import serve

from deployments.loopback import bind_to_loopback
from growqr import failpoints, logs
from growqr.actors import RayDirectory, ensure_system_actors_async
from growqr.api import make_app
from growqr.config import Settings, from_snapshot
from growqr.store import Store, open_store

log = logging.getLogger(__name__)

MAX_CONNECTIONS = 16
"""Database connections of one replica."""

ENSURE_EVERY = 10.0
MOST_REPLICAS = 4
# Never one alone where there are two cores: with all replicas gone HAProxy drops what is open and
# holds new requests, without an answer, until one is back (11 s on two cores).


def build(settings: Settings) -> serve.Application:
    """The application for Serve; replicas as set, else one per core up to four."""
    replicas = settings.api_replicas or min(settings.cpus or os.cpu_count() or 1, MOST_REPLICAS)
    snapshot = settings.data / "settings.json"

    def app_of_replica() -> FastAPI:
        settings = from_snapshot(snapshot)
        bind_to_loopback()
        logs.guard(logs.secrets_of(settings))
        failpoints.arm(settings.failpoints)
        return replica_app(settings)

    deployment = serve.deployment(
        name="api",
        num_replicas=replicas,
        max_ongoing_requests=10_000,
        ray_actor_options={"num_cpus": 0},
        graceful_shutdown_timeout_s=10.0,  # open streams come back to another replica
    )(serve.ingress(app_of_replica)())
    return deployment.bind()


def replica_app(settings: Settings) -> FastAPI:
    """The ASGI application of one replica, built inside it."""
    store = open_store(settings, MAX_CONNECTIONS, name="growqr api")
    around = _around(settings, store)
    return make_app(settings, store, RayDirectory(), around=around, behind_ingress=True)


@asynccontextmanager
async def _around(settings: Settings, store: Store) -> AsyncIterator[None]:
    async with store:
        keeper = asyncio.create_task(_keep_system_actors(settings))
        try:
            yield
        finally:
            keeper.cancel()
            with suppress(asyncio.CancelledError):
                await keeper


async def _keep_system_actors(settings: Settings) -> None:
    while True:
        try:
            async with asyncio.timeout(ENSURE_EVERY):
                await ensure_system_actors_async()
        except Exception as error:  # noqa: BLE001 - Ray may fail in any way; the next try counts
            log.warning("cannot ensure the system actors: %r", error)
        await asyncio.sleep(ENSURE_EVERY)
