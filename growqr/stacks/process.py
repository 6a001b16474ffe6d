"""Services as local processes: each in a session and a pid namespace of its own.

They outlive whoever started them; `<data>/services/` says what runs, and another runtime on the
same folder finds them there.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path

from growqr.config import Settings
from growqr.errors import InstanceError, SandboxRequired
from growqr.instance.child import tail
from growqr.instance.processes import boot_id, identify
from growqr.instance.services import MARK, ServiceRecord, record_path, records
from growqr.stacks import launcher, ownership, sandbox
from growqr.stacks.base import LISTEN, PORT, ActualState, Health, ServiceSpec, ServiceStatus, Tell
from growqr.stacks.probe import WrongVersion, answers, free_port

ATTEMPTS = 3
"""Starts of one `ensure` when somebody took the port that was chosen."""

LAUNCH_TIMEOUT = 20.0
MAX_LOG = 5_000_000
_POLL = 0.05


class ProcessRuntime:
    """The services of one data folder on this machine."""

    def __init__(
        self, settings: Settings, *, why_no_walls: Callable[[], str | None] = sandbox.why_not
    ) -> None:
        self._data, self._settings = settings.data, settings
        self._why_no_walls = why_no_walls
        self._starts = asyncio.Semaphore(os.cpu_count() or 1)
        self._locks: dict[str, asyncio.Lock] = {}
        self._health: dict[str, Health] = {}
        self._told: asyncio.Queue[str] = asyncio.Queue()
        self._watched: dict[str, tuple[int, int]] = {}  # name → (pid, its descriptor)

    async def ensure(self, spec: ServiceSpec, *, tell: Tell | None = None) -> ServiceStatus:
        """See Runtime."""
        async with self._lock(spec.name):
            self._health[spec.name] = spec.health
            record = ServiceRecord.read(self._data, spec.name)
            if record and record.running and record.spec_sha == spec.sha:
                return await self._settle(spec, record)
            await self._end(spec.name)
            options = await asyncio.to_thread(self._walls, spec)
            async with self._starts:
                return await self._start(spec, options)

    async def status(self, name: str) -> ServiceStatus:
        """See Runtime."""
        record = ServiceRecord.read(self._data, name)
        if record is None:
            return ServiceStatus(name, "absent")
        if not record.running:
            return _status(record, "exited", self._last_words(record))
        if not record.ready:
            return _status(record, "starting")
        health = self._health.get(name, Health(record.health_path))
        try:
            well = await answers(_address(record), health)
        except WrongVersion as error:
            return _status(record, "unhealthy", str(error))
        return _status(record, "ready" if well else "unhealthy", None if well else "no answer")

    async def stop(self, name: str, *, pause: bool = False) -> None:
        """See Runtime. A process is not frozen: it ends either way."""
        async with self._lock(name):
            await self._end(name)

    async def remove(self, name: str) -> None:
        """See Runtime."""
        await self.stop(name)
        self._log(name).unlink(missing_ok=True)
        self._health.pop(name, None)

    async def events(self) -> AsyncIterator[str]:
        """See Runtime."""
        for record in records(self._data):
            self._watch(record)
            yield record.name
        while True:
            yield await self._told.get()

    async def _start(self, spec: ServiceSpec, options: list[str]) -> ServiceStatus:
        for _ in range(ATTEMPTS):
            record = await self._launch(spec, options, free_port())
            self._watch(record)
            status = await self._settle(spec, record)
            taken = "EADDRINUSE" in (status.reason or "") or "in use" in (status.reason or "")
            if status.state != "exited" or not taken:
                break
        return status

    async def _settle(self, spec: ServiceSpec, record: ServiceRecord) -> ServiceStatus:
        """Wait until it is ready, has ended, or its time is over."""
        deadline = time.monotonic() + spec.start_timeout
        while time.monotonic() < deadline:
            if not record.running:
                return _status(record, "exited", self._last_words(record))
            try:
                if self._listens(spec, record) and await answers(_address(record), spec.health):
                    record = replace(record, ready=True)
                    record.write(self._data)
                    return _status(record, "ready")
            except WrongVersion as error:
                await self._end(spec.name)
                return _status(record, "exited", str(error))
            await asyncio.sleep(_POLL)
        return _status(record, "starting", f"not ready after {spec.start_timeout:g} s")

    def _listens(self, spec: ServiceSpec, record: ServiceRecord) -> bool:
        if record.ready or spec.ready_line is None:
            return True
        with self._log(spec.name).open("rb") as log:
            log.seek(record.log_from)
            return spec.ready_line.encode() in log.read(1 << 20)

    def _walls(self, spec: ServiceSpec) -> list[str]:
        """Make the folders; bubblewrap's options, none where it may do without."""
        why = self._why_no_walls()
        if why and not self._settings.allow_unsandboxed and self._others(spec):
            raise SandboxRequired(
                f"{why}, so this instance serves one user alone: install bubblewrap, or set "
                "GROWQR_ALLOW_UNSANDBOXED=1 if all users trust each other"
            )
        stubs = self._data / "services" / "etc"
        missing = [path for path in spec.read_only if not path.exists()]
        made = (stubs.parent, stubs, self._data / "logs", spec.home, spec.workdir, *missing)
        for folder in made:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for folder in (spec.home, spec.workdir):
            ownership.give(folder.resolve(), ownership.of_processes())
        if why:
            return []
        (stubs / "passwd").write_text(sandbox.PASSWD)
        (stubs / "group").write_text(sandbox.GROUP)
        return sandbox.options(spec, hidden=self._data, stubs=stubs)

    def _others(self, spec: ServiceSpec) -> bool:
        """Whether a service of another user ever had a home that this one could read."""
        homes = self._settings.users_folder.glob("*/home")
        return any(home.parent.name != spec.user_id for home in homes)

    async def _launch(self, spec: ServiceSpec, options: list[str], port: int) -> ServiceRecord:
        argv = [text.replace(PORT, str(port)).replace(LISTEN, "127.0.0.1") for text in spec.argv]
        inner = ["/bin/sh", "-c", launcher.INIT, "growqr-service", *argv]
        walls = [sandbox.program() or "bwrap", "--args", str(launcher.ARGS),
                 "--info-fd", str(launcher.INFO), "--"]  # fmt: skip
        order: dict[str, object] = {
            "argv": [*walls, *inner] if options else inner,
            "options": options,
            "env": spec.env | {MARK: spec.name},
            "workdir": str(spec.workdir),
            "log": str(self._log(spec.name)),
            "lock": str(record_path(self._data, spec.name).with_suffix(".lock")),
            "record": str(record_path(self._data, spec.name)),
            "fields": self._fields(spec, port, sandboxed=bool(options)),
        }
        return ServiceRecord(**json.loads(await _order(spec.name, order)))

    def _fields(self, spec: ServiceSpec, port: int, *, sandboxed: bool) -> dict[str, object]:
        log = self._log(spec.name)
        size = log.stat().st_size if log.exists() else 0
        if size > MAX_LOG:
            log.replace(log.with_suffix(".log.1"))
            size = 0
        return {
            "name": spec.name, "user_id": spec.user_id, "role": spec.role,
            "generation": spec.generation, "spec_sha": spec.sha, "port": port,
            "sandboxed": sandboxed, "health_path": spec.health.path, "log_from": size,
            "boot": boot_id(),
        }  # fmt: skip

    async def _end(self, name: str) -> None:
        if record := ServiceRecord.read(self._data, name):
            await asyncio.to_thread(record.end)
            record_path(self._data, name).unlink(missing_ok=True)

    def _watch(self, record: ServiceRecord) -> None:
        """Have the name told as soon as the service's first process ends."""
        pid, old = self._watched.get(record.name, (0, -1))
        if pid == record.pid:
            return
        if old >= 0:
            self._forget(record.name, old)
        try:
            descriptor = os.pidfd_open(record.pid)
        except OSError:
            self._told.put_nowait(record.name)
            return
        if identify(record.pid) != record.process:
            os.close(descriptor)
            self._told.put_nowait(record.name)
            return
        self._watched[record.name] = record.pid, descriptor
        loop = asyncio.get_running_loop()
        loop.add_reader(descriptor, self._ended, record.name, descriptor)

    def _ended(self, name: str, descriptor: int) -> None:
        self._forget(name, descriptor)
        self._told.put_nowait(name)

    def _forget(self, name: str, descriptor: int) -> None:
        asyncio.get_running_loop().remove_reader(descriptor)
        os.close(descriptor)
        self._watched.pop(name, None)

    async def close(self) -> None:
        """Let the descriptors go; the services run on."""
        for name, (_, descriptor) in list(self._watched.items()):
            self._forget(name, descriptor)

    def _last_words(self, record: ServiceRecord) -> str:
        if record.boot != boot_id():
            return "the machine was started again"
        words = " ".join(tail(self._log(record.name), 4, since=record.log_from).split())
        return words[-400:] if "the service ended with code" in words else f"killed {words[-300:]}"

    def _log(self, name: str) -> Path:
        return self._data / "logs" / f"{name}.log"

    def _lock(self, name: str) -> asyncio.Lock:
        return self._locks.setdefault(name, asyncio.Lock())


async def _order(name: str, order: dict[str, object]) -> bytes:
    """Have the launcher start it; the record it wrote. Raises InstanceError with its words."""
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-I", "-S", launcher.__file__,
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE, env={},
    )  # fmt: skip
    try:
        async with asyncio.timeout(LAUNCH_TIMEOUT):
            told, words = await child.communicate(json.dumps(order).encode())
    except TimeoutError:
        raise InstanceError(f"the service {name} was not started in time") from None
    finally:
        if child.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                child.kill()
            await child.wait()
    if child.returncode != 0:
        last = tail(Path(str(order["log"])), 2)
        reason = words.decode(errors="replace").strip()
        raise InstanceError(f"the service {name} cannot be started: {reason}: {last}")
    return told


def _address(record: ServiceRecord) -> str:
    return f"http://127.0.0.1:{record.port}"


def _status(record: ServiceRecord, state: ActualState, reason: str | None = None) -> ServiceStatus:
    return ServiceStatus(
        record.name, state, record.user_id, record.role,
        address=_address(record), generation=record.generation,
        spec_sha=record.spec_sha, reason=reason, pid=record.pid,
    )  # fmt: skip
