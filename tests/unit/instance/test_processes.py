"""Ownership by session, over a real tree of processes that behaves like Ray's."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from typing import IO

import pytest

from growqr.instance.processes import (
    Process,
    end,
    identify,
    in_session,
    is_alive,
    send,
    wait_until,
)

# A leader with one child in a process group of its own, deaf to SIGTERM like some of Ray's.
TREE = """
import os, signal, subprocess, sys, time
deaf = "import signal, time; signal.signal(15, signal.SIG_IGN); print(flush=True); time.sleep(99)"
child = subprocess.Popen([sys.executable, "-c", deaf], process_group=0, stdout=subprocess.PIPE)
child.stdout.readline()
print(child.pid, flush=True)
time.sleep(99)
"""


@pytest.fixture
def tree() -> Iterator[tuple[subprocess.Popen[str], Process, Process]]:
    leader = subprocess.Popen(
        [sys.executable, "-c", TREE], start_new_session=True, stdout=subprocess.PIPE, text=True
    )
    child = identify(int(_line(leader.stdout)))
    head = identify(leader.pid)
    assert child is not None
    assert head is not None
    yield leader, head, child
    for process in (head, child):
        send(process, signal.SIGKILL)
    leader.communicate(timeout=10)


def test_a_session_holds_its_children_and_nobody_else(
    tree: tuple[subprocess.Popen[str], Process, Process],
) -> None:
    _, head, child = tree

    assert set(in_session(head)) == {head, child}
    assert os.getpgid(child.pid) != os.getpgid(head.pid)


def test_the_session_is_known_after_its_leader_was_killed(
    tree: tuple[subprocess.Popen[str], Process, Process],
) -> None:
    leader, head, child = tree
    leader.kill()
    leader.wait(10)

    assert in_session(head) == [child]


def test_a_later_session_with_the_same_number_is_not_ours(
    tree: tuple[subprocess.Popen[str], Process, Process],
) -> None:
    _, head, _ = tree

    assert in_session(Process(head.pid, head.ticks - 1)) == []


def test_ending_leaves_nobody_not_even_the_deaf(
    tree: tuple[subprocess.Popen[str], Process, Process],
) -> None:
    _, head, child = tree

    end(lambda: in_session(head), grace=0.3)

    assert in_session(head) == []
    assert not is_alive(child)


def test_a_signal_for_a_former_owner_of_a_pid_reaches_nobody(
    tree: tuple[subprocess.Popen[str], Process, Process],
) -> None:
    leader, head, _ = tree
    send(Process(head.pid, head.ticks - 1), signal.SIGKILL)
    os.kill(head.pid, 0)

    send(head, signal.SIGKILL)

    assert leader.wait(10) == -signal.SIGKILL


def test_a_zombie_is_not_alive() -> None:
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    known = identify(child.pid)
    assert known is not None
    child.kill()

    assert wait_until(lambda: not is_alive(known), 5)
    child.communicate(timeout=5)


def test_waiting_ends_at_the_deadline() -> None:
    assert not wait_until(lambda: False, 0.05, interval=0.01)


def _line(pipe: IO[str] | None) -> str:
    assert pipe is not None
    return pipe.readline()
