"""Which PostgreSQL is embedded: the chosen one, a supplier's, then the machine's newest."""

from __future__ import annotations

from pathlib import Path

import pytest

from growqr.errors import InstanceError
from growqr.instance import binaries


def programs(folder: Path, version: str = "17.4") -> Path:
    folder.mkdir(parents=True)
    for name in ("postgres", "initdb"):
        path = folder / name
        path.write_text(f"#!/bin/sh\necho 'postgres (PostgreSQL) {version}'\n")
        path.chmod(0o755)
    return folder


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine without any PostgreSQL: no supplier importable, nothing on PATH."""
    (tmp_path / "bin").mkdir()
    monkeypatch.setattr(binaries, "_SUPPLIERS", ())
    monkeypatch.setattr(binaries, "_DEBIAN", tmp_path / "debian")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    return tmp_path


def test_the_chosen_folder_wins_over_everything(tmp_path: Path) -> None:
    chosen = programs(tmp_path / "mine")

    assert binaries.find(chosen) == chosen


def test_a_chosen_folder_without_programs_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(InstanceError, match=f"GROWQR_PG_BIN names {tmp_path}"):
        binaries.find(tmp_path)


def test_a_supplier_comes_before_the_machines_own(
    machine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    supplied = programs(machine / "site" / "pg_supplier" / "pginstall" / "bin")
    (machine / "site" / "pg_supplier" / "__init__.py").touch()
    programs(machine / "debian" / "17" / "bin")
    monkeypatch.syspath_prepend(machine / "site")
    monkeypatch.setattr(binaries, "_SUPPLIERS", (("pg_supplier", "pginstall"),))

    assert binaries.find() == supplied


def test_of_the_machines_own_the_newest_is_taken_and_old_ones_never(machine: Path) -> None:
    for version in ("9", "14", "15", "16"):
        programs(machine / "debian" / version / "bin")

    assert binaries.find() == machine / "debian" / "16" / "bin"


def test_without_any_the_remedies_are_named(machine: Path) -> None:
    with pytest.raises(InstanceError, match=r"growqr\[local\].*DATABASE_URL"):
        binaries.find()


def test_the_major_version_is_asked_of_the_programs(tmp_path: Path) -> None:
    assert binaries.major(programs(tmp_path / "pg", "18.6 (Debian)")) == 18
