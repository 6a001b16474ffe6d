"""Folders change hands without a step outside of them."""

from __future__ import annotations

import os
from pathlib import Path

from growqr.stacks import ownership

MINE = os.getuid()
THEIRS = ownership.of_containers()[0]


def test_a_tree_is_given_and_taken_back(tmp_path: Path) -> None:
    top = tmp_path / "home"
    deep = top / "a" / "b"
    deep.mkdir(parents=True)
    (deep / "file").write_text("x")

    ownership.give(top, ownership.of_containers())
    assert {path.stat().st_uid for path in (top, *top.rglob("*"))} == {THEIRS}

    ownership.give(top, ownership.of_processes())
    assert {path.stat().st_uid for path in (top, *top.rglob("*"))} == {MINE}


def test_no_link_leads_out(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "file").write_text("x")
    top = tmp_path / "home"
    top.mkdir()
    (top / "folder").symlink_to(outside)
    (top / "file").symlink_to(outside / "file")
    (top / "nowhere").symlink_to(tmp_path / "missing")

    ownership.give(top, ownership.of_containers())

    assert {(outside / "file").stat().st_uid, outside.stat().st_uid} == {MINE}
    assert (top / "file").lstat().st_uid == THEIRS


def test_what_is_theirs_already_is_not_walked(tmp_path: Path) -> None:
    top = tmp_path / "home"
    top.mkdir()
    ownership.give(top, ownership.of_containers())
    (top / "ours").write_text("x")

    ownership.give(top, ownership.of_containers())

    assert (top / "ours").stat().st_uid == MINE
