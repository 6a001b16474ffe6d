"""What every runtime of services promises, whether they are processes or containers."""

from __future__ import annotations

import hashlib
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Literal, NamedTuple, Protocol, runtime_checkable

PORT, LISTEN = "{port}", "{listen}"
"""Stand in a spec's argv for the port and the address that the runtime has it listen on."""

GATE = "growqr"
"""Host name by which a container reaches our relay, and nothing else of the machine."""

ActualState = Literal["absent", "starting", "ready", "unhealthy", "paused", "exited"]


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
class Limits:
    """What a container may use: bytes, cores, processes. Processes of ours have no such walls."""

    memory: int = 1536 << 20
    cpus: float = 1.5
    pids: int = 512


@dataclass(frozen=True)
class ServiceSpec:
    """Everything a service is started with. `env` is all it gets, and may hold secrets.

    `home` and `workdir` are writable and outlive it; of `read_only` it sees just that. All are
    seen inside under the same path. `ready_line`: what it prints once it listens.
    `start_timeout`: seconds until it must be ready. `image`, `port` (inside) and `limits` count
    where services are containers.
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
    image: str = ""
    port: int = 4096
    limits: Limits = Limits()

    @property
    def sha(self) -> str:
        """Equal for equal services; a running one with another hash is made anew."""
        paths = [str(path) for path in (self.home, self.workdir, *self.read_only)]
        walls = [self.image, self.port, asdict(self.limits)]
        whole = [self.name, self.generation, self.argv, sorted(self.env.items()), paths, walls]
        return hashlib.sha256(json.dumps(whole).encode()).hexdigest()


@dataclass(frozen=True)
class ServiceStatus:
    """A service as it is now. `address`: "http://HOST:PORT" for us; `pid`: its init's.

    starting: it runs and is not yet as it should be; `ensure` brings it there. paused: frozen by
    `stop(pause=True)`; `ensure` has it back at once. exited: it was started, nobody stopped it,
    and it is gone; `reason` says how. A `spec_sha` of None: not what was asked for any more.
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


Tell = Callable[[str], None]
"""Takes a few words about what a long start is doing now; from any thread, at will."""


class Ran(NamedTuple):
    """How a program inside a service ended, and what it wrote."""

    code: int
    out: str
    err: str


@runtime_checkable
class Inside(Protocol):
    """A runtime that can also run a program inside a service, as containers can."""

    async def run(self, name: str, argv: tuple[str, ...], *, timeout: float) -> Ran:
        """Wait until it has ended. Raises InstanceError without the service, or out of time."""


class Runtime(Protocol):
    """Five verbs, each of which may be repeated and raced without harm."""

    async def ensure(self, spec: ServiceSpec, *, tell: Tell | None = None) -> ServiceStatus:
        """Have exactly this service, and wait until it is ready or has failed to become so.

        One with another hash is ended first; its folders stay. `tell` hears what takes long, such
        as the parts of an image that come in. Raises SandboxRequired where it would run without
        walls beside another user's, Unavailable while the runtime itself is away, InstanceError
        when it cannot be started.
        """

    async def status(self, name: str) -> ServiceStatus:
        """The service as it is now; `absent` when it was never started, or was stopped."""

    async def stop(self, name: str, *, pause: bool = False) -> None:
        """End it and all it started, and forget the run; fine when there is none.

        pause: where the runtime can, freeze it instead, so that the next `ensure` is quick.
        """

    async def remove(self, name: str) -> None:
        """`stop`, and forget its log too. The user's folders stay."""

    def events(self) -> AsyncIterator[str]:
        """Names of services worth a look: those that are there, told again now and then, and
        those that end. Only hints: nothing may depend on one."""
