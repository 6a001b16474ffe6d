"""`growqr broker` as a process: what it wants to be told, what it waits for, how it ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

COMMAND = (sys.executable, "-m", "growqr.cli", "broker")


def environment(data: Path, **more: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GROWQR_")}
    return kept | {"GROWQR_DATA": str(data)} | more


def until(what: Callable[[], bool], seconds: float = 30.0) -> None:
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline, "it did not come true in time"
        time.sleep(0.02)


def refusal(data: Path, **more: str) -> str:
    done = subprocess.run(
        COMMAND, env=environment(data, **more), cwd=data, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 1
    return done.stderr


def test_it_says_what_it_must_be_told(tmp_path: Path) -> None:
    assert "set GROWQR_BROKER" in refusal(tmp_path)
    told = {"GROWQR_BROKER": str(tmp_path / "b.sock"), "GROWQR_PORT": "0"}
    assert "set GROWQR_PORT" in refusal(tmp_path, **told)


def test_it_waits_for_the_instance_serves_and_ends_tidily(tmp_path: Path) -> None:
    path, log = tmp_path / "run" / "b.sock", tmp_path / "log"
    with log.open("w") as output:
        broker = subprocess.Popen(
            COMMAND, env=environment(tmp_path, GROWQR_BROKER=str(path)), cwd=tmp_path,
            stdout=output, stderr=output,
        )  # fmt: skip
    try:
        until(lambda: "waiting for `growqr up`" in log.read_text())
        assert not path.exists()
        (tmp_path / "instance_id").write_text("0123456789ab\n")
        until(path.is_socket)
        until(lambda: "serving" in log.read_text())
        broker.send_signal(signal.SIGTERM)
        assert broker.wait(30) == 0
    finally:
        broker.kill()
        broker.wait()
    assert not path.exists()
