"""Local services by their records in `<data>/services/`: who runs, and how all of one is ended.

A service outlives the process that started it; its record names the first process of its own
namespace (or, without bubblewrap, of its session) by pid and start time, under one boot.
"""

from __future__ import annotations

import json
import os
import signal
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

from growqr.instance.processes import Process, boot_id, end, identify, is_alive, send, wait_until
from growqr.instance.record import write_private

GRACE = 3.0
"""Seconds between asking a service to end and ending it."""

MARK = "GROWQR_SERVICE"
"""Variable in the environment of all processes of a service; finds them where no walls are."""


@dataclass(frozen=True)
class ServiceRecord:
    """One started service. `log_from`: where this run begins in its log; `ready`: it was once."""

    name: str
    user_id: str
    role: str
    generation: int
    spec_sha: str
    port: int
    sandboxed: bool
    health_path: str
    log_from: int
    pid: int
    ticks: int
    boot: str
    started_at: float
    ready: bool = False

    @property
    def process(self) -> Process:
        """The first process of the service: when it ends, the service has ended."""
        return Process(self.pid, self.ticks)

    @property
    def running(self) -> bool:
        """Whether it is alive."""
        return self.boot == boot_id() and is_alive(self.process)

    @classmethod
    def read(cls, data: Path, name: str) -> Self | None:
        """The record of this name; None when there is none, or one nobody can read."""
        try:
            values: dict[str, Any] = json.loads(record_path(data, name).read_text())
            return cls(**values)
        except (OSError, ValueError, TypeError):
            return None

    def write(self, data: Path) -> None:
        """Replace the file as one step, 0600."""
        write_private(record_path(data, self.name), json.dumps(asdict(self), indent=1))

    def end(self, grace: float = GRACE) -> None:
        """End all of it. Raises TimeoutError when something survives SIGKILL."""
        if self.boot != boot_id():
            return
        if not self.sandboxed:
            mark = f"{MARK}={self.name}\0".encode()
            end(lambda: _marked(mark), grace)
            return
        for number in (signal.SIGTERM, signal.SIGKILL):
            send(self.process, number)
            if wait_until(lambda: not is_alive(self.process), grace if number == 15 else 10.0):
                return
        raise TimeoutError(f"the service {self.name} (pid {self.pid}) does not end")


def record_path(data: Path, name: str) -> Path:
    """Where the record of a service lies."""
    return data / "services" / f"{name}.json"


def records(data: Path) -> list[ServiceRecord]:
    """Every service that was started and not stopped, alive or not."""
    names = sorted(path.stem for path in (data / "services").glob("*.json"))
    return [record for name in names if (record := ServiceRecord.read(data, name))]


def end_all(data: Path) -> bool:
    """End every local service of this data folder; whether any ran."""
    known = records(data)
    running = [record for record in known if record.running]
    for record in running:
        send(record.process, signal.SIGTERM)  # all at once; each is waited for below
    for record in known:
        record.end()
        record_path(data, record.name).unlink(missing_ok=True)
    return bool(running)


def _marked(mark: bytes) -> list[Process]:
    """Running processes with this variable in their environment."""
    found = []
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            environment = Path(f"/proc/{entry}/environ").read_bytes()
        except OSError:
            continue
        if mark in environment + b"\0" and (process := identify(int(entry))):
            found.append(process)
    return found
