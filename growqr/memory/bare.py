"""One bare repository on this machine, written with pygit2 beside other writers and `git` itself.

The branch moves inside a ref transaction and the tip is read under its lock: libgit2's own check
in `create_commit` loses commits of concurrent writers.
"""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, TypeVar

from growqr.errors import Unavailable

BRANCH: Final = "refs/heads/main"
STALE_LOCK: Final = 10.0
"""Seconds after which a lock file is a dead writer's: no commit of ours takes a tenth of it."""

_PATIENCE = 5.0
_EMPTY_TREE = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"
T = TypeVar("T")


class BareRepository:
    """A folder that is, or will be, a bare repository. Blocking: call it in a thread."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def open(self) -> Any:
        """The pygit2 repository. Raises pygit2.GitError."""
        import pygit2

        pygit2.settings.enable_fsync_gitdir(True)
        flags = pygit2.enums.RepositoryOpenFlag
        return pygit2.Repository(str(self.folder), flags.BARE | flags.NO_SEARCH)

    def create(self) -> None:
        """Make the repository beside its place, then move it there: never a half-made one."""
        if self.folder.exists():
            return
        import pygit2

        self.folder.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        draft = Path(tempfile.mkdtemp(prefix=".new-", dir=self.folder.parent))
        pygit2.init_repository(str(draft), bare=True, initial_head="main")
        try:
            draft.rename(self.folder)
        except OSError:  # another writer was first
            shutil.rmtree(draft, ignore_errors=True)

    def move(self, step: Callable[[Any, Any | None], tuple[Any | None, T]]) -> T:
        """Move the branch by one step while its lock is held, and return what the step made.

        `step(repository, tip)` writes objects and returns (id of the new tip, or None to leave
        the branch, result). Raises Unavailable when the folder cannot be used or another writer
        keeps the lock; errors of ours that the step raises leave the branch as it was.
        """
        import pygit2

        try:
            self.open()
        except (pygit2.GitError, OSError) as error:
            raise Unavailable(f"cannot open {self.folder}: {error}") from error
        give_up = time.monotonic() + _PATIENCE
        while True:
            try:
                return self._move(step)
            except (pygit2.GitError, OSError) as error:
                # libgit2 reports a taken lock as either of the two.
                if time.monotonic() > give_up:
                    raise Unavailable(f"cannot write {self.folder.name}: {error}") from error
                self._drop_stale_lock()
                time.sleep(0.02)

    def _move(self, step: Callable[[Any, Any | None], tuple[Any | None, T]]) -> T:
        repo = self.open()
        with repo.transaction() as transaction:
            transaction.lock_ref(BRANCH)
            target, made = step(repo, head(repo))
            if target is not None:
                transaction.set_target(BRANCH, target)
        return made

    def _drop_stale_lock(self) -> None:
        lock = self.folder / f"{BRANCH}.lock"
        try:
            if time.time() - lock.stat().st_mtime > STALE_LOCK:
                lock.unlink()
        except FileNotFoundError:
            pass


def head(repo: Any) -> Any | None:
    """The newest commit of the branch, None when there is none."""
    reference = repo.references.get(BRANCH)
    return repo[reference.target] if reference else None


def edit_tree(repo: Any, tree: Any, names: list[str], content: bytes | None) -> Any:
    """Id of `tree` with the file at `names` written, or removed together with empty folders."""
    import pygit2

    modes = pygit2.enums.FileMode
    name, *rest = names
    builder = repo.TreeBuilder(tree) if tree is not None else repo.TreeBuilder()
    old = builder.get(name)
    folder = old if isinstance(old, pygit2.Tree) else None
    if rest:
        if content is not None or folder is not None:
            _put(builder, name, edit_tree(repo, folder, rest, content), modes.TREE)
    elif content is not None:
        runs = old is not None and old.filemode == modes.BLOB_EXECUTABLE
        mode = modes.BLOB_EXECUTABLE if runs else modes.BLOB
        builder.insert(name, repo.create_blob(content), mode)
    elif old is not None and folder is None:
        builder.remove(name)
    return builder.write()


def signature(name: str, user_id: str, seconds: int) -> Any:
    """Who did it: a name on one line, an address that leads nowhere, seconds since 1970 in UTC."""
    import pygit2

    plain = one_line(name).translate({ord("<"): "(", ord(">"): ")"})
    return pygit2.Signature(plain or "growqr", f"{user_id}@growqr.invalid", seconds, 0)


def one_line(text: str) -> str:
    """`text` without NUL characters and breaks."""
    return " ".join(text.replace("\0", "").split())


def _put(builder: Any, name: str, tree_id: Any, mode: Any) -> None:
    if str(tree_id) == _EMPTY_TREE:  # git keeps no empty folders
        builder.remove(name)
    else:
        builder.insert(name, tree_id, mode)
