"""Streams of events: every durable one exactly once and in order, whatever hints are lost.

A replica has one hub: it listens once, follows the journal of each watched user once, and polls
each second for what was not heard. A watcher has its own cursor and reads from its user's feed,
or from the journal where it lies further back; it never waits for another.
"""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections import deque
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress

from starlette.responses import StreamingResponse
from starlette.types import Message, Receive, Scope, Send

from growqr.api.feed import BATCH, Feed, sse, to_frame
from growqr.errors import TooMany, Unavailable
from growqr.store import Store

log = logging.getLogger(__name__)

EVENTS, DELTAS = "growqr_event", "growqr_delta"
PER_USER = 10
PER_REPLICA = 2000

_RETRY = b"retry: 2000\n"  # a part of the first event: alone it would look like an empty one
_KEPT_DELTAS = 200


class Hub:
    """All streams of this replica.

    `ping`: longest silence of a stream; `poll`: between two looks at the journal; `patience`:
    for a reader that takes nothing. All in seconds.
    """

    def __init__(
        self, store: Store, *, ping: float = 15.0, poll: float = 1.0, patience: float = 60.0
    ) -> None:
        self.store = store
        self.ping, self.poll, self.patience = ping, poll, patience
        self.closing = False
        self.feeds: dict[str, Feed] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Follow the journal; at the end every stream ends."""
        self.closing = False
        tasks = [asyncio.create_task(self._listen()), asyncio.create_task(self._poll())]
        try:
            yield
        finally:
            self.close()
            tasks += self._tasks
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def close(self) -> None:
        """End every stream at its next breath; a client comes back to another replica."""
        self.closing = True
        for feed in self.feeds.values():
            feed.notice()

    def streams(self) -> int:
        """Open streams of this replica."""
        return sum(len(feed.watchers) for feed in self.feeds.values())

    @contextmanager
    def watch(self, user_id: str, thread_id: str | None, until: float) -> Iterator[Subscription]:
        """A place among the streams. Raises Unavailable or TooMany when there is none."""
        if self.closing or self.streams() >= PER_REPLICA:
            raise Unavailable("this replica has no room for another stream")
        feed = self.feeds.get(user_id) or Feed(user_id)
        if len(feed.watchers) >= PER_USER:
            raise TooMany(f"a user may have {PER_USER} streams open on a replica")
        self.feeds[user_id] = feed
        subscription = Subscription(self, feed, thread_id, until)
        feed.watchers.add(subscription)
        try:
            yield subscription
        finally:
            feed.watchers.discard(subscription)
            if not feed.watchers:
                self.feeds.pop(user_id, None)

    def hint(self, feed: Feed, seq: int) -> None:
        """The journal of that user has reached `seq`, as somebody says."""
        feed.target = max(feed.target, seq)
        if feed.end is not None and feed.target > feed.end and feed.pulling is None:
            feed.pulling = asyncio.get_running_loop().create_task(self._pull(feed))
            self._tasks.add(feed.pulling)
            feed.pulling.add_done_callback(self._tasks.discard)

    async def _pull(self, feed: Feed) -> None:
        """Read the journal up to the feed's target."""
        try:
            while feed.end is not None and feed.end < feed.target:
                events = await self.store.events.after(feed.user_id, feed.end, limit=BATCH)
                if not events:
                    feed.target = feed.end
                feed.append(events)
        except Exception as error:  # noqa: BLE001 - the next poll tries again
            log.warning("journal of %s: %r", feed.user_id, error)
        finally:
            feed.pulling = None

    async def _listen(self) -> None:
        while True:
            try:
                async for channel, payload in self.store.listen(EVENTS, DELTAS):
                    await self._heard(channel, payload)
            except Exception as error:  # noqa: BLE001 - the poll goes on meanwhile
                log.warning("listening failed: %r", error)
            await asyncio.sleep(self.poll)

    async def _heard(self, channel: str, payload: str) -> None:
        if channel == EVENTS:
            for pair in payload.split():
                user_id, _, seq = pair.rpartition(":")
                if feed := self.feeds.get(user_id):
                    self.hint(feed, int(seq))
        elif channel == DELTAS:
            delta = json.loads(payload)
            if feed := self.feeds.get(delta.pop("user_id")):
                feed.offer(delta["thread_id"], sse("delta", delta))
        else:  # connected anew: what was said meanwhile is lost
            await self._look()

    async def _poll(self) -> None:
        while True:
            await asyncio.sleep(self.poll)
            await self._look()

    async def _look(self) -> None:
        """Ask the journal itself how far every watched user is."""
        if not self.feeds:
            return
        try:
            seqs = await self.store.events.last_seqs(list(self.feeds))
        except Exception as error:  # noqa: BLE001 - whatever it was, the next look must come
            log.warning("cannot poll the journal: %r", error)
            return
        for user_id, seq in seqs.items():
            if feed := self.feeds.get(user_id):
                self.hint(feed, seq)


