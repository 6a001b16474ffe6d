"""One project repository, read and written at the tip of its branch without a clone.

A write is one commit on the tip, made while the branch is locked: beside pushes nothing is lost.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any, Final, Literal, NamedTuple, ParamSpec, TypeVar

from growqr.errors import Conflict, Invalid, NotFound, TooLarge, Unavailable
from growqr.memory import MAX_CONTENT, BareRepository, check_path, edit_tree, head, signature

DEADLINE: Final = 8.0
"""Seconds any call may take; a thread that is still at it then ends by itself."""

MAX_ENTRIES: Final = 2000
MAX_PATH: Final = 4000

Kind = Literal["file", "dir", "symlink", "submodule"]
P = ParamSpec("P")
T = TypeVar("T")


class Entry(NamedTuple):
    """One name in a folder; `size` in bytes for files."""

    name: str
    path: str
    type: Kind
    sha: str
    size: int | None


class File(NamedTuple):
    """A file at `commit`; `sha` is its blob's id."""

    path: str
    content: bytes
    sha: str
    commit: str


class Folder(NamedTuple):
    """A folder at `commit` (None: nothing is committed yet), cut off after MAX_ENTRIES."""

    path: str
    entries: list[Entry]
    truncated: bool
    commit: str | None


class Written(NamedTuple):
    """What a write left: the blob's id (None: removed) and the commit that holds it."""

    path: str
    sha: str | None
    commit: str


class Commit(NamedTuple):
    """One commit of the branch."""

    id: str
    message: str
    author: str
    date: datetime


