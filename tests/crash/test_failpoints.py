"""Failpoints do nothing unless they are asked for, and production refuses them."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from growqr import config, failpoints
from growqr.errors import InstanceError

REACHED = """
import sys
from pathlib import Path
from growqr import failpoints
folder, name, point = sys.argv[1:]
failpoints.arm(Path(folder) if folder else None)
failpoints.call_me(name)
failpoints.reach(point)
"""


def died(folder: str, name: str, point: str) -> bool:
    argv = [sys.executable, "-c", REACHED, folder, name, point]
    code = subprocess.run(argv, timeout=30, check=False).returncode
    assert code in (0, -signal.SIGKILL)
    return code != 0


def test_a_file_kills_once_whoever_gets_there(tmp_path: Path):
    (tmp_path / "claim_turn.after").touch()
    assert not died(str(tmp_path), "anna", "claim_turn.before")
    assert died(str(tmp_path), "anna", "claim_turn.after")
    assert not died(str(tmp_path), "anna", "claim_turn.after")


def test_a_named_file_waits_for_that_process(tmp_path: Path):
    (tmp_path / "claim_turn.after@anna").touch()
    assert not died(str(tmp_path), "bob", "claim_turn.after")
    assert died(str(tmp_path), "anna", "claim_turn.after")


def test_without_the_setting_nobody_looks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    Path("claim_turn.after").touch()
    assert not died("", "anna", "claim_turn.after")
    assert config.Settings().failpoints is None
    failpoints.reach("claim_turn.after")
    assert Path("claim_turn.after").exists()


def test_production_does_not_start_with_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GROWQR_FAILPOINTS", str(tmp_path))
    assert config.load().failpoints == tmp_path
    monkeypatch.setenv("GROWQR_PROFILE", "production")
    with pytest.raises(InstanceError, match="GROWQR_FAILPOINTS"):
        config.load()
