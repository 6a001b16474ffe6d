"""A folder that somebody else fills is looked at from outside, whatever they put there."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from growqr.errors import NotFound
from growqr.stacks import Workspace, measure, workspace
from growqr.stacks.disk import SHARE, used


def test_any_bytes_can_be_a_name(tmp_path: Path) -> None:
    (tmp_path / os.fsdecode(b"a\xff")).write_text("x")

    (entry,) = Workspace(tmp_path).entries("")

    assert entry.name.encode() == "a\N{REPLACEMENT CHARACTER}".encode()


def test_no_link_pipe_or_socket_is_read(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("x")
    top = tmp_path / "work"
    top.mkdir()
    (top / "link").symlink_to(tmp_path / "secret")
    (top / "folder").symlink_to(tmp_path)
    os.mkfifo(top / "pipe")

    for path in ("link", "folder/secret", "pipe", "pipe/x"):
        with pytest.raises(NotFound):
            Workspace(top).read(path)
    assert {entry.type for entry in Workspace(top).entries("")} == {"other"}


def test_a_folder_of_too_many_is_cut_off_before_it_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workspace, "MAX_LOOKED_AT", 10)
    for number in range(30):
        (tmp_path / f"{number}").touch()

    assert len(Workspace(tmp_path).entries("")) == 10


def test_empty_files_take_up_room_too(tmp_path: Path) -> None:
    for number in range(100):
        (tmp_path / f"{number}").touch()

    assert used(tmp_path) == 100 * SHARE


@pytest.mark.anyio
async def test_what_a_folder_holds_is_measured_without_following_links(tmp_path: Path) -> None:
    home, outside = tmp_path / "u_a", tmp_path / "outside"
    (home / "deep").mkdir(parents=True)
    outside.mkdir()
    (outside / "large").write_bytes(b"x" * (8 << 20))
    (home / "link").symlink_to(outside)
    (home / "deep" / "half").write_bytes(b"x" * (3 << 20))
    (home / "twin").hardlink_to(home / "deep" / "half")
    with (home / "sparse").open("wb") as file:
        file.truncate(1 << 30)

    def folders(user_id: str) -> tuple[Path, Path]:
        return tmp_path / user_id, tmp_path / "repos" / user_id

    assert await measure(folders, 5)("u_a") is None
    told = await measure(folders, 2)("u_a")
    assert told is not None
    assert told.startswith("its folders hold 3 MiB, 2 are allowed")
    assert "GROWQR_SERVICE_DISK" in told
    assert await measure(folders, 0)("u_a") is None
    assert await measure(folders, 1)("u_nobody") is None

    pushed = tmp_path / "repos" / "u_a"
    pushed.mkdir(parents=True)
    (pushed / "pack").write_bytes(b"x" * (3 << 20))
    assert await measure(folders, 5)("u_a")
