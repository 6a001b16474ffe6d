"""Whose the users' folders are: a container must be able to write there, without being root.

Containers run as growqr's own user, or as 1000 where growqr is root; then the folders are given
to 1000, and a runtime of processes takes them back. Links are never followed.
"""

from __future__ import annotations

import os
from pathlib import Path

UNPRIVILEGED = 1000

Owner = tuple[int, int]
"""User id and group id."""


def of_containers() -> Owner:
    """Who services are inside containers."""
    return (os.getuid(), os.getgid()) if os.getuid() else (UNPRIVILEGED, UNPRIVILEGED)


def of_processes() -> Owner:
    """Who services are as processes: whoever runs growqr."""
    return os.getuid(), os.getgid()


def give(folder: Path, owner: Owner) -> None:
    """Have `folder` and all in it belong to `owner`; blocks. Only root can, others need not.

    Its top is given last: where that belongs to the owner, all the rest does.
    """
    if os.getuid() != 0 or folder.lstat().st_uid == owner[0]:
        return
    for _, folders, files, here in os.fwalk(folder, follow_symlinks=False):
        for name in (*folders, *files):
            try:
                os.chown(name, *owner, dir_fd=here, follow_symlinks=False)
            except FileNotFoundError:
                continue  # removed meanwhile
    os.chown(folder, *owner, follow_symlinks=False)
