"""The supervisor of one instance: owns PostgreSQL and Ray, deploys, restarts what dies.

One thread and one loop: children are started from the main thread (their death signal hangs on
it), every wait goes through `_pause`, which keeps PostgreSQL alive and notices a wish to stop.
"""

from __future__ import annotations

import logging
import os
import resource
import select
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from growqr import __version__
from growqr.config import Settings, child_environment
from growqr.errors import InstanceError
from growqr.instance import folder, ray_head, services
from growqr.instance.child import Task
from growqr.instance.ports import Ports
from growqr.instance.postgres import Postgres
from growqr.instance.processes import adopt_orphans, identify, reap
from growqr.instance.ray_head import RayHead, answers
from growqr.instance.record import Record
from growqr.logs import blank

RAY_TIMEOUT = 90.0
POSTGRES_TIMEOUT = 600.0  # recovery after a crash may be long; a dead server is noticed at once
TASK_TIMEOUT = 180.0
READY_TIMEOUT = 60.0
FILES = 65536
FIRST_PAUSE, LONGEST_PAUSE, STEADY = 1.0, 30.0, 60.0

log = logging.getLogger("growqr.instance")


class _Stopped(Exception):
    """Somebody asked the daemon to stop."""


class _RayDied(Exception):
    """The head has ended; all of it has to be built again."""


