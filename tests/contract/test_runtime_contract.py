"""What every runtime of services promises: processes under walls, containers, one in memory."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

import aiohttp
import pytest

from growqr import names
from growqr.config import Settings, load
from growqr.instance.services import end_all
from growqr.stacks import Health, ProcessRuntime, Runtime, ServiceSpec
from growqr.stacks.base import LISTEN, PORT
from growqr.stacks.docker.runtime import DockerRuntime
from growqr.stacks.probe import basic_auth
from tests.containers import Bench, bench, docker, image
from tests.fakes.runtimes import SERVER, MemoryRuntime, World

pytestmark = pytest.mark.anyio

NAP = "987654"


class Rig(Protocol):
    """A kind of runtime: how to make one on the same services, and how to look behind it."""

    address: str

    def runtime(self) -> Runtime: ...
    def kill(self, pid: int, name: str) -> None: ...
    def starts(self, spec: ServiceSpec) -> int: ...


class Processes:
    """Real processes under bubblewrap."""

    address = "http://127.0.0.1:"

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.made: list[ProcessRuntime] = []

    def runtime(self) -> ProcessRuntime:
        self.made.append(ProcessRuntime(self.settings))
        return self.made[-1]

    def kill(self, pid: int, name: str) -> None:
        os.kill(pid, signal.SIGKILL)

    def starts(self, spec: ServiceSpec) -> int:
        return (spec.home / "starts").read_text().count("started")


class InMemory:
    """The double that other tests use."""

    address = "http://127.0.0.1:"

    def __init__(self) -> None:
        self.world = World()

    def runtime(self) -> MemoryRuntime:
        return MemoryRuntime(self.world)

    def kill(self, pid: int, name: str) -> None:
        self.world.end(name, "killed")

    def starts(self, spec: ServiceSpec) -> int:
        return len(self.world.starts)


class Containers:
    """Real containers, reached by their address or by a published port."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench
        self.address = "http://127.0.0.1:" if bench.settings.reach == "port" else "http://10.199."

    def runtime(self) -> DockerRuntime:
        return self._bench.runtime()

    def kill(self, pid: int, name: str) -> None:
        docker("kill", self._bench.container(name))

    def starts(self, spec: ServiceSpec) -> int:
        return (spec.home / "starts").read_text().count("started")


KINDS = [
    "processes",
    "memory",
    pytest.param("docker", marks=pytest.mark.docker),
    pytest.param("docker-port", marks=pytest.mark.docker),
]


