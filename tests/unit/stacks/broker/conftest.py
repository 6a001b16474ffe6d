"""A runtime in memory behind a broker, over a real unix socket."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from growqr import names
from growqr.config import Settings, load
from growqr.stacks import Health, ServiceSpec, ServiceStatus
from growqr.stacks.base import Limits, Ran, Tell
from growqr.stacks.broker.client import BrokerRuntime
from growqr.stacks.broker.server import serving
from tests.fakes.runtimes import MemoryRuntime, World

NAME = "growqr-opencode-u_alice"


class Engine(MemoryRuntime):
    """What stands behind the broker; every touch is noted."""

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.touched: list[str] = []
        self.fails: Exception | None = None
        self.pauses: list[bool] = []
        self.ended = asyncio.Event()

    async def ensure(self, spec: ServiceSpec, *, tell: Tell | None = None) -> ServiceStatus:
        self._touch("ensure")
        if tell is not None:
            tell("pulling 1 of 2")
            tell("pulling 2 of 2")
        try:
            return await super().ensure(spec)
        except asyncio.CancelledError:
            self.ended.set()
            raise

    async def status(self, name: str) -> ServiceStatus:
        self._touch("status")
        return await super().status(name)

    async def stop(self, name: str, *, pause: bool = False) -> None:
        self._touch("stop")
        self.pauses.append(pause)
        await super().stop(name)

    async def run(self, name: str, argv: tuple[str, ...], *, timeout: float) -> Ran:
        self._touch("run")
        return Ran(3, f"{name} {argv[-1]} {timeout:g}", "few words")

    async def events(self) -> AsyncIterator[str]:
        self._touch("events")
        try:
            async for name in super().events():
                yield name
        finally:
            self.ended.set()

    def _touch(self, verb: str) -> None:
        self.touched.append(verb)
        if self.fails is not None:
            raise self.fails


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load(data=tmp_path / "data", broker=tmp_path / "run" / "b.sock", database_url=None)


@pytest.fixture
def engine() -> Engine:
    return Engine(World())


@pytest.fixture
async def broker(settings: Settings, engine: Engine) -> AsyncIterator[None]:
    async with serving(settings, engine):
        yield


@pytest.fixture
async def runtime(settings: Settings, broker: None) -> AsyncIterator[BrokerRuntime]:
    assert settings.broker is not None
    made = BrokerRuntime(settings.broker)
    yield made
    await made.close()


def service(settings: Settings, user: str = "u_alice", role: str = "opencode") -> ServiceSpec:
    image = settings.opencode_image if role == "opencode" else settings.gitea_image
    return ServiceSpec(
        name=names.service(role, user), user_id=user, role=role, generation=1,
        argv=("server", "--port", "{port}"), env={"PASSWORD": "s3cret ü"},
        home=settings.home(user), workdir=settings.workspace(user),
        read_only=(settings.users_folder / user / "skills",),
        health=Health("/health", "svc", "s3cret", major="1"), start_timeout=15.0, image=image,
        limits=Limits(settings.service_memory << 20, settings.service_cpus, settings.service_pids),
    )  # fmt: skip
