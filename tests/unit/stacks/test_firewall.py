"""Where no rules can be set, production starts no container, and anybody else is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from growqr.config import load
from growqr.errors import SandboxRequired
from growqr.stacks.docker.firewall import Firewall, why_not


@pytest.fixture(autouse=True)
def _no_programs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")


def test_the_reason_is_named() -> None:
    assert why_not() in (
        "iptables is not installed", "growqr is not root and cannot set firewall rules"
    )  # fmt: skip


def test_production_refuses(tmp_path: Path) -> None:
    settings = load(data=tmp_path, database_url=None, profile="production", runtime="docker")

    with pytest.raises(SandboxRequired, match="containers could reach this machine"):
        Firewall(settings, "0123456789ab").ensure()


def test_development_goes_on_and_says_so_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    firewall = Firewall(load(data=tmp_path, database_url=None), "0123456789ab")

    firewall.ensure()
    firewall.ensure()
    firewall.remove()

    told = capsys.readouterr()
    assert (told.out + told.err).count("containers can reach this machine") == 1
