"""Which runtime an instance has: processes, containers, or containers behind a broker."""

from __future__ import annotations

import asyncio

from growqr.config import Settings
from growqr.errors import GrowqrError
from growqr.stacks.base import Runtime, Tell
from growqr.stacks.process import ProcessRuntime


def open_runtime(settings: Settings, instance: str) -> Runtime:
    """The runtime that the settings name; connects to nothing yet.

    instance: the id by which what runs is known as this instance's.
    """
    if settings.runtime == "process":
        return ProcessRuntime(settings)
    # Here, so that an instance with processes loads nothing of containers.
    if settings.broker is not None:
        from growqr.stacks.broker.client import BrokerRuntime

        return BrokerRuntime(settings.broker)
    from growqr.stacks.docker.runtime import DockerRuntime

    return DockerRuntime(settings, instance)


def has_images(settings: Settings) -> bool:
    """Whether services are containers that we start ourselves."""
    return settings.runtime == "docker" and settings.broker is None


def ensure_images(settings: Settings, tell: Tell) -> list[str]:
    """Have the images of all services here; a line for each that could not be had. Blocks.

    tell: hears of what takes long, in words.
    """
    wanted = [settings.opencode_image]
    if settings.gitea == "per_user":
        wanted.append(settings.gitea_image)
    return asyncio.run(_ensure_images(settings, wanted, tell))


async def _ensure_images(settings: Settings, wanted: list[str], tell: Tell) -> list[str]:
    from growqr.stacks.docker.engine import Engine
    from growqr.stacks.docker.images import Images

    engine, problems = Engine(), []
    try:
        images = Images(engine, settings)
        for image in wanted:
            try:
                await images.ensure(image, tell)
            except GrowqrError as error:
                problems.append(error.message)
    finally:
        await engine.close()
    return problems


def end_containers(settings: Settings, instance: str) -> int:
    """End the containers that an instance has started itself; how many there were. Blocks.

    Raises EngineUnavailable.
    """
    return asyncio.run(_end_containers(settings, instance)) if has_images(settings) else 0


async def _end_containers(settings: Settings, instance: str) -> int:
    from growqr.stacks.docker.runtime import DockerRuntime

    runtime = DockerRuntime(settings, instance)
    try:
        return await runtime.end_all()
    finally:
        await runtime.close()
