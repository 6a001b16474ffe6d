"""Streams of events: every durable one exactly once and in order, whatever hints are lost.

A replica has one hub: it listens once, follows the journal of each watched user once, and polls
each second for what was not heard. A watcher has its own cursor and never waits for another.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Coroutine
from contextlib import aclosing, asynccontextmanager, suppress
from typing import Any

from starlette.responses import StreamingResponse
from starlette.types import Message, Receive, Scope, Send

from growqr.api.feed import BATCH, SIZE, Feed, sse
from growqr.api.subscription import Subscription
from growqr.errors import Unavailable
from growqr.identity import Principal
from growqr.names import new_id
from growqr.store import DELTAS, EVENTS, REVOKED, Limits, Store, Way

log = logging.getLogger(__name__)

PER_REPLICA = 2000
MOST = Limits(10, 5)
"""Streams of a user and of an API key, unless the settings say otherwise."""

LOOK = 15.0
"""Seconds between two looks at whether streams may go on, and words that this replica lives."""


class Hub:
    """All streams of this replica.

    `ping`: longest silence of a stream; `poll`: between two looks at the journal; `patience`:
    for a reader that takes nothing. All in seconds. `most`: streams over all replicas.
    """

    def __init__(
        self, store: Store, *, ping: float = 15.0, poll: float = 1.0, patience: float = 60.0,
        most: Limits = MOST,
    ) -> None:  # fmt: skip
        self.store = store
        self.ping, self.poll, self.patience, self.most = ping, poll, patience, most
        self.replica = new_id("str")
        self.closing = False
        self.feeds: dict[str, Feed] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Follow the journal; at the end every stream ends."""
        self.closing = False
        loops = (self._listen(), self._poll(), self._keep())
        tasks = [asyncio.create_task(loop) for loop in loops]
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

    @asynccontextmanager
    async def watch(
        self, way: Way, thread_id: str | None, until: float
    ) -> AsyncIterator[Subscription]:
        """A place among the streams. Raises Unavailable or TooMany when there is none."""
        if self.closing or self.streams() >= PER_REPLICA:
            raise Unavailable("this replica has no room for another stream")
        place = await self.store.admissions.open_stream(way, self.replica, self.most)
        feed = self.feeds.setdefault(way.user_id, Feed(way.user_id))
        subscription = Subscription(self, feed, way, thread_id, until)
        feed.watchers.add(subscription)
        try:
            yield subscription
        finally:
            feed.watchers.discard(subscription)
            if not feed.watchers and self.feeds.get(way.user_id) is feed:
                del self.feeds[way.user_id]
            self._soon(self._left(place))  # whoever leaves is not waited for

    async def _left(self, place: str) -> None:
        with suppress(Unavailable):  # it expires
            await self.store.admissions.close_stream(place)

    def _soon(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def reached(self, feed: Feed, seq: int, at: float) -> None:
        """The journal of that user stood at `seq` at the loop's time `at`."""
        self.hint(feed, seq)
        if feed.end is not None and seq <= feed.end:
            feed.fresh = max(feed.fresh, at)

    def hint(self, feed: Feed, seq: int) -> None:
        """The journal of that user has reached `seq`, as somebody says."""
        feed.target = max(feed.target, seq)
        if feed.end is not None and feed.target > feed.end and feed.pulling is None:
            feed.pulling = self._soon(self._pull(feed))

    async def _pull(self, feed: Feed) -> None:
        """Read the journal up to the feed's target."""
        try:
            while feed.end is not None and feed.end < feed.target:
                end, target = feed.end, feed.target
                events = await self.store.events.after(feed.user_id, end, limit=BATCH, size=SIZE)
                if feed.end != end:
                    continue  # it was rewound meanwhile
                if not events and feed.target == target:
                    feed.target = end  # as far as the journal goes, whatever was said
                feed.append(events)
        except Exception as error:  # noqa: BLE001 - the next poll tries again
            log.warning("journal of %s: %r", feed.user_id, error)
        finally:
            feed.pulling = None

    async def _listen(self) -> None:
        while True:
            try:
                async with aclosing(self.store.listen(EVENTS, DELTAS, REVOKED)) as notes:
                    async for channel, payload in notes:
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
        elif channel == REVOKED:
            await self._end_revoked()
        else:  # connected anew: what was said meanwhile is lost
            await self._look()
            await self._end_revoked()

    async def _keep(self) -> None:
        while True:
            await asyncio.sleep(LOOK)
            try:
                await self._end_revoked()
                await self.store.admissions.keep_streams(self.replica)
            except Exception as error:  # noqa: BLE001 - whatever it was, the next look must come
                log.warning("cannot look after the streams: %r", error)

    async def _end_revoked(self) -> None:
        """End the streams whose way in was closed: key revoked, signed out, user suspended."""
        open_now = [watcher for feed in self.feeds.values() for watcher in feed.watchers]
        if not open_now:
            return
        dead = await self.store.admissions.dead([*{watcher.way for watcher in open_now}])
        for watcher in open_now:
            if watcher.way in dead:
                watcher.end()

    async def _poll(self) -> None:
        while True:
            await asyncio.sleep(self.poll)
            await self._look()

    async def _look(self) -> None:
        """Ask the journal itself how far every watched user is."""
        feeds = dict(self.feeds)
        if not feeds:
            return
        now = asyncio.get_running_loop().time()
        ends = {user_id: feed.end for user_id, feed in feeds.items()}
        try:
            seqs = await self.store.events.last_seqs(list(feeds))
        except Exception as error:  # noqa: BLE001 - whatever it was, the next look must come
            log.warning("cannot poll the journal: %r", error)
            return
        for user_id, seq in seqs.items():
            if seq < (ends[user_id] or 0):
                feeds[user_id].rewind(seq)
            self.reached(feeds[user_id], seq, now)


class EventStream(StreamingResponse):
    """The answer of a stream. Takes its place when it begins and leaves it however it ends."""

    media_type = "text/event-stream"

    def __init__(
        self, hub: Hub, caller: Principal, cursor: int | None, thread_id: str | None = None
    ) -> None:
        super().__init__(iter(()), headers={"X-Accel-Buffering": "no"})
        self._hub = hub
        via = "" if caller.kind == "token" else caller.via  # a JWT ends with its own clock
        self._place = (Way(caller.user_id, caller.kind, via), thread_id, caller.expires)
        self._start = cursor

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def patient(message: Message) -> None:
            async with asyncio.timeout(self._hub.patience):
                await send(message)

        async with self._hub.watch(*self._place) as subscription:
            await subscription.begin(self._start)
            self.body_iterator = subscription.frames()
            await super().__call__(scope, receive, patient)
