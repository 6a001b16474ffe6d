"""What every runtime of services promises, whether they are processes or containers."""

from __future__ import annotations

import hashlib
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol

PORT = "{port}"
"""Stands in a spec's argv for the port that the runtime chooses."""

ActualState = Literal["absent", "starting", "ready", "unhealthy", "exited"]


@dataclass(frozen=True)
class Health:
    """How a service shows that it works: GET `path`, with Basic auth when it has a password.

    `major`: the first part of the `version` it has to answer; None: any answer below 500 will do.
    """

    path: str = "/"
    user: str = ""
    password: str = field(default="", repr=False)
    major: str | None = None


@dataclass(frozen=True)
class ServiceSpec:
    """Everything a service is started with. `env` is all it gets, and may hold secrets.

    `home` and `workdir` are writable and outlive it; of `read_only` it sees just that.
    `ready_line`: what it prints once it listens. `start_timeout`: seconds until it must be ready.
    """

    name: str
    user_id: str
    role: str
    generation: int
    argv: tuple[str, ...]
    env: dict[str, str] = field(repr=False)
    home: Path
    workdir: Path
    read_only: tuple[Path, ...] = ()
    ready_line: str | None = None
    health: Health = Health()
    start_timeout: float = 60.0

    @property
    def sha(self) -> str:
        """Equal for equal services; a running one with another hash is made anew."""
        paths = [str(path) for path in (self.home, self.workdir, *self.read_only)]
        whole = [self.name, self.generation, self.argv, sorted(self.env.items()), paths]
        return hashlib.sha256(json.dumps(whole).encode()).hexdigest()


@dataclass(frozen=True)
class ServiceStatus:
    """A service as it is now. `address`: "http://127.0.0.1:PORT"; `pid`: its init's.

    exited: it was started, nobody stopped it, and it is gone; `reason` says how.
    """

    name: str
    state: ActualState
    user_id: str = ""
    role: str = ""
    address: str | None = None
    generation: int = 0
    spec_sha: str | None = None
    reason: str | None = None
    pid: int | None = None


class Runtime(Protocol):
    """Five verbs, each of which may be repeated and raced without harm."""

    async def ensure(self, spec: ServiceSpec) -> ServiceStatus:
        """Have exactly this service, and wait until it is ready or has failed to become so.

        One with another hash is ended first; its folders stay. Raises SandboxRequired where it
        would run without walls beside another user's, InstanceError when it cannot be started.
        """

    async def status(self, name: str) -> ServiceStatus:
        """The service as it is now; `absent` when it was never started, or was stopped."""

    async def stop(self, name: str) -> None:
        """End it and all it started, and forget the run; fine when there is none."""

    async def remove(self, name: str) -> None:
        """`stop`, and forget its log too. The user's folders stay."""

    def events(self) -> AsyncIterator[str]:
        """Names of services worth a look: those that are there at first, then those that end."""
