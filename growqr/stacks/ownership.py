"""Whose the users' folders are: a container must be able to write there, without being root.

Where growqr is root, each user's containers run as a uid of their own, and the folders are given to
that; a runtime of processes takes them back. Else it is growqr's own. Links are never followed.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from growqr.errors import InstanceError

FIRST, COUNT = 0x7000_0000, 0x0F00_0000
"""User ids that no distribution gives to anybody. The kernel counts inotify instances, pipes and
signals by uid, whatever the container: who shared one could take them from all others."""

Owner = tuple[int, int]
"""User id and group id."""


def of_containers(user_id: str) -> Owner:
    """Who the user's services are inside containers; the same on every machine."""
    if os.getuid():
        return os.getuid(), os.getgid()
    own = int.from_bytes(hashlib.sha256(user_id.encode()).digest()[:8], "big")
    return FIRST + own % COUNT, FIRST + own % COUNT


def of_processes() -> Owner:
    """Who services are as processes: whoever runs growqr."""
    return os.getuid(), os.getgid()


def give(folder: Path, owner: Owner) -> None:
    """Have `folder` and all in it belong to `owner`; blocks. Only root can, others need not.

    Its top is given last: where that belongs to the owner, all the rest does. Raises InstanceError
    when the way there leads over a link.
    """
    if os.getuid() != 0 or folder.lstat().st_uid == owner[0]:
        return
    top = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        if os.readlink(f"/proc/self/fd/{top}") != str(folder):
            raise InstanceError(f"{folder} lies behind a symbolic link: remove that")
        for _, folders, files, here in os.fwalk(".", follow_symlinks=False, dir_fd=top):
            for name in (*folders, *files):
                try:
                    os.chown(name, *owner, dir_fd=here, follow_symlinks=False)
                except FileNotFoundError:
                    continue  # removed meanwhile
        os.chown(top, *owner)
    finally:
        os.close(top)
