"""Which processes are ours, read from /proc: by pid and start time, and by session.

Everything `ray start --block` brings up stays in its session, so that session is the ownership.
A pid alone proves nothing: the kernel gives it to somebody else later.
"""

from __future__ import annotations

import ctypes
import os
import signal
import time
from collections.abc import Callable, Collection, Iterable
from pathlib import Path
from typing import NamedTuple

_PR_SET_CHILD_SUBREAPER = 36
_BOOT = Path("/proc/sys/kernel/random/boot_id")


class Process(NamedTuple):
    """A process that cannot be mistaken for a later one with the same pid."""

    pid: int
    ticks: int


class _Stat(NamedTuple):
    session: int
    ticks: int


def boot_id() -> str:
    """Changes with every boot: recorded processes of another boot are gone."""
    return _BOOT.read_text().strip()


def identify(pid: int) -> Process | None:
    """The running process with this pid; None when there is none or only its remains."""
    stat = _stat(pid)
    return Process(pid, stat.ticks) if stat else None


def is_alive(process: Process) -> bool:
    """Whether exactly this process still runs (a zombie does not)."""
    return identify(process.pid) == process


def in_session(leader: Process) -> list[Process]:
    """All running processes of the session `leader` opened, also after the leader's death."""
    if not _session_is(leader):
        return []
    members = []
    for entry in os.listdir("/proc"):
        stat = _stat(int(entry)) if entry.isdigit() else None
        if stat and stat.session == leader.pid and stat.ticks >= leader.ticks:
            members.append(Process(int(entry), stat.ticks))
    return members


def parentage() -> dict[int, tuple[int, int]]:
    """Every running process → its parent and its session."""
    found = {}
    for entry in os.listdir("/proc"):
        fields = _fields(int(entry)) if entry.isdigit() else None
        if fields is not None and fields[0] not in "ZX":
            found[int(entry)] = int(fields[1]), int(fields[3])
    return found


def send(process: Process, number: int) -> None:
    """Signal exactly this process; nothing happens when it is gone."""
    if not is_alive(process):
        return
    try:
        os.kill(process.pid, number)
    except ProcessLookupError:
        return


def end(members: Callable[[], Iterable[Process]], grace: float) -> None:
    """End all of `members()`: SIGTERM, after `grace` seconds SIGKILL until none is left.

    Raises TimeoutError when some survive even that for 10 seconds (uninterruptible IO).
    """
    for process in members():
        send(process, signal.SIGTERM)
    if wait_until(lambda: not list(members()), grace):
        return

    def killed() -> bool:
        left = list(members())
        for process in left:
            send(process, signal.SIGKILL)
        return not left

    if not wait_until(killed, 10.0):
        raise TimeoutError(f"processes {[p.pid for p in members()]} do not end")


def adopt_orphans() -> None:
    """Become the parent of all descendants whose own parent dies, and so able to reap them."""
    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def reap(keep: Collection[int]) -> None:
    """Bury dead children of this process, adopted ones above all; `Popen` waits for `keep`."""
    for entry in os.listdir("/proc"):
        fields = _fields(int(entry)) if entry.isdigit() else None
        dead = fields is not None and fields[0] == "Z" and int(fields[1]) == os.getpid()
        if dead and int(entry) not in keep:
            os.waitpid(int(entry), os.WNOHANG)


def wait_until(condition: Callable[[], bool], timeout: float, interval: float = 0.05) -> bool:
    """Poll `condition` until it holds or `timeout` seconds passed; whether it held."""
    deadline = time.monotonic() + timeout
    while not condition():
        if time.monotonic() >= deadline:
            return False
        time.sleep(interval)
    return True


def _session_is(leader: Process) -> bool:
    """False when the session's number now belongs to a later process."""
    now = _stat(leader.pid)
    return now is None or now.ticks == leader.ticks


def _stat(pid: int) -> _Stat | None:
    fields = _fields(pid)
    if fields is None or fields[0] in "ZX":
        return None
    return _Stat(session=int(fields[3]), ticks=int(fields[19]))


def _fields(pid: int) -> list[str] | None:
    """Fields of /proc/<pid>/stat from the state on."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return text[text.rindex(")") + 2 :].split()  # a name may hold spaces and brackets