@pytest.fixture(params=KINDS)
async def rig(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Rig]:
    data, kind = tmp_path / "data", str(request.param)
    if kind.startswith("docker"):
        async with bench(data, reach="port" if kind == "docker-port" else "auto") as made:
            yield Containers(made)
    elif kind == "memory":
        yield InMemory()
    else:
        processes = Processes(load(data=data, database_url=None))
        yield processes
        for runtime in processes.made:
            await runtime.close()
        end_all(data)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Where the services keep their folders, whatever they are."""
    return load(data=tmp_path / "data", database_url=None)


def server(
    rig: Rig | None, settings: Settings, mode: str = "well", user: str = "u_alice", **changes: Any
) -> Any:
    """A spec of the small service of tests/fakes/runtimes.py."""
    contained = isinstance(rig, Containers)
    prefix = Path(sys.base_prefix)
    python = "python3" if contained else str(prefix / "bin" / "python3")
    spec = ServiceSpec(
        name=names.service("opencode", user), user_id=user, role="opencode", generation=1,
        argv=(python, "-c", SERVER, PORT, LISTEN),
        env={"MODE": mode, "PASSWORD": "s3cret", "HOME": str(settings.home(user)),
             "PATH": "/usr/bin:/bin", "NAP": NAP + str(os.getpid())},
        home=settings.home(user), workdir=settings.workspace(user),
        read_only=() if contained else (prefix,),
        ready_line="now listening", health=Health("/health", "svc", "s3cret", major="1"),
        start_timeout=15.0, image=image("python") if contained else "",
    )  # fmt: skip
    return replace(spec, **changes)


async def ask(address: str | None, path: str) -> None:
    headers = basic_auth("svc", "s3cret")
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=5)) as session:
        async with session.get(f"{address}{path}", headers=headers) as reply:
            assert reply.status == 200


async def until(what: Callable[[], Awaitable[bool]], seconds: float = 10.0) -> None:
    deadline = time.monotonic() + seconds
    while not await what():
        assert time.monotonic() < deadline, "it did not come true in time"
        await asyncio.sleep(0.02)


async def test_ensured_twice_and_at_once_it_is_one_service(rig: Rig, settings: Settings) -> None:
    runtime, spec = rig.runtime(), server(rig, settings)

    all_at_once = await asyncio.gather(*(runtime.ensure(spec) for _ in range(4)))
    again = await runtime.ensure(spec)

    assert {status.state for status in all_at_once} == {"ready"}
    assert {status.pid for status in (*all_at_once, again)} == {again.pid}
    assert (again.generation, again.spec_sha) == (1, spec.sha)
    assert again.address is not None
    assert again.address.startswith(rig.address)
    assert rig.starts(spec) == 1


async def test_what_is_not_there_can_be_asked_for_stopped_and_removed(rig: Rig) -> None:
    runtime = rig.runtime()

    assert (await runtime.status("growqr-opencode-u_nobody")).state == "absent"
    await runtime.stop("growqr-opencode-u_nobody")
    await runtime.remove("growqr-opencode-u_nobody")


async def test_a_slow_one_is_waited_for(rig: Rig, settings: Settings) -> None:
    assert (await rig.runtime().ensure(server(rig, settings, "slow"))).state == "ready"


async def test_one_that_never_listens_is_given_up_in_time(rig: Rig, settings: Settings) -> None:
    status = await rig.runtime().ensure(server(rig, settings, "never", start_timeout=0.5))

    assert status.state == "starting"
    assert status.reason == "not ready after 0.5 s"


@pytest.mark.parametrize(
    ("mode", "reason"), [("bad", "no such setting: colour"), ("old", "version 2.0.3")]
)
async def test_a_bad_one_says_why(rig: Rig, settings: Settings, mode: str, reason: str) -> None:
    status = await rig.runtime().ensure(server(rig, settings, mode))

    assert status.state == "exited"
    assert status.reason is not None
    assert reason in status.reason


async def test_a_killed_one_is_told_and_can_be_had_again(rig: Rig, settings: Settings) -> None:
    runtime, spec = rig.runtime(), server(rig, settings)
    first = await runtime.ensure(spec)
    assert first.pid is not None
    news = runtime.events()
    assert await anext(news) == spec.name

    rig.kill(first.pid, spec.name)

    assert await asyncio.wait_for(anext(news), 5) == spec.name
    status = await runtime.status(spec.name)
    assert (status.state, status.user_id, status.role) == ("exited", "u_alice", "opencode")
    assert status.reason is not None
    assert "killed" in status.reason
    again = await runtime.ensure(spec)
    assert again.state == "ready"
    assert again.pid != first.pid


async def test_a_changed_spec_makes_it_anew_and_keeps_its_folders(
    rig: Rig, settings: Settings
) -> None:
    runtime, spec = rig.runtime(), server(rig, settings)
    first = await runtime.ensure(spec)

    changed = replace(spec, generation=2, env=spec.env | {"COLOUR": "green"})
    second = await runtime.ensure(changed)

    assert (second.state, second.generation, second.spec_sha) == ("ready", 2, changed.sha)
    assert second.pid != first.pid
    assert rig.starts(spec) == 2


async def test_another_runtime_adopts_what_runs(rig: Rig, settings: Settings) -> None:
    spec = server(rig, settings)
    first = await rig.runtime().ensure(spec)

    other = rig.runtime()

    assert await anext(other.events()) == spec.name
    assert await other.status(spec.name) == first
    assert (await other.ensure(spec)).pid == first.pid
    assert rig.starts(spec) == 1
    await other.stop(spec.name)
    assert (await rig.runtime().status(spec.name)).state == "absent"


async def test_laid_to_rest_it_is_back_when_it_is_wanted(rig: Rig, settings: Settings) -> None:
    runtime, spec = rig.runtime(), server(rig, settings)
    await runtime.ensure(spec)

    await runtime.stop(spec.name, pause=True)
    await runtime.stop(spec.name, pause=True)

    assert (await runtime.status(spec.name)).state in ("paused", "absent")
    again = await runtime.ensure(spec)
    assert (again.state, again.spec_sha) == ("ready", spec.sha)
    await runtime.stop(spec.name, pause=True)
    await runtime.remove(spec.name)
    assert (await runtime.status(spec.name)).state == "absent"


async def test_stopped_it_is_absent_and_its_folders_stay(rig: Rig, settings: Settings) -> None:
    runtime, spec = rig.runtime(), server(rig, settings)
    await runtime.ensure(spec)

    await runtime.stop(spec.name)
    assert (await runtime.status(spec.name)).state == "absent"
    await runtime.ensure(spec)
    await runtime.remove(spec.name)

    assert (await runtime.status(spec.name)).state == "absent"
    assert rig.starts(spec) == 2


def naps() -> int:
    """Grandchildren of this test's service that are alive, wherever they hid."""
    wanted = b"sleep\0" + NAP.encode() + str(os.getpid()).encode()
    found = 0
    for entry in Path("/proc").iterdir():
        try:
            found += entry.name.isdigit() and wanted in (entry / "cmdline").read_bytes()
        except OSError:
            continue
    return found


@pytest.mark.parametrize("end", ["stop", "die", "kill", "down", "unsandboxed"])
async def test_no_grandchild_outlives_its_service(settings: Settings, end: str) -> None:
    processes = Processes(settings)
    runtime, spec = processes.runtime(), server(None, settings)
    if end == "unsandboxed":
        runtime = ProcessRuntime(settings, why_no_walls=lambda: "missing")
    status = await runtime.ensure(spec)
    assert status.pid is not None
    await ask(status.address, "/spawn")
    await until(lambda: asyncio.to_thread(lambda: naps() == 1))

    if end in ("stop", "unsandboxed"):
        await runtime.stop(spec.name)
        assert naps() == 0
    elif end == "die":
        with pytest.raises(aiohttp.ClientError):
            await ask(status.address, "/die")
    elif end == "kill":
        os.kill(status.pid, signal.SIGKILL)
    else:
        assert await asyncio.to_thread(end_all, settings.data)
        assert naps() == 0

    await until(lambda: asyncio.to_thread(lambda: naps() == 0))
    expected = "exited" if end in ("die", "kill") else "absent"

    async def seen() -> bool:  # the namespace's first process goes last
        return (await runtime.status(spec.name)).state == expected

    await until(seen)
    gone = await runtime.status(spec.name)
    if end == "die":
        assert gone.reason is not None
        assert "ended with code 9" in gone.reason
    await runtime.close()
