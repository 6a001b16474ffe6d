"""Says what a long start is doing, not oftener than readers can follow."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Final, Self

from growqr.errors import Fenced, Unavailable

INTERVAL: Final = 1.0
"""Seconds between two texts; what is over sooner says nothing."""


class Progress:
    """Takes texts at will, and writes the newest one now and then while its block lasts."""

    def __init__(self, write: Callable[[str], Awaitable[object]]) -> None:
        self._write = write
        self._text = ""
        self._over = asyncio.Event()

    def __call__(self, text: str) -> None:
        """The newest text; from any thread."""
        self._text = text

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._run())
        return self

    async def __aexit__(self, *_: object) -> None:
        """Nothing is written any more once this has returned."""
        self._over.set()
        await self._task

    async def _run(self) -> None:
        told = ""
        while not self._over.is_set():
            with suppress(TimeoutError):
                async with asyncio.timeout(INTERVAL):
                    await self._over.wait()
                    return
            if self._text != told:
                told = self._text
                with suppress(Unavailable, Fenced):  # whoever starts the service finds out, too
                    await self._write(told)
