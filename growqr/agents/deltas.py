"""A reply while it is being written: coalesced, sent as notifications, never journaled.

No fence stands before a notification, so a process that stood still says nothing any more.
"""

from __future__ import annotations

import asyncio
from collections import Counter

from growqr.agents.keeper import Keeper
from growqr.events import Delta
from growqr.store import Notifier, Turn

INTERVAL = 0.03
"""Seconds in which pieces are gathered into one delta."""


class Deltas:
    """The stream of one model call; `feed` costs nothing, a task sends what has gathered."""

    def __init__(self, notifier: Notifier, keeper: Keeper, turn: Turn, step_id: str) -> None:
        self._notifier = notifier
        self._keeper = keeper
        self._turn = turn
        self._step_id = step_id
        self._sent: Counter[str] = Counter()
        self._pieces: list[tuple[str, str]] = []
        self._task: asyncio.Task[None] | None = None

    def feed(self, kind: str, text: str) -> None:
        """A piece of text or thinking has arrived."""
        self._pieces.append((kind, text))
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._soon())

    async def flush(self) -> None:
        """Hand over everything gathered, so that the final message comes after it."""
        pieces, self._pieces = self._pieces, []
        for kind in dict.fromkeys(kind for kind, _ in pieces):
            text = "".join(text for one, text in pieces if one == kind)
            if self._keeper.held:
                await self._notifier.delta(self._delta(kind, text))
            self._sent[kind] += len(text)

    def _delta(self, kind: str, text: str) -> Delta:
        return Delta(
            user_id=self._turn.user_id,
            thread_id=self._turn.thread_id,
            turn_id=self._turn.id,
            step_id=self._step_id,
            epoch=self._keeper.fence.epoch,
            offset=self._sent[kind],
            text=text,
            kind=kind,
        )

    async def _soon(self) -> None:
        await asyncio.sleep(INTERVAL)
        await self.flush()
