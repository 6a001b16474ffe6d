"""Children of the daemon: started through `launch.py`, so that they end when it ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_LAUNCH = Path(__file__).with_name("launch.py")


def command(argv: Sequence[str | Path], *, death: signal.Signals, uid: int | None) -> list[str]:
    """The argv that starts `argv` as a child of this process. `uid`: see launch.py."""
    launcher = [sys.executable, "-I", "-S", str(_LAUNCH), str(os.getpid()), str(int(death))]
    return [*launcher, "-" if uid is None else str(uid), *map(str, argv)]


def spawn(
    argv: Sequence[str | Path],
    *,
    env: Mapping[str, str],
    log: Path,
    death: signal.Signals,
    uid: int | None = None,
) -> subprocess.Popen[bytes]:
    """Start `argv` in its own session with its output appended to `log` (0600).

    Call it from the main thread: the death signal is sent when the starting thread ends.
    """
    log.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        return subprocess.Popen(
            command(argv, death=death, uid=uid),
            env=dict(env),
            stdin=subprocess.DEVNULL,
            stdout=descriptor,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    finally:
        os.close(descriptor)


@dataclass
class Task:
    """A child that is meant to end by itself."""

    child: subprocess.Popen[bytes]
    log: Path
    begin: int

    @classmethod
    def start(cls, module: str, *arguments: str, env: Mapping[str, str], log: Path) -> Task:
        """Run a module of ours; its output is appended to `log`."""
        begin = log.stat().st_size if log.exists() else 0
        argv = [sys.executable, "-m", module, *arguments]
        return cls(spawn(argv, env=env, log=log, death=signal.SIGKILL), log, begin)

    @property
    def done(self) -> bool:
        """Whether it has ended."""
        return self.child.poll() is not None

    def failure(self) -> str | None:
        """The reason it gave for failing, else its last words; None when it ended well."""
        if self.child.returncode == 0:
            return None
        words = tail(self.log, since=self.begin) or f"exit code {self.child.returncode}"
        _, ours, reason = words.rpartition("growqr: ")
        return " ".join(reason.split()) if ours else words

    def kill(self) -> None:
        """End it unless it has ended."""
        self.child.kill()
        self.child.wait(10)


def tail(log: Path, lines: int = 8, *, since: int = 0) -> str:
    """The last non-empty lines of a log from byte `since` on; empty when there is none."""
    try:
        with log.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(since, size - 16384))
            text = file.read().decode(errors="replace")
    except FileNotFoundError:
        return ""
    return "\n".join([line for line in text.splitlines() if line.strip()][-lines:])
