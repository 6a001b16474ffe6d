"""One stream: a cursor of its own, and at most one portion of events in memory.

It follows its user's feed, and reads the journal itself where the feed does not reach or has not
been confirmed for a while: whatever signal is lost, the next look finds what there is.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import TYPE_CHECKING

from growqr.api.feed import BATCH, SIZE, Feed, Frame, portion, sse, to_frame
from growqr.errors import Unavailable

if TYPE_CHECKING:
    from growqr.api.stream import Hub
    from growqr.store import Way

_RETRY = b"retry: 2000\n"  # a part of the first event: alone it would look like an empty one
_KEPT_DELTAS = 200


class Subscription:
    """A watcher of `feed`: all of it, or one thread. `until`: when the caller's token ends.

    `way`: how the caller came in, and so what must be revoked to end it before.
    """

    def __init__(self, hub: Hub, feed: Feed, way: Way, thread_id: str | None, until: float) -> None:
        self.way = way
        self._hub = hub
        self._feed = feed
        self._thread_id = thread_id
        self._until = until
        self._cursor = 0
        self._looked = 0.0
        self._news = asyncio.Event()
        self._deltas: deque[bytes] = deque(maxlen=_KEPT_DELTAS)

    def notice(self) -> None:
        """There may be something to send."""
        self._news.set()

    def end(self) -> None:
        """Nothing more for this caller."""
        self._until = 0.0
        self._news.set()

    def offer(self, thread_id: str | None, raw: bytes) -> None:
        """A delta; a reader too slow for them loses the oldest."""
        if self._thread_id in (None, thread_id):
            self._deltas.append(raw)
            self._news.set()

    async def begin(self, cursor: int | None) -> None:
        """Stand after `cursor`, or before the oldest event kept. Raises StoreUnavailable."""
        now = asyncio.get_running_loop().time()
        floor, last = await self._hub.store.events.bounds(self._feed.user_id)
        self._cursor = floor if cursor is None else cursor
        self._feed.begin(last)
        self._hub.reached(self._feed, last, now)

    async def frames(self) -> AsyncIterator[bytes]:
        """What to send, until the hub closes or the caller's token ends."""
        yield _RETRY
        loop = asyncio.get_running_loop()
        spoken = loop.time()
        while not self._hub.closing and time.time() < self._until:
            self._news.clear()
            before, chunks = self._cursor, self._passing()
            with suppress(Unavailable):
                chunks += await self._advance()
            if chunks:
                yield b"".join(chunks)
                spoken = loop.time()
            if self._cursor != before:
                continue
            silence = spoken + self._hub.ping - loop.time()
            if silence <= 0:
                yield sse("ping", {})
                spoken = loop.time()
                continue
            with suppress(TimeoutError):
                async with asyncio.timeout(min(silence, self._doubt_at() - loop.time())):
                    await self._news.wait()

    def _passing(self) -> list[bytes]:
        deltas = list(self._deltas)
        self._deltas.clear()
        return deltas

    def _doubt_at(self) -> float:
        """When the feed's word is no longer enough."""
        return max(self._feed.fresh, self._looked) + 2 * self._hub.poll

    async def _advance(self) -> list[bytes]:
        """The next events, from the feed or from the journal."""
        frames = self._feed.since(self._cursor)
        if not frames and self._doubt_at() <= asyncio.get_running_loop().time():
            frames = None
        if frames is None:
            return await self._look()
        if frames:
            self._cursor = frames[-1].seq
        return self._raw(frames)

    async def _look(self) -> list[bytes]:
        """The next events from the journal, or `reset` when it does not hold them."""
        store, user_id = self._hub.store, self._feed.user_id
        now = self._looked = asyncio.get_running_loop().time()
        reached = self._feed.end or 0
        events = await store.events.after(
            user_id, self._cursor, thread_id=self._thread_id, limit=BATCH, size=SIZE
        )
        # Asked after the read, so that no removal goes unseen.
        floor, last = await store.events.bounds(user_id)
        self._hub.reached(self._feed, last, now)
        if not floor <= self._cursor <= last:
            self._cursor = floor if self._cursor < floor else last
            return [sse("reset", {"seq": self._cursor})]
        frames = portion(to_frame(event) for event in events)
        # With nothing left of this thread it stands where the journal stood before the read.
        self._cursor = frames[-1].seq if frames else max(self._cursor, reached)
        return self._raw(frames)

    def _raw(self, frames: list[Frame]) -> list[bytes]:
        return [frame.raw for frame in frames if self._thread_id in (None, frame.thread_id)]
