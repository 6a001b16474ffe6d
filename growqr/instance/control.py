"""Start and stop a daemon from outside: what `growqr up` and `growqr down` do."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from growqr.config import (
    Providers,
    Settings,
    child_environment,
    postgres_programs,
    ray_auth_mode,
)
from growqr.errors import InstanceError
from growqr.instance import binaries, folder, ports, services
from growqr.instance.processes import Process, end, in_session, is_alive, send, wait_until
from growqr.instance.ray_head import GRACE
from growqr.instance.record import Record

START_TIMEOUT = 600.0
STOP_TIMEOUT = 90.0


@dataclass(frozen=True)
class Plan:
    """Everything a daemon needs, checked and written down before anything is started."""

    settings: Settings
    programs: Path | None
    lock: int


def plan(settings: Settings, providers: Providers) -> Plan | None:
    """Check the machine, clear a killed daemon's leftovers, write the instance's files.

    None: it runs already. Raises InstanceError naming what is missing and its remedy.
    """
    _require_token_mode()
    folder.prepare(settings.data)
    lock = folder.lock(settings.data)
    if lock is None:
        return None
    try:
        clear(settings.data)
        embedded = settings.database_url is None
        programs = binaries.find(postgres_programs()) if embedded else None
        block = ports.choose(settings.port)
        folder.ray_folder(settings.data)
        folder.write_providers(settings.data, providers)
        return Plan(folder.snapshot(settings, block), programs, lock)
    except BaseException:
        os.close(lock)
        raise


def _require_token_mode() -> None:
    """Ray without its token runs anybody's code: whoever asks for that is not obeyed in silence."""
    mode = ray_auth_mode()
    if mode and mode.strip().lower() != "token":
        raise InstanceError(
            f"RAY_AUTH_MODE={mode} would let whoever reaches a port of Ray run code here; growqr "
            "always has Ray ask for its token: unset RAY_AUTH_MODE, or set it to token"
        )


def start(planned: Plan, shown: Callable[[Record], None]) -> Record:
    """Start the daemon and follow it until it is ready; `shown` sees every change.

    The daemon holds the lock of the plan from now on. Raises InstanceError when it gives up.
    """
    data = planned.settings.data
    descriptor = os.open(
        data / "logs" / "growqr.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600
    )
    daemon = subprocess.Popen(
        command(planned),
        env=child_environment(planned.settings),
        pass_fds=[planned.lock],
        stdin=subprocess.DEVNULL,
        stdout=descriptor,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        cwd="/",
    )
    os.close(descriptor)
    os.close(planned.lock)
    return _follow(data, daemon.pid, lambda: daemon.poll() is None, shown)


def command(planned: Plan) -> list[str]:
    """argv of the daemon's process; the plan's lock is handed down by its number."""
    argv = [sys.executable, "-m", "growqr.instance", "--lock-fd", str(planned.lock)]
    return argv + (["--postgres", str(planned.programs)] if planned.programs else [])


def follow(data: Path, shown: Callable[[Record], None]) -> Record:
    """Wait until the daemon that somebody else started is ready; silent when it is already."""
    if not wait_until(lambda: (seen := Record.read(data)) is not None and seen.running, 15.0):
        raise InstanceError(f"another growqr holds {data / 'lock'} but does not start")
    record = Record.read(data)
    if record and record.state == "ready":
        return record
    pid = record.pid if record else 0
    return _follow(
        data, pid, lambda: (seen := Record.read(data)) is not None and seen.running, shown
    )


def _follow(
    data: Path, pid: int, alive: Callable[[], bool], shown: Callable[[Record], None]
) -> Record:
    deadline = time.monotonic() + START_TIMEOUT
    while time.monotonic() < deadline:
        living = alive()  # before the record is read: its last words are not missed
        record = Record.read(data)
        if record and record.pid == pid:
            shown(record)
            if record.state == "ready":
                return record
        if not living:
            reason = record.error if record and record.pid == pid else None
            Record.remove(data)
            raise InstanceError(reason or f"the daemon ended; see {data / 'logs' / 'growqr.log'}")
        time.sleep(0.05)
    raise InstanceError(f"not ready after {START_TIMEOUT:.0f} s; see `growqr logs`, `growqr down`")


def stop(data: Path) -> bool:
    """End the instance of this folder and wait until nothing of it is left.

    False: nothing ran. Raises InstanceError when the daemon does not end.
    """
    if not (data / "lock").exists():
        return False
    record = Record.read(data)
    was_running = record is not None and record.running
    if record and was_running:
        send(record.daemon, signal.SIGTERM)
    lock = folder.lock(data, STOP_TIMEOUT if was_running else 5.0)
    if lock is None:
        raise InstanceError(f"the instance in {data} does not end; see {data / 'logs'}")
    try:
        if record and was_running:
            daemon = record.daemon
            wait_until(lambda: not is_alive(daemon), 5.0)
        left = clear(data)
        return services.end_all(data) or left or was_running
    finally:
        folder.tidy(data)
        os.close(lock)


def clear(data: Path) -> bool:
    """End what a killed daemon left behind; the caller holds the lock. Whether there was any."""
    record = Record.read(data)
    if record is None:
        return False
    children = record.leftovers()
    found = False
    if ray := children.get("ray"):
        found = bool(in_session(ray))
        end(lambda: in_session(ray), GRACE)
    if server := children.get("postgres"):
        found = _end_server(server) or found
    Record.remove(data)
    return found


def _end_server(server: Process) -> bool:
    """Fast shutdown of a PostgreSQL that is not our child; whether it still ran."""
    if not is_alive(server):
        return False
    for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):
        send(server, number)
        if wait_until(lambda: not is_alive(server), 30.0):
            return True
    raise InstanceError(f"PostgreSQL (pid {server.pid}) does not end")