class Repository:
    """The branch `main` of one bare repository. Every call ends within DEADLINE."""

    def __init__(self, folder: Path, user_id: str) -> None:
        self._bare = BareRepository(folder)
        self._user_id = user_id

    async def create(self) -> None:
        """Make it, empty, unless it is there. Raises Unavailable."""
        await self._within(self._bare.create)

    async def read(self, path: str) -> File | Folder:
        """What is at a path; "" is the topmost folder. Raises NotFound, TooLarge, Invalid."""
        return await self._within(self._read, _readable(path))

    async def write(
        self, path: str, content: bytes | None, *, message: str, author: str, sha: str | None = None
    ) -> Written:
        """Commit a file, or its removal for None; an equal file makes no commit.

        With `sha` only if the file is that blob still. Raises Conflict when it is not, or when a
        folder is in the way; NotFound when there is nothing to remove.
        """
        names = check_path(path).split("/")
        if content is not None and len(content) > MAX_CONTENT:
            raise TooLarge(f"a file written here has at most {MAX_CONTENT} bytes; push it instead")
        who = signature_of(author, self._user_id)

        def step(repo: Any, tip: Any | None) -> tuple[Any | None, Written]:
            return _commit(repo, tip, names, content, message, who(), sha)

        return await self._within(self._bare.move, step)

    async def commits(
        self, *, limit: int, after: tuple[str, int] | None = None
    ) -> tuple[list[Commit], str | None]:
        """(newest first, the commit the list stands for); `after` = (that commit, how many seen).

        Raises NotFound for a commit that is not there.
        """
        return await self._within(self._commits, limit, after)

    async def _within(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        import pygit2

        try:
            async with asyncio.timeout(DEADLINE):
                return await asyncio.to_thread(call, *args, **kwargs)
        except TimeoutError:
            raise Unavailable(f"git did not answer within {DEADLINE:g} s") from None
        except (pygit2.GitError, OSError) as error:
            name = self._bare.folder.name
            raise Unavailable(f"cannot use the repository {name}: {error}") from error

    def _read(self, path: str) -> File | Folder:
        import pygit2

        repo = self._bare.open()
        tip = head(repo)
        if tip is None and not path:
            return Folder("", [], False, None)
        found = _at(tip, path.split("/") if path else [])
        if isinstance(found, pygit2.Tree) and tip is not None:
            listed = [_entry(item, path) for item in islice(found, MAX_ENTRIES)]
            return Folder(path, listed, len(found) > MAX_ENTRIES, str(tip.id))
        if not isinstance(found, pygit2.Blob) or tip is None:
            raise NotFound(f"there is no file or folder {path[:200]!r}")
        if found.size > MAX_CONTENT:
            raise TooLarge(
                f"{path[:200]!r} has {found.size} bytes, at most {MAX_CONTENT} are shown; clone it"
            )
        return File(path, found.data, str(found.id), str(tip.id))

    def _commits(
        self, limit: int, after: tuple[str, int] | None
    ) -> tuple[list[Commit], str | None]:
        import pygit2

        repo = self._bare.open()
        tip = head(repo)
        start, seen = after or (str(tip.id) if tip else None, 0)
        if start is None:
            return [], None
        commit = repo.get(start)
        if not isinstance(commit, pygit2.Commit):
            raise NotFound("the commit this list began with is no longer there")
        order = pygit2.enums.SortMode.TOPOLOGICAL | pygit2.enums.SortMode.TIME
        walked = islice(repo.walk(commit.id, order), seen, seen + limit)
        return [_shown(commit) for commit in walked], start


def signature_of(author: str, user_id: str) -> Callable[[], Any]:
    """Makes the author's signature when the commit is made, which may be after a wait."""
    return lambda: signature(author, user_id, int(time.time()))


def _commit(
    repo: Any,
    tip: Any | None,
    names: list[str],
    content: bytes | None,
    message: str,
    who: Any,
    sha: str | None,
) -> tuple[Any | None, Written]:
    """One commit on the tip, as a step of `BareRepository.move`."""
    path = "/".join(names)
    old = _blob_in_the_way(tip, names)
    if sha is not None and sha != old:
        raise Conflict(
            f"{path!r} is not {sha[:40]} any more; read it again",
            {"code": "stale", "sha": old},
        )
    if content is None and old is None:
        raise NotFound(f"there is no file {path!r}")
    blob = None if content is None else str(repo.create_blob(content))
    if tip is not None and blob == old:
        return None, Written(path, blob, str(tip.id))
    tree = edit_tree(repo, tip.tree if tip else None, names, content)
    made = repo.create_commit(None, who, who, message, tree, [tip.id] if tip else [])
    return made, Written(path, blob, str(made))


def _blob_in_the_way(tip: Any | None, names: list[str]) -> str | None:
    """Id of the file at `names`, None when there is none. Raises Conflict for other things."""
    import pygit2

    for depth in range(1, len(names) + 1):
        found, here = _at(tip, names[:depth]), "/".join(names[:depth])
        if found is None:
            return None
        if depth == len(names):
            if not isinstance(found, pygit2.Blob):
                raise Conflict(f"{here!r} is not a file", {"code": "not_a_file"})
            return str(found.id)
        if not isinstance(found, pygit2.Tree):
            raise Conflict(f"{here!r} is a file, not a folder", {"code": "not_a_folder"})
    return None


def _at(tip: Any | None, names: list[str]) -> Any | None:
    """The object at a path of a commit, by its names alone: no file system is asked."""
    import pygit2

    found = tip.tree if tip is not None else None
    for name in names:
        if not isinstance(found, pygit2.Tree) or name not in found:
            return None
        found = found[name]
    return found


def _entry(item: Any, folder: str) -> Entry:
    import pygit2

    modes = pygit2.enums.FileMode
    name = item.raw_name.decode("utf-8", "replace")
    path = f"{folder}/{name}" if folder else name
    kinds: dict[int, Kind] = {
        modes.TREE: "dir",
        modes.LINK: "symlink",
        modes.COMMIT: "submodule",
    }
    kind: Kind = kinds.get(item.filemode, "file")
    return Entry(name, path, kind, str(item.id), item.size if kind == "file" else None)


def _shown(commit: Any) -> Commit:
    return Commit(
        str(commit.id),
        commit.raw_message.decode("utf-8", "replace"),
        commit.author.raw_name.decode("utf-8", "replace"),
        datetime.fromtimestamp(commit.commit_time, UTC),
    )


def _readable(path: str) -> str:
    """A path that may be looked up: whatever git can hold, so dotfiles too. Raises Invalid."""
    path = path.strip("/")
    if len(path) > MAX_PATH or "\0" in path or not path.isprintable():
        raise Invalid("the path is too long or not printable", {"field": "path"})
    if path and any(name in ("", ".", "..") for name in path.split("/")):
        raise Invalid(f"the path {path[:80]!r} has an empty or dotted part", {"field": "path"})
    return path
