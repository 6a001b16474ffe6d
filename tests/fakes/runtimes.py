"""A runtime of services in memory, and a small real service for the one with processes.

Both obey MODE in a spec's environment: well, slow, never (it never listens), bad (it ends at
once), old (another major version).
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace

from growqr.errors import EngineUnavailable
from growqr.stacks import ServiceSpec, ServiceStatus
from growqr.stacks.base import ActualState, Tell

SERVER = """
import base64, http.server, os, subprocess, sys, time
mode, port = os.environ["MODE"], int(sys.argv[1])
with open(os.path.join(os.environ["HOME"], "starts"), "a") as starts:
    starts.write("started\\n")
if mode == "bad":
    sys.exit("no such setting: colour")
if mode == "slow":
    time.sleep(0.7)
wanted = "Basic " + base64.b64encode(b"svc:" + os.environ["PASSWORD"].encode()).decode()

class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        if self.headers.get("Authorization") != wanted:
            self.send_response(401); self.end_headers(); return
        if self.path == "/spawn":  # a grandchild that hides in a session of its own
            subprocess.Popen(["sleep", os.environ["NAP"]], start_new_session=True)
        if self.path == "/die":
            os._exit(9)
        body = b'{"version": "%d.0.3"}' % (2 if mode == "old" else 1)
        self.send_response(200); self.end_headers(); self.wfile.write(body)
    def log_message(self, *_): pass

if mode == "never":
    time.sleep(999)
server = http.server.ThreadingHTTPServer((sys.argv[2], port), Answer)
print("now listening", flush=True)
server.serve_forever()
"""


@dataclass
class Running:
    """A service of the double: what a process is to the other one."""

    spec: ServiceSpec
    pid: int
    ended: str | None = None
    ready: bool = False
    paused: bool = False
    deaf: bool = False
    replaced: bool = False  # its folder, or the whole of it, is not what was asked for


@dataclass
class World:
    """What outlives a runtime: its services, and every start there ever was."""

    services: dict[str, Running] = field(default_factory=dict)
    starts: list[ServiceSpec] = field(default_factory=list)
    pids: itertools.count[int] = field(default_factory=lambda: itertools.count(100))
    news: list[asyncio.Queue[str]] = field(default_factory=list)
    away: str | None = None

    def tell(self, name: str) -> None:
        """Let every runtime hear that this service is worth a look."""
        for queue in self.news:
            queue.put_nowait(name)

    def answer(self) -> None:
        """Raises EngineUnavailable while the engine is `away`."""
        if self.away:
            raise EngineUnavailable(self.away)

    def vanish(self, name: str) -> None:
        """Let a service be removed by somebody else, so that nothing says whose it was."""
        del self.services[name]
        self.tell(name)

    def end(self, name: str, reason: str) -> None:
        """Let a service end by itself."""
        self.services[name].ended = reason
        self.tell(name)


class MemoryRuntime:
    """Obeys the contract without a process. `wrong` overrides the mode of every start.

    can_pause: whether it freezes services, as containers are, or ends them, as processes are.
    pulling: what a start says that takes long.
    """

    def __init__(self, world: World, wrong: str | None = None, *, can_pause: bool = False) -> None:
        self.world, self.wrong, self.can_pause = world, wrong, can_pause
        self.pulling: list[str] = []

    async def ensure(self, spec: ServiceSpec, *, tell: Tell | None = None) -> ServiceStatus:
        self.world.answer()
        for text in self.pulling:
            if tell:
                tell(text)
            await asyncio.sleep(0.05)
        known = self.world.services.get(spec.name)
        if known is None or known.ended or known.replaced or known.spec.sha != spec.sha:
            known = Running(spec, next(self.world.pids))
            self.world.services[spec.name] = known
            self.world.starts.append(spec)
        mode = self.wrong or spec.env.get("MODE", "well")
        if mode in ("slow", "never"):
            await asyncio.sleep(0.05 if mode == "slow" else spec.start_timeout)
        if mode == "bad":
            known.ended = "no such setting: colour"
        if mode == "old":
            known.ended = "it is version 2.0.3; growqr speaks to 1.x"
        known.ready = mode in ("well", "slow")
        known.paused = False
        status = await self.status(spec.name)
        late = f"not ready after {spec.start_timeout:g} s"
        return replace(status, reason=late) if status.state == "starting" else status

    async def status(self, name: str) -> ServiceStatus:
        self.world.answer()
        known = self.world.services.get(name)
        if known is None:
            return ServiceStatus(name, "absent")
        reason = known.ended or ("no answer" if known.deaf else None)
        sha = None if known.replaced else known.spec.sha
        return ServiceStatus(
            name, _state(known), known.spec.user_id, known.spec.role,
            address=f"http://127.0.0.1:{known.pid}", generation=known.spec.generation,
            spec_sha=sha, reason=reason, pid=known.pid,
        )  # fmt: skip

    async def stop(self, name: str, *, pause: bool = False) -> None:
        self.world.answer()
        known = self.world.services.get(name)
        if pause and self.can_pause and known and not known.ended:
            known.paused = True
        else:
            self.world.services.pop(name, None)

    async def remove(self, name: str) -> None:
        await self.stop(name)

    async def events(self) -> AsyncIterator[str]:
        queue: asyncio.Queue[str] = asyncio.Queue()
        self.world.news.append(queue)
        for name in list(self.world.services):
            yield name
        while True:
            yield await queue.get()


def _state(known: Running) -> ActualState:
    if known.ended:
        return "exited"
    if known.paused:
        return "paused"
    if not known.ready:
        return "starting"
    return "unhealthy" if known.deaf else "ready"
