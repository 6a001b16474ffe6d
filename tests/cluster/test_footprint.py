"""What an idle agent costs in memory, beside an actor of the same cluster that does nothing."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.cluster.test_failures import holder
from tests.instances import Instance

HEAVY = """anthropic cryptography docker fastapi httpx jose pygit2 pygments rich starlette uvicorn
growqr.actors.host growqr.instance growqr.repos growqr.stacks"""
"""What agents must not load."""

MEGABYTE = 1024 * 1024
IDLE, AFTER_TWENTY = 10, 20
"""Megabytes an agent may use beyond an actor that does nothing on a worker with the same modules,
after its first turn and after twenty more."""

WORKER = 72
"""Megabytes of that actor. Every worker of the cluster carries the agents' modules, and as many
as are kept ready carry them for nothing: without them it has 49."""


@pytest.fixture
def bare(instance: Instance) -> Iterator[int]:
    """Pid of a named actor that does nothing."""
    argv = [sys.executable, "-m", "benchmarks.bare", str(instance.data)]
    with subprocess.Popen(
        argv,
        cwd=Path(__file__).parents[2],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as driver:
        assert driver.stdout
        assert driver.stdin
        # Ray may have something to say before.
        yield next(int(line) for line in driver.stdout if line.strip().isdigit())
        driver.stdin.close()
        driver.wait(30)


def unshared(pid: int) -> float:
    """Megabytes that would be free if the process ended."""
    return float(psutil.Process(pid).memory_full_info().uss / MEGABYTE)


def test_an_idle_agent_costs_little_more_than_a_bare_actor(instance: Instance, bare: int):
    anna = instance.person()
    anna.ask("hello")
    pid, _ = holder(instance, anna)
    floor, first = unshared(bare), unshared(pid)
    for number in range(20):
        anna.ask(f"remember that thing {number} is blue")
    floor_later, later = unshared(bare), unshared(pid)
    assert holder(instance, anna)[0] == pid
    print(f"USS: agent {first:.1f}, later {later:.1f} MB; bare {floor:.1f}, {floor_later:.1f} MB")
    assert floor <= WORKER
    assert first <= floor + IDLE
    assert later <= floor_later + AFTER_TWENTY


def test_an_agent_loads_nothing_heavy():
    source = f"""
import sys, ray, growqr.actors.agents
print(*[name for name in {HEAVY!r}.split() if name in sys.modules], "ray.serve" in sys.modules)
"""
    argv = [sys.executable, "-c", source]
    root = Path(__file__).parents[2]
    told = subprocess.run(argv, cwd=root, capture_output=True, text=True, timeout=60, check=True)
    assert told.stdout.split() == ["False"]
