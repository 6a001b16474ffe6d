"""Points at which a process can be made to die, before and after every commit: for crash tests.

A point is `<statement>.before` or `<statement>.after`. A file of that name in the folder of
GROWQR_FAILPOINTS kills the next process that gets there, as `kill -9` would, and is removed by it;
`<point>@<name>` waits for the actor of that name; agents are named by their lease key.
What is written in the file names another signal, such as SIGSTOP.
Without that setting nothing of this does anything; the production profile refuses it.
"""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from pathlib import Path

_folder: Path | None = None
_name = ""


def arm(folder: Path | None) -> None:
    """Look for points in `folder` from now on; None: nowhere."""
    global _folder
    _folder = folder


def call_me(name: str) -> None:
    """This process is `name`, so that a point can be meant for it alone."""
    global _name
    _name = name


def reach(point: str) -> None:
    """Die here if somebody has asked for it; of several processes one does."""
    if _folder is None:
        return
    for file in (point, f"{point}@{_name}"):
        with suppress(FileNotFoundError):
            number = signal.Signals[(_folder / file).read_text().strip() or "SIGKILL"]
            (_folder / file).unlink()
            os.kill(os.getpid(), number)
