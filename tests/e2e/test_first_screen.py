"""The README's first screen, line by line as it is printed there."""

from __future__ import annotations

import re
import socket
import time
from collections.abc import Callable
from typing import NamedTuple

from tests.e2e.conftest import ROOT, Checkout


class Line(NamedTuple):
    """A command of the screen and the output shown below it."""

    command: str
    shown: str


def screen() -> list[Line]:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    block = re.search(r"## The first screen\n.*?```console\n(.*?)```", readme, re.DOTALL)
    assert block, "the README has no first screen"
    parts = re.split(r"^\$ ", block[1], flags=re.MULTILINE)[1:]
    return [Line(*part.split("\n", 1)) for part in parts]


def masked(shown: str) -> re.Pattern[str]:
    """What may be printed where this is shown: `…` is anything, and so is the port."""
    pattern = re.escape(shown.strip("\n")).replace("…", ".*").replace("4000", r"\d+")
    pattern = pattern.replace("TURN", "trn_[0-9a-f]+")
    return re.compile(pattern, re.DOTALL)


def play(checkout: Checkout, lines: list[Line], after: Callable[[str], None] = print) -> None:
    """Run each line and compare what it prints; `after` is told each command that has ended."""
    turn = ""
    for line in lines:
        began = time.monotonic()
        # One shell per line, as a reader may open one: the environment is entered anew.
        enter = "" if line.command == "make up" else "source .venv/bin/activate\n"
        done = checkout.sh(enter + line.command.replace("TURN", turn))
        print(f"$ {line.command}\n{done.stdout.rstrip()}\n  [{time.monotonic() - began:.1f} s]")
        assert done.returncode == 0, done.stdout
        assert masked(line.shown).search(done.stdout), (line, done.stdout)
        if "--detach" in line.command:
            turn = re.search(r"trn_[0-9a-f]{32}", done.stdout)[0]  # type: ignore[index]
        after(line.command)


def test_the_first_screen_works_as_printed(checkout: Checkout):
    lines = screen()
    assert len(lines) >= 4
    play(checkout, lines)


def test_a_second_start_is_quick_and_the_end_leaves_no_process(checkout: Checkout):
    assert checkout.growqr("down").returncode == 0
    began = time.monotonic()
    started = checkout.growqr("up")
    took = time.monotonic() - began
    print(f"second up: {took:.1f} s")
    assert started.returncode == 0, started.stdout
    assert took < 75
    data = str(checkout.folder / ".growqr")
    assert data in checkout.sh("ps -eo args").stdout
    assert checkout.growqr("up").stdout.count("already running") == 1
    assert checkout.growqr("down").returncode == 0
    left = [line for line in checkout.sh("ps -eo args").stdout.splitlines() if data in line]
    assert left == []


def test_two_instances_do_not_notice_each_other(checkout: Checkout):
    for name in ("one", "two"):
        started = checkout.growqr(f"up --data {checkout.folder}/.{name} --port 0")
        assert started.returncode == 0, started.stdout
    try:
        checkout.env["GROWQR_DATA"] = f"{checkout.folder}/.one"
        assert checkout.growqr('chat "remember that the sky is green"').returncode == 0
        assert checkout.growqr(f"down --data {checkout.folder}/.two").returncode == 0
        assert "green" in checkout.growqr('chat "what do you remember about the sky?"').stdout
    finally:
        checkout.env.pop("GROWQR_DATA")
        for name in ("one", "two"):
            checkout.growqr(f"down --data {checkout.folder}/.{name}")


def test_a_taken_port_is_one_clear_line(checkout: Checkout):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = checkout.growqr(f"up --data {checkout.folder}/.taken --port {port}")
    assert done.returncode != 0
    [line] = [line for line in done.stdout.splitlines() if line.startswith("growqr:")]
    assert str(port) in line
    assert "--port" in line