class Daemon:
    """Runs until SIGTERM or SIGINT, or until the first start fails."""

    def __init__(self, settings: Settings, programs: Path | None) -> None:
        data, self.settings = settings.data, settings
        self.ports, self.logs = Ports(settings.port), data / "logs"
        ray_folder = folder.ray_folder(data)
        token = data / "secrets" / "ray_token"
        ray_env = ray_head.environment(
            self.ports, ray_folder, token, warm=settings.warm_workers > 0
        )
        self.env = child_environment(settings, **ray_env)
        self.ray = RayHead(
            ray_folder, self.ports, settings.cpus, self.logs / "ray.log", self.env, settings.host
        )
        self.postgres = programs and Postgres(
            data / "postgres", self.ports["postgres"], programs,
            data / "secrets" / "postgres_password", self.logs / "postgres.log",
            child_environment(settings),
        )  # fmt: skip
        self.record = _new_record(settings, self.ports)
        self._task_pid = 0
        self._stopping = False
        self._wakeup = _wakeup()

    def run(self) -> int:
        """Start everything, supervise, end everything; the exit code."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._ask_to_stop)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        _raise_file_limit()
        adopt_orphans()
        try:
            self._note(state="starting")
            self._first_start()
            self._supervise()
        except _Stopped:
            log.info("stopping")
            self._note(state="stopping")
        except (InstanceError, OSError, subprocess.SubprocessError) as error:
            log.error("start failed: %s", error)
            self._end_all()
            self._note(state="failed", error=blank(str(error)))
            return 1
        self._end_all()
        Record.remove(self.settings.data)
        log.info("stopped")
        return 0

    def _first_start(self) -> None:
        self.ray.start()  # takes seconds; the database is made ready meanwhile
        self._note()
        try:
            if self.postgres:
                with self._phase("postgres"):
                    self.postgres.init()
                    self.postgres.start()
                    self._until(self._postgres_up, POSTGRES_TIMEOUT, "PostgreSQL")
            with self._phase("schema"):
                self._finish(self._task("schema", "growqr.cli", "db", "upgrade"))
            self._bring_up()
        except _RayDied:
            raise InstanceError(f"Ray ended while starting:\n{self.ray.tail()}") from None

    def _bring_up(self) -> None:
        address = str(self.ray.address_file)
        deploy = self._task("deploy", "growqr.instance.deploy", address)  # imports meanwhile
        try:
            with self._phase("ray"):
                self._until(lambda: self.ray.healthy, RAY_TIMEOUT, "Ray")
                self._until(lambda: self.ray.guarded, RAY_TIMEOUT, "Ray's token")
            with self._phase("serve"):
                self._finish(deploy)
        finally:
            deploy.kill()
        with self._phase("ready"):
            self._until(lambda: answers(f"{_local_url(self.settings)}/readyz"),
                        READY_TIMEOUT, "the api")  # fmt: skip
        self._note(state="ready")
        log.info("ready at %s", self.record.url)

    def _supervise(self) -> None:
        """Watch; rebuild Ray when it dies: at once, and again after 1 to 30 seconds."""
        pause = 0.0
        while True:
            since = time.monotonic()
            try:
                while True:
                    self._pause(0.5)
            except _RayDied:
                log.error("Ray ended and has to be built again")
            if time.monotonic() - since > STEADY:
                pause = 0.0
            pause = self._rebuild(pause)

    def _rebuild(self, pause: float) -> float:
        """One attempt after another until Ray and the apps are up; the next pause."""
        while True:
            self._note(state="restarting", phases={})
            try:
                self.ray.stop()
                self._wait(pause)
                pause = min(max(pause * 2, FIRST_PAUSE), LONGEST_PAUSE)
                self.ray.start()
                self._note()
                self._bring_up()
                return pause
            except (_RayDied, InstanceError, OSError) as error:
                log.error("starting Ray again failed: %s", error or "it ended")

    def _task(self, name: str, module: str, *arguments: str) -> Task:
        log_file = self.logs / f"{name}.log"
        task = Task.start(module, *arguments, env=self.env, log=log_file)
        self._task_pid = task.child.pid
        return task

    def _finish(self, task: Task) -> None:
        """Wait for a task. Raises InstanceError with its last words when it fails."""
        try:
            self._until(lambda: task.done, TASK_TIMEOUT, task.log.stem)
        finally:
            task.kill()
        if (reason := task.failure()) is not None:
            raise InstanceError(reason)

    def _until(self, condition: Callable[[], bool], timeout: float, what: str) -> None:
        deadline = time.monotonic() + timeout
        while not condition():
            if time.monotonic() > deadline:
                raise InstanceError(
                    f"{what} is not ready after {timeout:.0f} s; see the files in {self.logs}"
                )
            self._pause(0.1)

    def _wait(self, seconds: float) -> None:
        """Like `_pause` for a time without Ray."""
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            self._pause(min(left, 0.5), ray=False)

    def _pause(self, seconds: float, *, ray: bool = True) -> None:
        """Sleep until `seconds` passed, a child ended or a signal came, then look around."""
        if select.select([self._wakeup], [], [], seconds)[0]:
            os.read(self._wakeup, 4096)
            self._bury()
        if self._stopping:
            raise _Stopped
        if self.postgres and self.postgres.keep():
            log.error("PostgreSQL ended and was started again")
            self._note()
        if ray and self.ray.exited:
            raise _RayDied

    def _postgres_up(self) -> bool:
        if self.postgres and self.postgres.exited:
            raise InstanceError(f"PostgreSQL does not start:\n{self.postgres.tail()}")
        return bool(self.postgres and self.postgres.ready)

    @contextmanager
    def _phase(self, name: str) -> Iterator[None]:
        begin = time.monotonic()
        yield
        seconds = round(time.monotonic() - begin, 2)
        log.info("%s %.2f s", name, seconds)
        self._note(phases=self.record.phases | {name: seconds})

    def _note(self, **changes: object) -> None:
        children = {"ray": self.ray.session, "postgres": self.postgres and self.postgres.started}
        alive = {name: process for name, process in children.items() if process}
        # Fields of the record by name: their types are told by no one signature.
        self.record = replace(self.record, children=alive, **changes)  # type: ignore[arg-type]
        self.record.write(self.settings.data)

    def _end_all(self) -> None:
        """Ray first, so that its last writes meet a database; PostgreSQL last and cleanly.

        The users' services outlive a killed daemon, but not one that is asked to end.
        """
        try:
            self.ray.stop()
            services.end_all(self.settings.data)
        finally:
            if self.postgres:
                self.postgres.stop()
            self._bury()

    def _bury(self) -> None:
        """Dead orphans come to us; our own children are waited for where they were started."""
        own = [self.ray.session, self.postgres and self.postgres.started]
        reap({process.pid for process in own if process} | {self._task_pid})

    def _ask_to_stop(self, number: int, frame: object) -> None:
        self._stopping = True


def _new_record(settings: Settings, ports: Ports) -> Record:
    me = identify(os.getpid())
    return Record(
        pid=os.getpid(),
        ticks=me.ticks if me else 0,
        started_at=time.time(),
        url=_local_url(settings),
        version=__version__,
        ports=ports.table(),
        instance_id=folder.instance_id(settings.data),
    )


def _local_url(settings: Settings) -> str:
    anywhere = settings.host in ("0.0.0.0", "::", "")  # noqa: S104 (compared, not bound)
    return f"http://{'127.0.0.1' if anywhere else settings.host}:{settings.port}"


def _raise_file_limit() -> None:
    """Every stream is a descriptor, and 1024 of them are a common default."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = FILES if hard == resource.RLIM_INFINITY else min(FILES, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))


def _wakeup() -> int:
    """A descriptor that turns readable at every signal, the end of a child included."""
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    os.set_blocking(reader, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    return reader
