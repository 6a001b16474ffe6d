"""Provision and stop, over and over, while Host and replicas are killed: nothing is left behind.

`make soak` runs the long one: GROWQR_TEST_SOAK cycles with a trivial image.
"""

from __future__ import annotations

import os
import random
import secrets
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import psycopg
import pytest

from tests.docker.engine import leftovers, remove_instance
from tests.instances import Instance, Person, processes_of, until

pytestmark = pytest.mark.docker

USERS, KILL_EVERY = 8, 50
CYCLE = 180.0
"""Seconds one cycle may take while others run and the Host has just been killed."""

POOLED = 16
"""Connections to engine and database that may be kept open for the next call."""

RUNS = [("opencode_image", 50)]
if os.environ.get("GROWQR_TEST_SOAK"):
    RUNS = [("trivial_image", int(os.environ["GROWQR_TEST_SOAK"]))]


@pytest.fixture
def soaked(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Instance, str]]:
    """An instance whose OpenCode is this image, and the prefix of its containers."""
    prefix = f"soak-{secrets.token_hex(3)}"
    image = request.getfixturevalue(request.param)
    instance = Instance(
        tmp_path / "data", GROWQR_RUNTIME="docker", OPENCODE_IMAGE=image,
        GROWQR_STACK_PREFIX=prefix, GROWQR_API_REPLICAS="2",
    )  # fmt: skip
    instance.up()
    yield instance, prefix
    instance.part()
    instance.down()
    remove_instance(prefix)


@dataclass
class Cycles:
    """Users side by side until all cycles are done; every so often somebody dies."""

    instance: Instance
    left: int
    done: int = 0
    slowest: float = 0.0
    kills: int = 0
    errors: list[BaseException] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def run(self) -> None:
        """All cycles; raises what any of them raised."""
        people = [self.instance.person() for _ in range(USERS)]
        threads = [threading.Thread(target=self._user, args=(person,)) for person in people]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if self.errors:
            raise self.errors[0]

    def _user(self, person: Person) -> None:
        try:
            while self._one_more():
                began = time.monotonic()
                post(person, "/opencode/provision")
                until(lambda: state(person) == "ready", CYCLE, f"{person.name} not ready")
                post(person, "/opencode/workspaces/me/stop")
                until(lambda: state(person) == "stopped", CYCLE, f"{person.name} not stopped")
                self._ended(time.monotonic() - began)
        except BaseException as error:  # noqa: BLE001  told to the test's own thread
            self.errors.append(error)

    def _one_more(self) -> bool:
        with self.lock:
            self.left -= 1
            return self.left >= 0 and not self.errors

    def _ended(self, took: float) -> None:
        with self.lock:
            self.done += 1
            self.slowest = max(self.slowest, took)
            if self.done % KILL_EVERY == KILL_EVERY // 2:
                print(f"{self.done} cycles, the slowest {self.slowest:.1f} s", flush=True)
                self.kills += kill(self.instance, "ray::HostActor")
                self.kills += kill(self.instance, "ray::ServeReplica:api")


def kill(instance: Instance, title: str) -> int:
    """`kill -9` one process of that kind; how many were met."""
    found = [process.pid for process in processes_of(instance) if process.title.startswith(title)]
    if not found:
        return 0
    with suppress(ProcessLookupError):
        os.kill(random.choice(found), signal.SIGKILL)
    return 1


def post(person: Person, path: str) -> None:
    """Ask until it is accepted: replicas die meanwhile."""

    def accepted() -> bool:
        with suppress(httpx.TransportError):
            return person.http.post(path).status_code == 202
        return False

    until(accepted, 60, f"{path} was not accepted")


def state(person: Person) -> str:
    with suppress(httpx.TransportError, ValueError, KeyError):
        return str(person.http.get("/actors/me").json()["stack"]["opencode"]["state"])
    return ""


def descriptors(instance: Instance) -> int:
    """Open files and sockets of the Host."""
    found = [p.pid for p in processes_of(instance) if p.title.startswith("ray::HostActor")]
    return len(os.listdir(f"/proc/{found[0]}/fd")) if found else 0


def rows(instance: Instance) -> int:
    """Rows of services that are not at rest."""
    url = instance.settings.database_url
    assert url is not None
    with psycopg.connect(url.get_secret_value()) as conn:
        found = conn.execute(
            "select count(*) from service where state <> 'stopped' or desired <> 'stopped'"
        ).fetchone()
    return int(found[0]) if found else 0


@pytest.mark.parametrize(("soaked", "cycles"), RUNS, indirect=["soaked"])
def test_cycles_leave_nothing_behind(soaked: tuple[Instance, str], cycles: int) -> None:
    instance, prefix = soaked
    before = leftovers(prefix)
    Cycles(instance, USERS).run()  # so that what is opened once is open
    until(lambda: descriptors(instance) > 0, 60, "no Host")
    open_before = descriptors(instance)
    run, began = Cycles(instance, cycles), time.monotonic()

    run.run()

    took = time.monotonic() - began
    print(
        f"{run.done} cycles of {USERS} users in {took:.0f} s ({run.done / took:.2f} a second), "
        f"slowest {run.slowest:.1f} s, {run.kills} killed"
    )
    assert run.done == cycles
    assert run.kills >= 2 * (cycles // KILL_EVERY)
    until(lambda: leftovers(prefix) == before, 120, f"left behind: {leftovers(prefix)}")
    assert (before.containers, before.networks) == ((), ())
    assert rows(instance) == 0
    until(
        lambda: 0 < descriptors(instance) <= open_before + POOLED, 60,
        f"{open_before} descriptors became {descriptors(instance)}",
    )  # fmt: skip
    print(f"left: {leftovers(prefix)}, descriptors: {open_before} → {descriptors(instance)}")
