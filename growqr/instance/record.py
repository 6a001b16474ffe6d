"""`<data>/instance.json`: what runs, where it listens, and whom to end.

Written by the daemon at every change, read by every command. It outlives a killed daemon, and so
names the processes by pid and start time, under the boot they belong to.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal, Self

from growqr.instance.processes import Process, boot_id, is_alive

State = Literal["starting", "ready", "restarting", "stopping", "failed"]


@dataclass
class Record:
    """The instance as its daemon last saw it. `children`: postgres, ray (a session)."""

    pid: int
    ticks: int
    started_at: float
    url: str
    version: str
    ports: dict[str, int]
    instance_id: str
    state: State = "starting"
    error: str | None = None
    phases: dict[str, float] = field(default_factory=dict)
    children: dict[str, Process] = field(default_factory=dict)
    boot: str = field(default_factory=boot_id)

    @property
    def daemon(self) -> Process:
        """The supervising process."""
        return Process(self.pid, self.ticks)

    @property
    def running(self) -> bool:
        """Whether the daemon that wrote this is alive."""
        return self.boot == boot_id() and is_alive(self.daemon)

    def leftovers(self) -> dict[str, Process]:
        """Children that may have outlived a killed daemon; none after a reboot."""
        return self.children if self.boot == boot_id() else {}

    def write(self, data: Path) -> None:
        """Replace the file as one step, 0600."""
        write_private(_path(data), json.dumps(asdict(self), indent=1))

    @classmethod
    def read(cls, data: Path) -> Self | None:
        """The record of this data folder; None when there is none, or one nobody can read."""
        try:
            values: dict[str, Any] = json.loads(_path(data).read_text())
            values["children"] = {k: Process(*v) for k, v in values["children"].items()}
            return cls(**values)
        except (OSError, ValueError, TypeError, KeyError):
            return None

    @staticmethod
    def remove(data: Path) -> None:
        """Forget: nothing runs any more."""
        _path(data).unlink(missing_ok=True)


def write_private(path: Path, text: str) -> None:
    """Write a file nobody else can read, in one step."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
    temporary.replace(path)


def _path(data: Path) -> Path:
    return data / "instance.json"
