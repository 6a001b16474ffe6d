"""The newest events of one user on this replica: one read of the journal serves all watchers."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import Iterable
from itertools import islice
from typing import Any, NamedTuple, Protocol

from growqr.events import Event
from growqr.store import Way

BATCH, SIZE = 64, 128 * 1024
"""Events, and their bytes, read or sent at once: what a slow reader holds in memory."""

_RING_EVENTS = 256
_RING_BYTES = 512 * 1024


class Frame(NamedTuple):
    """An event as it goes over the wire."""

    seq: int
    thread_id: str | None
    raw: bytes


class Watcher(Protocol):
    """Someone who follows a feed."""

    way: Way

    def end(self) -> None:
        """There is nothing more for them."""

    def notice(self) -> None:
        """There is something new."""

    def offer(self, thread_id: str | None, raw: bytes) -> None:
        """A delta passes by."""


class Feed:
    """A contiguous run of events, `start` < seq ≤ `end`, in bounded memory.

    `end` is None until the first watcher has read where the journal stands. `target` is the
    highest seq heard of; the hub reads the journal until `end` has reached it. At the loop's time
    `fresh` the journal held nothing beyond `end`.
    """

    def __init__(self, user_id: str) -> None:
        self.user_id = user_id
        self.start = 0
        self.end: int | None = None
        self.target = 0
        self.fresh = 0.0
        self.watchers: set[Watcher] = set()
        self.pulling: asyncio.Task[None] | None = None
        self._ring: deque[Frame] = deque()
        self._bytes = 0

    def begin(self, last: int) -> None:
        """The journal stands at `last`; what comes after is followed."""
        if self.end is None:
            self.start = self.end = last
            self.target = max(self.target, last)

    def rewind(self, last: int) -> None:
        """The journal ends at `last`, before what was read of it: it was restored from a copy."""
        self._forget()
        self.start = self.end = self.target = last
        self.notice()

    def append(self, events: Iterable[Event]) -> None:
        """Take the events that come next, forget the oldest, wake who watches."""
        for event in events:
            frame = to_frame(event)
            if frame.seq - 1 != self.end:  # retention has cut here: watchers must look again
                self._forget()
                self.start = frame.seq - 1
            self._ring.append(frame)
            self._bytes += len(frame.raw)
            self.end = frame.seq
        while len(self._ring) > _RING_EVENTS or self._bytes > _RING_BYTES:
            oldest = self._ring.popleft()
            self.start = oldest.seq
            self._bytes -= len(oldest.raw)
        self.notice()

    def since(self, cursor: int) -> list[Frame] | None:
        """The next frames after `cursor`, [] at the end, None where only the journal knows."""
        if self.end is None or not self.start <= cursor <= self.end:
            return None
        return portion(islice(self._ring, cursor - self.start, None))

    def _forget(self) -> None:
        self._ring.clear()
        self._bytes = 0

    def notice(self) -> None:
        """Wake every watcher."""
        for watcher in self.watchers:
            watcher.notice()

    def offer(self, thread_id: str | None, raw: bytes) -> None:
        """Hand a delta to every watcher."""
        for watcher in self.watchers:
            watcher.offer(thread_id, raw)


def portion(frames: Iterable[Frame]) -> list[Frame]:
    """The first of these, as many as are sent at once; one at least, however large."""
    found: list[Frame] = []
    size = 0
    for frame in islice(frames, BATCH):
        size += len(frame.raw)
        if found and size > SIZE:
            break
        found.append(frame)
    return found


def to_frame(event: Event) -> Frame:
    """`id`, `event` and `data` lines of a durable event."""
    return Frame(event.seq, event.thread_id, sse(event.type, event.envelope(), event.seq))


def sse(kind: str, content: dict[str, Any], seq: int | None = None) -> bytes:
    """One server-sent event; without `seq` it does not move the client's cursor."""
    head = "" if seq is None else f"id: {seq}\n"
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
    return f"{head}event: {kind}\ndata: {text}\n\n".encode(errors="replace")
