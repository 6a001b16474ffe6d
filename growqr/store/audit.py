"""The audit log: who did what, which rule decided, from where. The database lets nobody change it.

What changes who may do what is noted in the transaction that changes it. What was refused is
noted in the background, what is refused again and again once a minute with its number: being
refused must cost us less than it costs whoever tries.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from growqr.errors import StoreUnavailable
from growqr.store.engine import Database
from growqr.store.jsonb import jsonb

KEPT = 1000
"""Refusals of different kinds that wait; beyond them the oldest are lost, and how many is noted."""

SOON, WINDOW = 0.05, 60.0
"""Seconds after which a refusal is written, and equal ones after it."""


class Act(NamedTuple):
    """Who does something, by which rule they may, and from where."""

    actor: str
    rule: str
    via: str = ""
    address: str = ""
    request_id: str = ""

    def noted(self, action: str, **facts: Any) -> dict[str, Any]:
        """Parameters of the fragment `note`."""
        return {
            "actor": self.actor, "actor_via": self.via, "action": action, "rule": self.rule,
            "address": self.address, "request": self.request_id, "facts": jsonb(facts),
        }  # fmt: skip


OPERATOR = Act("operator", "machine")
"""Whoever may read the data folder: the command line on the machine itself."""


class Entry(NamedTuple):
    """One line of the log. `outcome`: done or refused."""

    id: int
    at: datetime
    actor: str
    via: str
    action: str
    subject: str
    outcome: str
    rule: str
    address: str
    request_id: str
    facts: dict[str, Any]


@dataclass
class _Refusal:
    """Refusals of one actor, action and rule: how many wait, the newest of them, until when."""

    by: Act
    action: str
    subject: str
    count: int
    due: float


class Audit:
    """Writes and reads the log."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._refused: dict[tuple[str, str, str], _Refusal] = {}
        self._lost = 0
        self._task: asyncio.Task[None] | None = None
        self._stirred, self._closing = asyncio.Event(), False

    async def note(self, by: Act, action: str, subject: str, **facts: Any) -> None:
        """Something was done that no other statement notes. Raises StoreUnavailable."""
        await self._db.all("note_done", dict, subject=subject, **by.noted(action, **facts))

    def refused(self, by: Act, action: str, subject: str = "") -> None:
        """Something was refused; written soon, and never at the cost of an answer."""
        key = (by.actor, action, by.rule)
        if (known := self._refused.get(key)) is not None:
            known.by, known.subject, known.count = by, subject, known.count + 1
        else:
            if len(self._refused) >= KEPT:
                self._lost += self._refused.pop(next(iter(self._refused))).count
            self._refused[key] = _Refusal(by, action, subject, 1, time.monotonic() + SOON)
            self._stirred.set()
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._write())

    async def list(
        self, *, limit: int, before: int | None = None, who: str | None = None,
        what: str | None = None,
    ) -> list[Entry]:  # fmt: skip
        """Newest first; of whom or about whom, and of actions that begin with `what`."""
        return await self._db.all(
            "list_audit", Entry, before=before or 2**62, who=who, what=what, limit=limit
        )

    async def close(self) -> None:
        """Write what waits."""
        self._closing = True
        self._stirred.set()
        if self._task is not None:
            await asyncio.wait({self._task}, timeout=1.0)

    async def _write(self) -> None:
        """Until nothing waits and nothing was written within the window."""
        while self._refused:
            next_due = min(one.due for one in self._refused.values())
            with suppress(TimeoutError):
                async with asyncio.timeout(next_due - time.monotonic()):
                    await self._stirred.wait()
            self._stirred.clear()
            await self._write_due(time.monotonic())

    async def _write_due(self, now: float) -> None:
        """What is due; equal ones wait for the window from here on. At the end everything."""
        due = [key for key, one in self._refused.items() if self._closing or one.due <= now]
        batch, lost = [one for key in due if (one := self._refused.pop(key)).count], self._lost
        for one in () if self._closing else batch:
            again = _Refusal(one.by, one.action, one.subject, 0, now + WINDOW)
            self._refused[one.by.actor, one.action, one.by.rule] = again
        self._lost = 0
        if lost:
            overload = Act("growqr", "overload")
            batch.append(_Refusal(overload, "audit.lost", str(lost), lost, now))
        if batch:
            try:
                await self._db.all("note_refused", dict, **_columns(batch))
            except StoreUnavailable:
                self._lost += sum(one.count for one in batch)


def _columns(batch: list[_Refusal]) -> dict[str, Any]:
    return {
        "actors": [_kept(one.by.actor) for one in batch],
        "vias": [_kept(one.by.via) for one in batch],
        "actions": [one.action for one in batch],
        "subjects": [_kept(one.subject) for one in batch],
        "outcomes": ["refused"] * len(batch),
        "rules": [one.by.rule for one in batch],
        "addresses": [_kept(one.by.address) for one in batch],
        "requests": [_kept(one.by.request_id) for one in batch],
        "facts": [jsonb({"count": one.count} if one.count > 1 else {}) for one in batch],
    }


def _kept(text: str) -> str:
    """As Postgres can hold it: what one caller sends must not cost the lines of others."""
    return text.encode(errors="replace").decode().replace("\0", "\ufffd")
