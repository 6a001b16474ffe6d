"""The bare repository: equal rows give equal ids, nothing is committed twice or lost."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import pytest

from growqr.errors import Unavailable
from growqr.memory import LocalRepository, bare, localgit


class Row(NamedTuple):
    """The fields of an accepted memory write that git sees."""

    number: int
    path: str
    content: str | None
    message: str = "Remember"
    author: str = "grow-agent:u_alice"
    operation_id: str = "trn_1:tool_1"
    at: datetime = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
    id: str = "mem_1"
    user_id: str = "u_alice"
    commit_id: str | None = None


ROWS = [
    Row(1, "launch.md", "the launch is on Friday\n"),
    Row(2, "people/ann.md", "likes tea\n", message="Ann\n\nGrowqr-Number: 99\nGrowqr-Operation: x"),
    Row(3, "people/bob.md", "likes coffee", author="<Bob>\n", message=""),
    Row(4, "launch.md", "the launch is on Monday\n"),
    Row(5, "people/ann.md", None),
    Row(6, "people/bob.md", None),
    Row(7, "nothing/there.md", None),
]


def git(folder: Path, *args: str) -> str:
    scrubbed = {"PATH": os.environ["PATH"], "HOME": str(folder), "GIT_CONFIG_NOSYSTEM": "1"}
    return subprocess.run(
        ["git", "-C", str(folder), *args], env=scrubbed, check=True, capture_output=True, text=True
    ).stdout


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "memory" / "u_alice.git"


@pytest.fixture
def repo(folder: Path) -> LocalRepository:
    return LocalRepository(folder, "u_alice")


def test_plain_git_reads_what_was_written(repo: LocalRepository, folder: Path) -> None:
    assert repo.tip() is None
    ids = repo.append(ROWS[:4])
    log = git(folder, "log", "-p", "-1")
    assert log.rstrip().endswith("+the launch is on Monday")
    assert "Growqr-Number: 4" in log
    assert git(folder, "log", "--format=%H").split() == [ids[n] for n in (4, 3, 2, 1)]
    assert git(folder, "symbolic-ref", "HEAD").strip() == "refs/heads/main"
    assert git(folder, "log", "-1", "--format=%an|%ae|%aI") == (
        "grow-agent:u_alice|u_alice@growqr.invalid|2026-11-20T12:00:00+00:00\n"
    )
    git(folder, "fsck", "--strict")


def test_removals_leave_no_empty_folders(repo: LocalRepository, folder: Path) -> None:
    repo.append(ROWS)
    assert git(folder, "ls-tree", "-r", "--name-only", "main").split() == ["launch.md"]
    assert git(folder, "rev-list", "--count", "main").strip() == "7"
    git(folder, "fsck", "--strict")


def test_equal_rows_give_equal_ids_however_they_are_batched(tmp_path: Path) -> None:
    once = LocalRepository(tmp_path / "a.git", "u_alice").append(ROWS)
    single: dict[int, str] = {}
    for row in ROWS:
        single |= LocalRepository(tmp_path / "b.git", "u_alice").append([row])
    assert once == single
    assert len(set(once.values())) == len(ROWS)


def test_rows_already_in_git_are_found_not_committed_again(
    repo: LocalRepository, folder: Path
) -> None:
    first = repo.append(ROWS[:5])
    again = repo.append(ROWS)
    assert {n: again[n] for n in first} == first
    assert git(folder, "rev-list", "--count", "main").strip() == "7"
    assert repo.commits({2, 6, 40}) == {2: again[2], 6: again[6]}


def test_the_tip_names_its_row_even_when_a_message_imitates_it(repo: LocalRepository) -> None:
    ids = repo.append(ROWS[:2])
    assert repo.tip() == localgit.Tip(2, "trn_1:tool_1", ids[2])


def test_a_gap_is_refused(repo: LocalRepository) -> None:
    repo.append(ROWS[:1])
    with pytest.raises(ValueError, match="row 3 cannot follow row 1"):
        repo.append(ROWS[2:3])


def test_a_file_takes_the_place_of_a_folder_and_back(repo: LocalRepository, folder: Path) -> None:
    repo.append([Row(1, "a/b", "1"), Row(2, "a", "2"), Row(3, "a/c", "3")])
    assert git(folder, "ls-tree", "-r", "--name-only", "main").split() == ["a/c"]
    git(folder, "fsck", "--strict")


def test_concurrent_writers_lose_and_repeat_nothing(folder: Path) -> None:
    rows = [Row(n, f"f{n % 7}.md", str(n)) for n in range(1, 41)]
    with ThreadPoolExecutor(4) as pool:
        results = list(
            pool.map(lambda _: LocalRepository(folder, "u_alice").append(rows), range(4))
        )
    assert all(result == results[0] for result in results)
    assert git(folder, "rev-list", "--count", "main").strip() == "40"


def test_a_dead_writers_lock_is_dropped_and_a_living_ones_respected(
    repo: LocalRepository, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repo.append(ROWS[:1])
    lock = folder / "refs/heads/main.lock"
    lock.touch()
    monkeypatch.setattr(bare, "_PATIENCE", 0.1)
    with pytest.raises(Unavailable, match=r"u_alice\.git"):
        repo.append(ROWS[:2])
    old = time.time() - bare.STALE_LOCK - 1
    os.utime(lock, (old, old))
    assert repo.append(ROWS[:2]).keys() == {1, 2}


def test_what_cannot_be_read_is_set_aside_and_kept(repo: LocalRepository, folder: Path) -> None:
    folder.mkdir(parents=True)
    (folder / "junk").write_text("not a repository")
    assert repo.tip() is None
    assert not repo.empty()
    kept = repo.set_aside()
    assert (kept / "junk").exists()
    assert repo.empty()
    assert repo.append(ROWS[:1]).keys() == {1}


def test_the_room_loads_no_git_library() -> None:
    code = "import sys, growqr.memory; sys.exit('pygit2' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
