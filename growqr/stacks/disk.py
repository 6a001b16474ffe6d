"""How much a user's folders hold on the disk, and whether that is too much."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

PATIENCE: Final = 20.0
"""Seconds for one folder; what was not reached by then does not count."""

SHARE: Final = 16 << 10
"""Bytes that each file counts at least: a disk has about one inode for so many. Empty files must
neither use those up unseen, nor hide a large one behind them until PATIENCE is over."""

_BLOCK: Final = 512


def measure(
    folders: Callable[[str], Sequence[Path]], limit: int
) -> Callable[[str], Awaitable[str | None]]:
    """What says of a user how far the folders are above `limit` MiB, or None; 0: never."""

    async def full(user_id: str) -> str | None:
        looked_at = folders(user_id) if limit else ()
        held = sum([await asyncio.to_thread(used, folder) for folder in looked_at]) >> 20
        if held <= limit:
            return None
        return (
            f"its folders hold {held} MiB, {limit} are allowed: remove files, or raise "
            "GROWQR_SERVICE_DISK"
        )

    return full


def used(folder: Path, *, patience: float = PATIENCE) -> int:
    """Bytes on the disk of everything in `folder`, each at least SHARE; no link is followed.

    What has several names counts once. What vanishes, cannot be read or comes after `patience`
    seconds counts nothing.
    """
    deadline, total = time.monotonic() + patience, 0
    seen: set[tuple[int, int]] = set()
    for found in _walk(folder):
        if found.st_nlink > 1:
            if (found.st_dev, found.st_ino) in seen:
                continue
            seen.add((found.st_dev, found.st_ino))
        total += max(found.st_blocks * _BLOCK, SHARE)
        if time.monotonic() > deadline:
            break
    return total


def _walk(folder: Path) -> Iterator[os.stat_result]:
    folders = [str(folder)]
    while folders:
        with suppress(OSError), os.scandir(folders.pop()) as entries:
            for entry in entries:
                with suppress(OSError):
                    found = entry.stat(follow_symlinks=False)
                    if entry.is_dir(follow_symlinks=False):
                        folders.append(entry.path)
                    yield found
