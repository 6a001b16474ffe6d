"""A user's memory as a bare git repository on this machine, written with pygit2.

Every row becomes one commit, and everything in that commit follows from the row and its parent:
the same rows give the same ids. Each commit names its row in trailers, so that a row which is in
git already is found there and never committed again.
"""

from __future__ import annotations

import re
import shutil
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from growqr.errors import Unavailable

if TYPE_CHECKING:
    from growqr.store import MemoryCommit

BRANCH: Final = "refs/heads/main"
STALE_LOCK: Final = 10.0
"""Seconds after which a lock file is a dead writer's: no commit of ours takes a tenth of it."""

_PATIENCE = 5.0
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
        self._email = f"{user_id}@growqr.invalid"

    def tip(self) -> Tip | None:
        """The newest commit; None: no commit, no repository, or not one that we wrote."""
        if not self._folder.exists():
            return None
        import pygit2

        try:
            repo = self._open()
            commit = _head(repo)
            return _read(commit) if commit else None
        except (pygit2.GitError, KeyError, OSError, ValueError):
            return None

    def empty(self) -> bool:
        """Whether nothing is there that a rebuild would have to set aside."""
        import pygit2

        try:
            return not self._folder.exists() or _head(self._open()) is None
        except (pygit2.GitError, KeyError, OSError, ValueError):
            return False

    def commits(self, numbers: set[int]) -> dict[int, str]:
        """Commit ids of these rows by their number; rows that are not in git are left out."""
        found: dict[int, str] = {}
        repo = self._open()
        commit = _head(repo)
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
            self._create()
            self._open()
        except (pygit2.GitError, OSError) as error:
            raise Unavailable(f"cannot open {self._folder}: {error}") from error
        give_up = time.monotonic() + _PATIENCE
        while True:
            try:
                return self._append(rows)
            except (pygit2.GitError, OSError) as error:
                # libgit2 reports a taken lock as either of the two.
                if time.monotonic() > give_up:
                    raise Unavailable(f"cannot write {self._folder.name}: {error}") from error
                self._drop_stale_lock()
                time.sleep(0.02)

    def set_aside(self) -> Path:
        """Move the repository out of the way; returns where it is kept."""
        for number in range(1, 10_000):
            kept = self._folder.with_suffix(f".former-{number}.git")
            if not kept.exists():
                self._folder.rename(kept)
                return kept
        raise Unavailable(f"too many former repositories beside {self._folder}; remove some")

    def _append(self, rows: Sequence[MemoryCommit]) -> dict[int, str]:
        repo = self._open()
        written: dict[int, str] = {}
        with repo.transaction() as transaction:
            transaction.lock_ref(BRANCH)
            # Read under the lock: libgit2's own check in create_commit loses commits.
            tip = _head(repo)
            entry = _read(tip) if tip else None
            reached = entry.number if entry else 0
            for row in rows:
                if row.number <= reached:
                    continue
                if row.number != reached + 1:
                    raise ValueError(f"row {row.number} cannot follow row {reached}")
                tip = repo[self._commit(repo, row, tip)]
                reached, written[row.number] = row.number, str(tip.id)
            if tip is not None and written:
                transaction.set_target(BRANCH, tip.id)
        older = {row.number for row in rows} - written.keys()
        return written | (self.commits(older) if older else {})

    def _commit(self, repo: Any, row: MemoryCommit, parent: Any) -> Any:
        import pygit2

        tree = _edit(repo, parent.tree if parent else None, row.path.split("/"), row.content)
        author = pygit2.Signature(
            _one_line(row.author).translate({ord("<"): "(", ord(">"): ")"}) or "growqr",
            self._email,
            int(row.at.timestamp()),
            0,
        )
        parents = [parent.id] if parent else []
        return repo.create_commit(None, author, author, _message(row), tree, parents)

    def _open(self) -> Any:
        import pygit2

        pygit2.settings.enable_fsync_gitdir(True)
        flags = pygit2.enums.RepositoryOpenFlag
        return pygit2.Repository(str(self._folder), flags.BARE | flags.NO_SEARCH)

    def _create(self) -> None:
        """Make the repository beside its place, then move it there: never a half-made one."""
        if self._folder.exists():
            return
        import pygit2

        self._folder.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        draft = Path(tempfile.mkdtemp(prefix=".new-", dir=self._folder.parent))
        pygit2.init_repository(str(draft), bare=True, initial_head="main")
        try:
            draft.rename(self._folder)
        except OSError:  # another writer was first
            shutil.rmtree(draft, ignore_errors=True)

    def _drop_stale_lock(self) -> None:
        lock = self._folder / f"{BRANCH}.lock"
        try:
            if time.time() - lock.stat().st_mtime > STALE_LOCK:
                lock.unlink()
        except FileNotFoundError:
            pass


def operation_of(row: MemoryCommit) -> str:
    """The row's operation id as its commit's trailer holds it."""
    return _one_line(row.operation_id)


def _head(repo: Any) -> Any | None:
    reference = repo.references.get(BRANCH)
    return repo[reference.target] if reference else None


def _read(commit: Any) -> Tip | None:
    found = _TRAILERS.search(commit.message)
    return Tip(int(found[1]), found[2], str(commit.id)) if found else None


def _message(row: MemoryCommit) -> str:
    subject = row.message.replace("\0", "").strip() or f"Write {row.path}"
    return f"{subject}\n\nGrowqr-Number: {row.number}\nGrowqr-Operation: {operation_of(row)}\n"


def _one_line(text: str) -> str:
    return " ".join(text.replace("\0", "").split())


def _edit(repo: Any, tree: Any, names: list[str], content: str | None) -> Any:
    """Id of `tree` with the file at `names` written, or removed together with empty folders."""
    import pygit2

    name, *rest = names
    builder = repo.TreeBuilder(tree) if tree is not None else repo.TreeBuilder()
    old = builder.get(name)
    folder = old if isinstance(old, pygit2.Tree) else None
    if rest:
        if content is not None or folder is not None:
            _put(builder, name, _edit(repo, folder, rest, content), pygit2.enums.FileMode.TREE)
    elif content is not None:
        blob = repo.create_blob(content.encode())
        builder.insert(name, blob, pygit2.enums.FileMode.BLOB)
    elif old is not None and folder is None:
        builder.remove(name)
    return builder.write()


def _put(builder: Any, name: str, tree_id: Any, mode: Any) -> None:
    if str(tree_id) == _EMPTY_TREE:  # git keeps no empty folders
        builder.remove(name)
    else:
        builder.insert(name, tree_id, mode)


_EMPTY_TREE = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"
