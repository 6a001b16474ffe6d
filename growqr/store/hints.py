"""Who has work, as hints tell: users one by one, each worked on by one at a time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from contextlib import contextmanager


class Hints:
    """A queue of users; hints that come while a user is queued or worked on are taken together."""

    def __init__(self, kind: str, heard: AsyncGenerator[tuple[str, str], None]) -> None:
        self._kind, self._heard = kind, heard
        self._queue: asyncio.Queue[str] = asyncio.Queue()
        self._due: set[str] = set()
        self._active: set[str] = set()
        self._heeded: dict[str, asyncio.Event] = {}

    def add(self, user_id: str) -> None:
        """Have this user worked on soon."""
        if heeded := self._heeded.get(user_id):
            heeded.set()
        fresh = user_id not in self._due
        self._due.add(user_id)
        if fresh and user_id not in self._active:
            self._queue.put_nowait(user_id)

    @contextmanager
    def about(self, user_id: str) -> Iterator[asyncio.Event]:
        """Set by each hint about this user while the block lasts, for work that takes long and can
        heed one. The user is worked on afterwards all the same."""
        heeded = self._heeded[user_id] = asyncio.Event()
        try:
            yield heeded
        finally:
            del self._heeded[user_id]

    async def hear(self, gap: Callable[[], None] = lambda: None) -> None:
        """Take the notifications `<kind>:<user>`, for ever; lost ones are the caller's to find.

        `gap` is called at the start, and whenever some may have been lost.
        """
        async for channel, payload in self._heard:
            if not channel:
                gap()
            kind, _, user_id = payload.partition(":")
            if kind == self._kind and user_id:
                self.add(user_id)

    async def work(self, do: Callable[[str], Awaitable[None]]) -> None:
        """Do it for one user after the other, for ever; any number of these may run."""
        while True:
            user_id = await self._queue.get()
            self._due.discard(user_id)
            self._active.add(user_id)
            try:
                await do(user_id)
            finally:
                self._active.discard(user_id)
                if user_id in self._due:
                    self._queue.put_nowait(user_id)
