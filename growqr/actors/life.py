"""An actor lives from its construction, not from its first call, which may never come.

Ray runs no coroutine for a constructor, and a restarted actor gets no call at all. So the life of
an actor is a coroutine on a thread and event loop of its own; Ray's loop only carries messages.
"""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from typing import Any

import ray

from growqr import failpoints
from growqr.logs import log

GRACE = 0.2
"""Seconds for answers under way before the process of an ended life goes."""

_log = log("actors")


class Life:
    """Runs `main` at once; when it ends, so does the actor's process."""

    def __init__(self, name: str, main: Callable[[], Coroutine[Any, Any, object]]) -> None:
        self.ended: Future[str] = Future()
        self._name = name
        self._main = main
        self._loop = asyncio.new_event_loop()
        self._self = ray.get_runtime_context().current_actor
        failpoints.call_me(name)
        threading.Thread(target=self._run, name="life", daemon=True).start()

    def call(self, hint: Callable[[], None]) -> None:
        """Run `hint` on the life's loop; too late is fine."""
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(hint)

    async def end(self) -> str:
        """Wait for the end, from any loop; says how it ended."""
        return await asyncio.shield(asyncio.wrap_future(self.ended))

    def _run(self) -> None:
        try:
            how = str(self._loop.run_until_complete(self._main()))
        except BaseException:  # noqa: BLE001  the process ends here; the reason must not be lost
            _log.error("life broke off", actor=self._name, exc_info=True)
            os._exit(1)
        _log.info("life ended", actor=self._name, how=how)
        self.ended.set_result(how)
        time.sleep(GRACE)
        ray.kill(self._self)
        time.sleep(2.0)
        os._exit(0)
