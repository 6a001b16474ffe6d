"""`instance.json` tells what runs, and never points at a process that is not ours."""

from __future__ import annotations

import os
import stat
from dataclasses import replace
from pathlib import Path

import pytest

from growqr.instance import Record
from growqr.instance.processes import Process, identify


@pytest.fixture
def mine() -> Record:
    me = identify(os.getpid())
    assert me is not None
    return Record(
        pid=me.pid, ticks=me.ticks, started_at=0.0, url="http://127.0.0.1:1", version="1",
        ports={"http": 1}, instance_id="abc", children={"ray": Process(1, 2)},
    )  # fmt: skip


def test_it_reads_what_it_wrote_and_nobody_else_can(tmp_path: Path, mine: Record) -> None:
    mine.write(tmp_path)

    assert Record.read(tmp_path) == mine
    assert stat.S_IMODE((tmp_path / "instance.json").stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["instance.json"]


def test_a_later_process_with_the_same_pid_is_not_the_daemon(mine: Record) -> None:
    assert mine.running
    assert not replace(mine, ticks=mine.ticks - 1).running


def test_nothing_of_an_earlier_boot_is_running_or_left(mine: Record) -> None:
    before = replace(mine, boot="another boot")

    assert not before.running
    assert before.leftovers() == {}
    assert mine.leftovers() == {"ray": Process(1, 2)}


@pytest.mark.parametrize("text", ["", "{", "[]", '{"pid": 1}', '{"children": {"ray": 3}}'])
def test_a_broken_record_is_no_record(tmp_path: Path, text: str) -> None:
    (tmp_path / "instance.json").write_text(text)

    assert Record.read(tmp_path) is None


def test_no_record_is_none(tmp_path: Path) -> None:
    assert Record.read(tmp_path) is None
