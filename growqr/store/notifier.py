"""Hints to listeners, sent outside transactions and coalesced: inside, they cost 3-5 x the rate."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import asdict

from growqr.errors import StoreUnavailable
from growqr.events import Delta

EVENTS, DELTAS, WORK = "growqr_event", "growqr_delta", "growqr_work"
REVOKED = "growqr_revoked"
"""Channels: `<user>:<seq>` pairs, deltas as JSON, hints to the Host; a way in was closed."""

INTERVAL = 0.02
"""Seconds between two batches; the first of a burst leaves at once."""

LIMIT = 7500
"""Bytes of one payload; Postgres refuses 8,000."""

Send = Callable[[list[str], list[str]], Awaitable[None]]


class Notifier:
    """Collects hints and sends them in batches. Losing one is harmless: readers also poll."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._seqs: dict[str, int] = {}
        self._texts: list[tuple[str, str]] = []
        self._task: asyncio.Task[None] | None = None

    def event(self, user_id: str, seq: int) -> None:
        """The user's journal has reached `seq`."""
        self._seqs[user_id] = max(seq, self._seqs.get(user_id, 0))
        self._start()

    def work(self, text: str) -> None:
        """Something is to do that no agent does, such as `memory:<user>`."""
        self._once(WORK, text)

    def revoked(self) -> None:
        """A way in was closed: whoever holds streams open looks whose."""
        self._once(REVOKED, "")

    def _once(self, channel: str, text: str) -> None:
        if (channel, text) not in self._texts:
            self._texts.append((channel, text))
        self._start()

    async def delta(self, delta: Delta) -> None:
        """A piece of a reply, cut into as many payloads as it needs."""
        step = LIMIT // 12  # a character takes up to twelve bytes of JSON: a surrogate pair
        fields = asdict(delta)
        for start in range(0, len(delta.text), step):
            fields |= {"text": delta.text[start : start + step], "offset": delta.offset + start}
            self._texts.append((DELTAS, json.dumps(fields, separators=(",", ":"))))
        self._start()

    async def close(self) -> None:
        """Wait for the batch under way and send the last one."""
        if self._task is not None:
            await asyncio.wait({self._task}, timeout=1.0)

    def _start(self) -> None:
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._run())

    async def _run(self) -> None:
        while self._seqs or self._texts:
            seqs, self._seqs = self._seqs, {}
            texts, self._texts = self._texts, []
            texts += [(EVENTS, payload) for payload in _packed(seqs)]
            try:
                await self._send([text[0] for text in texts], [text[1] for text in texts])
            except StoreUnavailable:
                return
            await asyncio.sleep(INTERVAL)


def _packed(seqs: dict[str, int]) -> list[str]:
    """`user:seq user:seq …` in as few payloads as fit."""
    payloads = [""]
    for user, seq in seqs.items():
        pair = f"{user}:{seq}"
        if len(payloads[-1]) + len(pair) >= LIMIT:
            payloads.append("")
        payloads[-1] = f"{payloads[-1]} {pair}".strip()
    return [payload for payload in payloads if payload]
