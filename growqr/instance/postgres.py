"""The embedded PostgreSQL: our child, on loopback, with a password, restarted when it dies.

Fast shutdown is SIGINT; SIGTERM would wait for every client. When the owner dies, the kernel
sends that same signal. Root runs it as an ordinary user of a user namespace.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from growqr.errors import InstanceError
from growqr.instance import binaries
from growqr.instance.child import command, spawn, tail
from growqr.instance.processes import Process, identify

INIT_TIMEOUT = 120.0
STOP_TIMEOUT = 30.0
LONGEST_PAUSE = 5.0

_OPTIONS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",  # a long data folder would break their path
    "logging_collector": "off",
    "max_connections": "200",
    "shared_buffers": "64MB",
    "jit": "off",  # short statements only
}


@dataclass
class Postgres:
    """One server on `folder`; all methods are for the main thread of its owner.

    `started` is the server process as last started, dead or alive.
    """

    folder: Path
    port: int
    programs: Path
    password_file: Path
    log: Path
    env: Mapping[str, str]
    started: Process | None = field(default=None, init=False)
    _child: subprocess.Popen[bytes] | None = field(default=None, init=False)
    _pause: float = field(default=0.2, init=False)
    _next_start: float = field(default=0.0, init=False)

    def init(self) -> None:
        """Make the cluster and the database `growqr` unless they are there.

        Raises InstanceError, also when the folder was made by another major version.
        """
        if (self.folder / "PG_VERSION").exists():
            self._require_version()
            return
        fresh = self.folder.with_name(self.folder.name + ".new")
        shutil.rmtree(fresh, ignore_errors=True)  # an earlier init was cut short
        password = f"--pwfile={self.password_file}"
        self._run("initdb", "-D", fresh, "-U", "growqr", "-A", "scram-sha-256", password,
                  "--no-locale", "-E", "UTF8", "--no-instructions")  # fmt: skip
        self._run("postgres", "--single", "-D", fresh, "postgres", said="create database growqr")
        fresh.rename(self.folder)

    def start(self) -> None:
        """Start the server; `ready` tells when it answers."""
        options = [part for name, value in _OPTIONS.items() for part in ("-c", f"{name}={value}")]
        self._child = spawn(
            [self.programs / "postgres", "-D", self.folder, "-p", str(self.port), *options],
            env=self.env,
            log=self.log,
            death=signal.SIGINT,
            uid=_ordinary(),
        )
        self.started = identify(self._child.pid)

    @property
    def exited(self) -> bool:
        """Whether the server was started and is gone."""
        return self._child is not None and self._child.poll() is not None

    @property
    def ready(self) -> bool:
        """Whether our own server accepts connections, by its own lock file."""
        if self._child is None or self.exited:
            return False
        try:
            lines = (self.folder / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return False
        ours = len(lines) > 7 and lines[0] == str(self._child.pid)
        return ours and lines[7].strip() == "ready"

    def keep(self) -> bool:
        """Start the server again when it has died, with growing pauses; whether it did so."""
        if not self.exited:
            return False
        now = time.monotonic()
        if now < self._next_start:
            return False
        steady = now - self._next_start > 60
        self._pause = 0.2 if steady else min(self._pause * 2, LONGEST_PAUSE)
        self._next_start = now + self._pause
        self.start()
        return True

    def stop(self) -> None:
        """Fast, clean shutdown; the harsh one only when that takes over 30 seconds."""
        if self._child is None or self.exited:
            return
        for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):
            self._child.send_signal(number)
            try:
                self._child.wait(STOP_TIMEOUT)
                return
            except subprocess.TimeoutExpired:
                continue

    def tail(self) -> str:
        """The end of the server's log."""
        return tail(self.log)

    def _require_version(self) -> None:
        made = int((self.folder / "PG_VERSION").read_text())
        found = binaries.major(self.programs)
        if made != found:
            raise InstanceError(
                f"{self.folder} was made by PostgreSQL {made}, but {self.programs} holds {found}; "
                f"point GROWQR_PG_BIN at the programs of version {made}"
            )

    def _run(self, program: str, *arguments: str | Path, said: str = "") -> None:
        argv = [self.programs / program, *arguments]
        done = subprocess.run(
            command(argv, death=signal.SIGKILL, uid=_ordinary()),
            env=dict(self.env),
            input=said,
            capture_output=True,
            text=True,
            timeout=INIT_TIMEOUT,
        )
        if done.returncode != 0:
            lines = (done.stderr or done.stdout).strip().splitlines() or ["no reason given"]
            raise InstanceError(f"{program} failed: {lines[-1]}")


def _ordinary() -> int | None:
    return 1000 if os.getuid() == 0 else None
