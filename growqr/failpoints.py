"""Points at which a process can be made to die, before and after every commit: for crash tests.

A point is `<statement>.before` or `<statement>.after`. A file of that name in the folder of
GROWQR_FAILPOINTS kills the next process that gets there, as `kill -9` would, and is removed by it.
Without that setting nothing of this does anything; the production profile refuses it.
"""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from pathlib import Path

_folder: Path | None = None


def arm(folder: Path | None) -> None:
    """Look for points in `folder` from now on; None: nowhere."""
    global _folder
    _folder = folder


def reach(point: str) -> None:
    """Die here if somebody has asked for it; of several processes one does."""
    if _folder is None:
        return
    with suppress(FileNotFoundError):
        (_folder / point).unlink()
        os.kill(os.getpid(), signal.SIGKILL)
