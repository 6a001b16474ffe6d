"""A worker node that stands still: its agents' turns are ended by successors on the head."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from growqr.config import child_environment
from growqr.instance import Ports, folder, ports, ray_head
from growqr.instance.processes import Process, end, identify, in_session
from tests.cluster.test_failures import begun, holder
from tests.cluster.test_frozen import resumed
from tests.cluster.test_wake import agents, until
from tests.instances import Instance, Person

TAKEOVER = 30.0
"""Seconds from the freeze until a successor has the turn."""


JOIN = """
import sys
from ray._private import ray_constants, services
from ray.scripts.scripts import main
ray_constants.ENABLE_RAY_CLUSTER = True
services.get_node_ip_address = lambda address=None: "127.0.0.1"
sys.exit(main())
"""
"""`ray start`, where the head is on loopback: Ray has that for heads alone."""


class Node:
    """A second raylet of the instance's cluster, in a session of its own."""

    def __init__(self, lab: Instance, block: Ports, temporary: Path) -> None:
        settings = lab.settings
        own = folder.ray_folder(settings.data)
        head = (own / "r" / "ray_current_cluster").read_text().strip()
        flags = {
            "address": head,
            "node-manager-port": block["node_manager"],
            "object-manager-port": block["object_manager"],
            "dashboard-agent-listen-port": block["agent_http"],
            "dashboard-agent-grpc-port": block["agent_grpc"],
            "runtime-env-agent-port": block["runtime_env"],
            "metrics-export-port": block["metrics"],
            "min-worker-port": 0,
            "max-worker-port": 0,
            "object-store-memory": ray_head.OBJECT_STORE,
            "num-cpus": 1,
            "temp-dir": temporary,
        }
        token = settings.secrets / "ray_token"
        environment = ray_head.environment(block, own, token, warm=False)
        argv = [sys.executable, "-c", JOIN, "start", "--block", "--disable-usage-stats"]
        self._log = (temporary / "log").open("wb")
        self._child = subprocess.Popen(
            [*argv, *(f"--{name}={value}" for name, value in flags.items())],
            env=child_environment(settings, **environment),
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        leader = identify(self._child.pid)
        assert leader
        self._leader: Process = leader

    @property
    def pids(self) -> set[int]:
        return {process.pid for process in in_session(self._leader)}

    @property
    def joined(self) -> bool:
        """Whether its raylet has gone so far as to start its agents."""
        titles = [Path(f"/proc/{pid}/cmdline").read_bytes() for pid in self.pids]
        return any(title.startswith(b"ray::") for title in titles)

    def signal(self, number: int) -> None:
        """To the raylet, its workers and its agents of Ray."""
        for pid in self.pids - {self._child.pid}:
            os.kill(pid, number)

    def stop(self) -> None:
        self.signal(signal.SIGCONT)
        end(lambda: in_session(self._leader), 2.0)
        self._child.wait(10)
        self._log.close()


@pytest.fixture
def node(lab: Instance) -> Iterator[Node]:
    temporary = Path(tempfile.mkdtemp(prefix="gqn-"))
    started = Node(lab, ports.free_block(), temporary)
    yield started
    started.stop()
    shutil.rmtree(temporary, ignore_errors=True)


def at_work(lab: Instance, node: Node) -> tuple[Person, str]:
    """A user whose agent is in the middle of a turn on the node: Ray picks one at random."""
    for _ in range(20):
        person = lab.person()
        turn = person.say("[[slow 0.5]] tell me something")
        begun(person, turn)
        if holder(lab, person)[0] in node.pids:
            return person, turn
    raise AssertionError("no agent was started on the second node")


def elsewhere(lab: Instance, node: Node) -> Person:
    """A user whose agent is awake on the head."""
    for _ in range(20):
        person = lab.person()
        person.ask("hello")
        if holder(lab, person)[0] not in node.pids:
            return person
    raise AssertionError("no agent was started on the head")


def test_a_frozen_node_is_left_and_its_agents_are_refused_when_it_comes_back(
    lab: Instance, node: Node
):
    until(lambda: node.joined, "the second node is up", 120)
    anna, turn = at_work(lab, node)
    bob = elsewhere(lab, node)
    pid, epoch = holder(lab, anna)
    node.signal(signal.SIGSTOP)
    frozen = time.monotonic()
    newcomers = [lab.person() for _ in range(4)]
    first = [person.say("hello") for person in newcomers]
    for _ in range(3):
        bob.ask("are you there?", 10)
    print(f"others were answered {time.monotonic() - frozen:.1f} s after the freeze")
    assert resumed(anna, turn) > epoch
    took = time.monotonic() - frozen
    for person, message in zip(newcomers, first, strict=True):
        assert person.ended(message, 60)["state"] == "completed"
    everybody = time.monotonic() - frozen
    print(f"node frozen → successor: {took:.1f} s; newcomers answered: {everybody:.1f} s")
    assert holder(lab, anna)[0] not in node.pids
    assert max(took, everybody) < TAKEOVER

    assert anna.ended(turn, 60)["state"] == "completed"
    journal = anna.journal()
    node.signal(signal.SIGCONT)
    until(lambda: not agents(lab) & {pid} and pid not in node.pids, "the old agent has ended")
    assert anna.journal() == journal
    assert anna.ask("and again", 30)
