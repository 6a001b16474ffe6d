"""Whether the database answers, asked once a second however many want to know."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress

EVERY = 1.0
"""Seconds for which an answer, good or bad, stands for the next."""


class Health:
    """One question at a time: it costs whoever asks nothing, and must cost us as little."""

    def __init__(self, ask: Callable[[], Awaitable[None]]) -> None:
        self._ask = ask
        self._asked: asyncio.Task[None] | None = None
        self._at = 0.0

    async def check(self) -> None:
        """Raises what the newest answer was."""
        now = time.monotonic()
        if self._asked is None or (self._asked.done() and now - self._at >= EVERY):
            self._at, self._asked = now, asyncio.create_task(self._answer())
            self._asked.add_done_callback(_heard)
        await asyncio.shield(self._asked)

    async def _answer(self) -> None:
        await self._ask()


def _heard(asked: asyncio.Task[None]) -> None:
    """Whoever asked may have hung up; what was answered is no news to the log."""
    with suppress(asyncio.CancelledError):
        asked.exception()