class Subscription:
    """One stream: a cursor, and at most one batch in memory."""

    def __init__(self, hub: Hub, feed: Feed, thread_id: str | None, until: float) -> None:
        self._hub = hub
        self._feed = feed
        self._thread_id = thread_id
        self._until = until
        self._cursor = 0
        self._news = asyncio.Event()
        self._deltas: deque[bytes] = deque(maxlen=_KEPT_DELTAS)

    def notice(self) -> None:
        """There may be something to send."""
        self._news.set()

    def offer(self, thread_id: str | None, raw: bytes) -> None:
        """A delta; a reader too slow for them loses the oldest."""
        if self._thread_id in (None, thread_id):
            self._deltas.append(raw)
            self._news.set()

    async def begin(self, cursor: int | None) -> None:
        """Stand after `cursor`, or before the oldest event kept. Raises StoreUnavailable."""
        floor, last = await self._hub.store.events.bounds(self._feed.user_id)
        self._cursor = floor if cursor is None else cursor
        self._feed.begin(last)
        self._hub.hint(self._feed, last)

    async def frames(self) -> AsyncIterator[bytes]:
        """What to send, until the hub closes or the caller's token ends."""
        yield _RETRY
        loop = asyncio.get_running_loop()
        spoken = loop.time()
        while not self._hub.closing and time.time() < self._until:
            self._news.clear()
            before = self._cursor
            pause = self._hub.ping
            chunks = self._passing()
            try:
                chunks += await self._advance()
            except Unavailable:
                pause = self._hub.poll
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
                async with asyncio.timeout(min(pause, silence)):
                    await self._news.wait()

    def _passing(self) -> list[bytes]:
        deltas = list(self._deltas)
        self._deltas.clear()
        return deltas

    async def _advance(self) -> list[bytes]:
        """The next events, from the feed or, further back, from the journal."""
        frames = self._feed.since(self._cursor)
        if frames is None:
            return await self._catch_up()
        if frames:
            self._cursor = frames[-1].seq
        return [frame.raw for frame in frames if self._thread_id in (None, frame.thread_id)]

    async def _catch_up(self) -> list[bytes]:
        store, user_id = self._hub.store, self._feed.user_id
        reached = self._feed.end or 0
        events = await store.events.after(
            user_id, self._cursor, thread_id=self._thread_id, limit=BATCH
        )
        floor, _ = await store.events.bounds(user_id)
        if self._cursor < floor:  # asked after the read, so that no removal goes unseen
            self._cursor = floor
            return [sse("reset", {"seq": floor})]
        last = events[-1].seq if events else self._cursor
        # A batch that is not full holds all of this thread up to where the journal stood.
        self._cursor = last if len(events) == BATCH else max(last, reached)
        return [to_frame(event).raw for event in events]


class EventStream(StreamingResponse):
    """The answer of a stream. Takes its place when it begins and leaves it however it ends."""

    media_type = "text/event-stream"

    def __init__(
        self, hub: Hub, user_id: str, cursor: int | None, until: float, thread_id: str | None = None
    ) -> None:
        super().__init__(iter(()), headers={"X-Accel-Buffering": "no"})
        self._hub = hub
        self._place = (user_id, thread_id, until)
        self._start = cursor

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def patient(message: Message) -> None:
            async with asyncio.timeout(self._hub.patience):
                await send(message)

        with self._hub.watch(*self._place) as subscription:
            await subscription.begin(self._start)
            self.body_iterator = subscription.frames()
            await super().__call__(scope, receive, patient)
