"""A user's memory as a bare git repository on this machine, written with pygit2.

Every row becomes one commit, and everything in that commit follows from the row and its parent:
the same rows give the same ids. Each commit names its row in trailers, so that a row which is in
git already is found there and never committed again.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from growqr.errors import Unavailable
from growqr.memory.bare import BareRepository, edit_tree, head, one_line, signature

if TYPE_CHECKING:
    from growqr.store import MemoryCommit

_TRAILERS = re.compile(r"\n\nGrowqr-Number: (\d+)\nGrowqr-Operation: (.*)\n\Z")


class Tip(NamedTuple):
    """The newest commit of a repository: which row it holds."""

    number: int
    operation: str
    commit_id: str


class LocalRepository:
    """One bare repository. Blocking: call it in a thread. Safe beside other writers and `git`.

    The folder is made by the first `append`; what cannot be read is set aside, never deleted,
    because every commit can be made again from the rows.
    """

    def __init__(self, folder: Path, user_id: str) -> None:
        self._folder = folder
        self._user_id = user_id
        self._bare = BareRepository(folder)

    def tip(self) -> Tip | None:
        """The newest commit; None: no commit, no repository, or not one that we wrote."""
        if not self._folder.exists():
            return None
        import pygit2

        try:
            repo = self._bare.open()
            commit = head(repo)
            return _read(commit) if commit else None
        except (pygit2.GitError, KeyError, OSError, ValueError):
            return None

    def empty(self) -> bool:
        """Whether nothing is there that a rebuild would have to set aside."""
        import pygit2

        try:
            return not self._folder.exists() or head(self._bare.open()) is None
        except (pygit2.GitError, KeyError, OSError, ValueError):
            return False

    def commits(self, numbers: set[int]) -> dict[int, str]:
        """Commit ids of these rows by their number; rows that are not in git are left out."""
        found: dict[int, str] = {}
        repo = self._bare.open()
        commit = head(repo)
        while commit is not None and len(found) < len(numbers):
            entry = _read(commit)
            if entry is None or entry.number < min(numbers):
                break
            if entry.number in numbers:
                found[entry.number] = entry.commit_id
            commit = commit.parents[0] if commit.parents else None
        return found

    def append(self, rows: Sequence[MemoryCommit]) -> dict[int, str]:
        """Commit rows that follow each other, in order; ids by number, also of rows there already.

        The branch moves once, to the last of them, while its lock is held: all are in or none.
        Raises Unavailable when the folder cannot be used or another writer keeps the lock,
        ValueError when a row is missing between the tip and the first one.
        """
        import pygit2

        try:
            self._bare.create()
        except (pygit2.GitError, OSError) as error:
            raise Unavailable(f"cannot open {self._folder}: {error}") from error
        return self._bare.move(lambda repo, tip: self._append(repo, tip, rows))

    def set_aside(self) -> Path:
        """Move the repository out of the way; returns where it is kept."""
        for number in range(1, 10_000):
            kept = self._folder.with_suffix(f".former-{number}.git")
            if not kept.exists():
                self._folder.rename(kept)
                return kept
        raise Unavailable(f"too many former repositories beside {self._folder}; remove some")

    def _append(
        self, repo: Any, tip: Any | None, rows: Sequence[MemoryCommit]
    ) -> tuple[Any | None, dict[int, str]]:
        written: dict[int, str] = {}
        entry = _read(tip) if tip else None
        reached = entry.number if entry else 0
        for row in rows:
            if row.number <= reached:
                continue
            if row.number != reached + 1:
                raise ValueError(f"row {row.number} cannot follow row {reached}")
            tip = repo[self._commit(repo, row, tip)]
            reached, written[row.number] = row.number, str(tip.id)
        older = {row.number for row in rows} - written.keys()
        found = written | (self.commits(older) if older else {})
        return (tip.id if tip is not None and written else None), found

    def _commit(self, repo: Any, row: MemoryCommit, parent: Any) -> Any:
        content = None if row.content is None else row.content.encode()
        tree = edit_tree(repo, parent.tree if parent else None, row.path.split("/"), content)
        author = signature(row.author, self._user_id, int(row.at.timestamp()))
        parents = [parent.id] if parent else []
        return repo.create_commit(None, author, author, _message(row), tree, parents)


def operation_of(row: MemoryCommit) -> str:
    """The row's operation id as its commit's trailer holds it."""
    return one_line(row.operation_id)


def _read(commit: Any) -> Tip | None:
    found = _TRAILERS.search(commit.message)
    return Tip(int(found[1]), found[2], str(commit.id)) if found else None


def _message(row: MemoryCommit) -> str:
    subject = row.message.replace("\0", "").strip() or f"Write {row.path}"
    return f"{subject}\n\nGrowqr-Number: {row.number}\nGrowqr-Operation: {operation_of(row)}\n"
