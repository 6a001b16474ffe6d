"""A user's work folder, read from outside the sandbox.

What lies in it was made by whatever ran inside: each step of a path is opened beneath the one
before and never through a symbolic link, so that none leads out.
"""

from __future__ import annotations

import os
import stat
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from growqr.errors import Invalid, NotFound, TooLarge

MAX_READ = 10 * 1024 * 1024
"""Bytes of a file that can be read at once."""

MAX_ENTRIES = 1000
MAX_LOOKED_AT = 50_000
"""Names of a folder that are read before it is cut off: whoever made it may have made millions."""


class Entry(NamedTuple):
    """One thing in a folder; `size` in bytes, 0 for folders."""

    name: str
    type: str
    size: int


@dataclass(frozen=True, slots=True)
class Workspace:
    """The folder; it need not exist yet."""

    top: Path

    def entries(self, path: str) -> list[Entry]:
        """What lies in a folder, by name. Raises NotFound, Invalid."""
        with ExitStack() as stack:
            try:
                folder = self._open(stack, path, os.O_RDONLY | os.O_DIRECTORY)
            except NotFound:
                if path.strip("/"):
                    raise
                return []
            with os.scandir(folder) as found:
                names = sorted(entry.name for entry in islice(found, MAX_LOOKED_AT))
            seen = (_entry(folder, name) for name in names[:MAX_ENTRIES])
            return [entry for entry in seen if entry]

    def read(self, path: str) -> bytes:
        """A file's content. Raises NotFound, Invalid, TooLarge."""
        with ExitStack() as stack:
            file = self._open(stack, path, os.O_RDONLY | os.O_NONBLOCK)
            status = os.fstat(file)
            if not stat.S_ISREG(status.st_mode):
                raise NotFound(f"{path!r} is not a file")
            if status.st_size > MAX_READ:
                raise TooLarge(f"{path!r} has {status.st_size} bytes; at most {MAX_READ} are sent")
            with os.fdopen(os.dup(file), "rb") as opened:
                return opened.read(MAX_READ)

    def _open(self, stack: ExitStack, path: str, flags: int) -> int:
        parts = [part for part in path.split("/") if part]
        if any(part in (".", "..") or "\x00" in part for part in parts):
            raise Invalid(f"the path {path!r} leads out of the workspace")
        folder = os.O_RDONLY | os.O_DIRECTORY
        try:
            here = os.open(self.top, folder | os.O_NOFOLLOW)
            stack.callback(os.close, here)
            for number, part in enumerate(parts, start=1):
                how = flags if number == len(parts) else folder
                here = os.open(part, how | os.O_NOFOLLOW, dir_fd=here)
                stack.callback(os.close, here)
            return here
        except OSError:
            raise NotFound(f"there is no {path!r} in the workspace") from None


def _entry(folder: int, name: str) -> Entry | None:
    try:
        status = os.stat(name, dir_fd=folder, follow_symlinks=False)
    except OSError:
        return None  # it has gone meanwhile
    name = os.fsencode(name).decode(errors="replace")  # any bytes can be a name
    if stat.S_ISDIR(status.st_mode):
        return Entry(name, "dir", 0)
    return Entry(name, "file" if stat.S_ISREG(status.st_mode) else "other", status.st_size)
