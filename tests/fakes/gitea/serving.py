"""Runs the stand-in as a process, or what GROWQR_TEST_GITEA names in its place: a program, or the
URL of a server whose admin's token is in GITEA_TOKEN. (An image is for the Docker suite.)"""

from __future__ import annotations

import asyncio
import os
import socket
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import aiohttp

from growqr.errors import InstanceError
from growqr.stacks import ServiceSpec, ServiceStatus

STAND_IN = [sys.executable, str(Path(__file__).with_name("server.py"))]
CHOSEN = os.environ.get("GROWQR_TEST_GITEA", "")
START = 90.0


def program() -> list[str] | None:
    """What `gitea` is here; None: somebody else runs it, at `CHOSEN`."""
    if "://" in CHOSEN:
        return None
    return [CHOSEN] if Path(CHOSEN).is_file() else STAND_IN


class Ran(NamedTuple):
    """A command's end."""

    code: int
    out: str
    err: str


@dataclass
class Running:
    """One started server."""

    spec: ServiceSpec
    process: asyncio.subprocess.Process
    url: str
    env: dict[str, str]


class GiteaRuntime:
    """Five verbs and `run`, over processes on loopback."""

    def __init__(self, temporary: Path) -> None:
        self._temporary = temporary
        self._running: dict[str, Running] = {}
        self.commands: list[tuple[str, ...]] = []
        """What was run inside."""
        self.broken: set[str] = set()
        """Names of services that do not start."""

    async def ensure(self, spec: ServiceSpec, **_: object) -> ServiceStatus:
        had = self._running.get(spec.name)
        if had and had.process.returncode is None and had.spec.sha == spec.sha:
            return await self.status(spec.name)
        await self.stop(spec.name)
        if spec.name in self.broken:
            raise InstanceError("it does not start, as told")
        port = _free_port()
        for folder in (spec.home, spec.workdir):
            folder.mkdir(parents=True, exist_ok=True)
        env = self._environment(spec, port)
        if self._real:
            await self._command(env, "config", "edit-ini", "--in-place", "--apply-env")
        process = await asyncio.create_subprocess_exec(
            *self._argv(env), "web", env=env, stdout=asyncio.subprocess.DEVNULL, cwd=spec.workdir
        )
        self._running[spec.name] = Running(spec, process, f"http://127.0.0.1:{port}", env)
        await self._healthy(spec.name)
        return await self.status(spec.name)

    async def status(self, name: str) -> ServiceStatus:
        had = self._running.get(name)
        if had is None:
            return ServiceStatus(name, "absent")
        spec = had.spec
        return ServiceStatus(
            name, "ready" if had.process.returncode is None else "exited", spec.user_id, spec.role,
            had.url, spec.generation, spec.sha, "it ended", had.process.pid,
        )  # fmt: skip

    async def stop(self, name: str, *, pause: bool = False) -> None:
        had = self._running.pop(name, None)
        if had and had.process.returncode is None:
            had.process.terminate()
            with suppress(TimeoutError):
                async with asyncio.timeout(5):
                    await had.process.wait()
                return
            had.process.kill()
            await had.process.wait()

    async def remove(self, name: str) -> None:
        await self.stop(name)

    async def events(self) -> AsyncIterator[str]:
        while True:
            await asyncio.sleep(0.1)
            for name in list(self._running):
                yield name

    async def run(self, name: str, argv: Sequence[str], *, timeout: float) -> Ran:
        self.commands.append(tuple(argv))
        async with asyncio.timeout(timeout):
            return await self._command(self._running[name].env, *argv[1:])

    async def close(self) -> None:
        for name in list(self._running):
            await self.stop(name)

    @property
    def _real(self) -> bool:
        return program() != STAND_IN

    def _argv(self, env: dict[str, str]) -> list[str]:
        return [*(program() or []), *(["-c", env["GITEA_APP_INI"]] if self._real else [])]

    async def _command(self, env: dict[str, str], *argv: str) -> Ran:
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(
            *self._argv(env), *argv, env=env, stdout=pipe, stderr=pipe
        )
        out, err = await process.communicate()
        return Ran(process.returncode or 0, out.decode(), err.decode())

    def _environment(self, spec: ServiceSpec, port: int) -> dict[str, str]:
        """The spec's, but for the address; GITEA_* of the tests' own environment comes last."""
        own = {key: value for key, value in os.environ.items() if key.startswith("GITEA_")}
        return {
            "PATH": os.environ["PATH"],
            **spec.env,
            "GITEA_TEMP": str(self._temporary),
            "TMPDIR": str(self._temporary),
            "GITEA__server__HTTP_ADDR": "127.0.0.1",
            "GITEA__server__HTTP_PORT": str(port),
            "GITEA_I_AM_BEING_UNSAFE_RUNNING_AS_ROOT": "true",
            **own,
        }

    async def _healthy(self, name: str) -> None:
        had = self._running[name]
        async with aiohttp.ClientSession() as http, asyncio.timeout(START):
            while True:
                assert had.process.returncode is None, "it ended at once"
                with suppress(aiohttp.ClientError):
                    async with http.get(f"{had.url}{had.spec.health.path}") as answer:
                        if answer.status == 200:
                            return
                await asyncio.sleep(0.05)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def image_of() -> str | None:
    """The image that was chosen; None: the stand-in's."""
    return CHOSEN if CHOSEN and "://" not in CHOSEN and not Path(CHOSEN).exists() else None
