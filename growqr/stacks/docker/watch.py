"""The engine's news as names of services. It may lose some: the whole list follows each connection
and comes again now and then, so that nothing depends on one.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from growqr.errors import GrowqrError
from growqr.logs import log
from growqr.stacks.docker.engine import connect, hang_up
from growqr.stacks.docker.profile import INSTANCE, NAME

ROUND = 30.0
"""Seconds between two full lists."""

TRY_AGAIN = 1.0
ACTIONS = frozenset({"die", "destroy", "pause", "unpause", "rename"})
"""What may change a service. A `kill` is told before anything has ended, a `start` is our own."""

_log = log("stacks")


class Watch:
    """News of one instance's containers, until it is closed.

    listed: a look at everything; the names of the services that are there.
    """

    def __init__(self, instance: str, listed: Callable[[], Awaitable[list[str]]]) -> None:
        self._instance, self._listed = instance, listed
        self._news: asyncio.Queue[str | None] = asyncio.Queue()
        self._closed = threading.Event()
        self._stream: Any = None
        self._guard = threading.Lock()
        self._last, self._seen = 0, set[tuple[str, str]]()
        self._loop = asyncio.get_running_loop()
        self._thread = threading.Thread(target=self._listen, name="engine events", daemon=True)

    async def names(self) -> AsyncIterator[str]:
        """Names worth a look: all at each connection and each ROUND, and each that changes."""
        self._thread.start()
        due = self._loop.time() + ROUND
        while not self._closed.is_set():
            try:
                async with asyncio.timeout_at(due):
                    name = await self._news.get()
            except TimeoutError:
                name = None
            if name is not None:
                yield name
            elif not self._closed.is_set():
                for one in await self._all():
                    yield one
                due = self._loop.time() + ROUND

    async def close(self) -> None:
        """End it, its thread and its connection."""
        self._closed.set()
        self._news.put_nowait(None)
        with self._guard:
            stream = self._stream
        if stream is not None:
            hang_up(stream)
        if self._thread.is_alive():
            await asyncio.to_thread(self._thread.join, 5.0)

    async def _all(self) -> list[str]:
        try:
            return await self._listed()
        except GrowqrError as error:
            _log.warning("no list of containers", error=error.message)
            return []

    def _listen(self) -> None:
        while not self._closed.is_set():
            with contextlib.suppress(Exception):  # the next connection's list tells what was lost
                self._hear_until_it_ends()
            self._closed.wait(TRY_AGAIN)

    def _hear_until_it_ends(self) -> None:
        client = connect(timeout=None)
        try:
            since = f"{self._last // 10**9}.{self._last % 10**9:09d}" if self._last else None
            labelled = {"type": "container", "label": [f"{INSTANCE}={self._instance}"]}
            stream = client.api.events(since=since, filters=labelled, decode=True)
            with self._guard:
                self._stream = stream
            self._tell(None)
            if not self._closed.is_set():
                for event in stream:
                    self._hear(event)
        finally:
            with self._guard:
                stream, self._stream = self._stream, None
            if stream is not None:
                hang_up(stream)
            client.close()

    def _hear(self, event: dict[str, Any]) -> None:
        """An engine asked from a moment on tells that moment's events again."""
        when = int(event.get("timeNano", 0))
        key = str(event.get("id", "")), str(event.get("Action", ""))
        if when < self._last or (when == self._last and key in self._seen):
            return
        self._seen = {key} | (self._seen if when == self._last else set())
        self._last = when
        name = event.get("Actor", {}).get("Attributes", {}).get(NAME)
        if name and key[1] in ACTIONS:
            self._tell(str(name))

    def _tell(self, name: str | None) -> None:
        with contextlib.suppress(RuntimeError):  # the loop has gone
            self._loop.call_soon_threadsafe(self._news.put_nowait, name)
