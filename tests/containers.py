"""For tests with containers: is there an engine, the images they run, runtimes that clean up."""

from __future__ import annotations

import os
import secrets
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import pytest

from growqr.config import Settings, load
from growqr.instance import ports
from growqr.stacks.docker.runtime import DockerRuntime

_HERE = Path(__file__).parent
IMAGES = {name: _HERE / "docker" / "images" / name for name in ("python", "trivial")}
IMAGES["gitea"] = _HERE / "fakes" / "gitea"
_ENVIRONMENT = dict(os.environ)
"""As the run began: a test may lead the product to its engine by another way."""


def docker(*words: str, seconds: float = 60) -> str:
    """Output of one `docker …`; fails the test with its complaint."""
    done = subprocess.run(
        ["docker", *words], capture_output=True, text=True, timeout=seconds, check=False,
        env=_ENVIRONMENT,
    )  # fmt: skip
    assert done.returncode == 0, f"docker {' '.join(words)}: {done.stderr}"
    return done.stdout.strip()


@cache
def _is_there() -> bool:
    try:
        done = subprocess.run(["docker", "info"], capture_output=True, timeout=30, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


def need_engine() -> None:
    """Skip where no engine answers; CI starts one, so there it is a failure."""
    if _is_there():
        return
    if os.environ.get("CI"):
        pytest.fail("there is no Docker engine")
    pytest.skip("there is no Docker engine")


@cache
def image(name: str) -> str:
    """One of IMAGES, built where its recipe has changed."""
    need_engine()
    docker("build", "--quiet", "--tag", f"growqr-test/{name}", str(IMAGES[name]), seconds=300)
    return f"growqr-test/{name}"


@dataclass
class Bench:
    """Runtimes of one instance of their own, and a look behind them."""

    settings: Settings
    instance: str = field(default_factory=lambda: secrets.token_hex(6))
    made: list[DockerRuntime] = field(default_factory=list)

    def runtime(self) -> DockerRuntime:
        """Another runtime of the same instance."""
        self.made.append(DockerRuntime(self.settings, self.instance))
        return self.made[-1]

    def container(self, service: str) -> str:
        """What the container of a service is called."""
        return service.replace("growqr", self.settings.stack_prefix, 1)

    @property
    def _label(self) -> str:
        return f"label=growqr.instance={self.instance}"

    def containers(self) -> list[str]:
        """Names of the instance's containers."""
        listed = docker("ps", "--all", "--format", "{{.Names}}", "--filter", self._label)
        return sorted(listed.split())

    def networks(self) -> list[str]:
        """Names of the instance's networks."""
        listed = docker("network", "ls", "--format", "{{.Name}}", "--filter", self._label)
        return sorted(listed.split())

    def rules(self) -> list[str]:
        """Firewall rules of the instance, none where this process may not see them."""
        stem = f"gq{self.instance[:4]}"
        found = []
        for program in ("iptables", "ip6tables"):
            done = subprocess.run([program, "-w", "5", "-S"], capture_output=True, text=True)
            found += [line for line in done.stdout.splitlines() if stem in line.lower()]
        return found

    async def tidy(self) -> None:
        """End all of the instance."""
        for runtime in self.made:
            await runtime.close()
        if self.made:
            await self.made[0].forget_rules()
        if left := self.containers():
            docker("rm", "--force", "--volumes", *left)
        if left := self.networks():
            docker("network", "rm", *left)


@asynccontextmanager
async def bench(data: Path, **choices: object) -> AsyncIterator[Bench]:
    """An instance with a data folder, a prefix and ports of its own; it leaves nothing."""
    need_engine()
    settings = load(
        data=data, database_url=None, runtime="docker", port=ports.choose(0).base,
        stack_prefix=f"t{secrets.token_hex(3)}", **choices,
    )  # fmt: skip
    made = Bench(settings)
    try:
        yield made
    finally:
        await made.tidy()
