"""Folders change hands without a step outside of them."""

from __future__ import annotations

import os
from contextlib import nullcontext
from pathlib import Path

import pytest

from growqr.errors import InstanceError
from growqr.stacks import ownership

MINE = os.getuid()
ALICE = ownership.of_containers("u_alice")
THEIRS = ALICE[0]


def test_a_tree_is_given_and_taken_back(tmp_path: Path) -> None:
    top = tmp_path / "home"
    deep = top / "a" / "b"
    deep.mkdir(parents=True)
    (deep / "file").write_text("x")

    ownership.give(top, ALICE)
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

    ownership.give(top, ALICE)

    assert {(outside / "file").stat().st_uid, outside.stat().st_uid} == {MINE}
    assert (top / "file").lstat().st_uid == THEIRS


def test_what_is_theirs_already_is_not_walked(tmp_path: Path) -> None:
    top = tmp_path / "home"
    top.mkdir()
    ownership.give(top, ALICE)
    (top / "ours").write_text("x")

    ownership.give(top, ALICE)

    assert (top / "ours").stat().st_uid == MINE


def test_no_two_users_are_the_same_to_the_kernel() -> None:
    owners = {ownership.of_containers(f"u_{number}") for number in range(1000)}
    if MINE == 0:
        assert len(owners) == 1000
        assert all(1 << 30 < uid == gid < 1 << 31 for uid, gid in owners)
    else:  # nobody else can make processes of others
        assert owners == {ownership.of_processes()}


def test_a_way_that_was_bent_meanwhile_is_not_gone(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    (outside / "home").mkdir(parents=True)
    (outside / "home" / "file").write_text("x")
    (tmp_path / "u_alice").symlink_to(outside)

    refused = pytest.raises(InstanceError, match="behind a symbolic link")
    with refused if MINE == 0 else nullcontext():
        ownership.give(tmp_path / "u_alice" / "home", ALICE)

    assert {path.stat().st_uid for path in (outside, *outside.rglob("*"))} == {MINE}
