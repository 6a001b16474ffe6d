"""The audit log: who did what, which rule decided, from where. The database lets nobody change it.

What changes who may do what is noted in the transaction that changes it. What was refused is
noted in the background: being refused must cost us less than it costs whoever tries.
"""

from __future__ import annotations

import asyncio
from collections import deque
from datetime import datetime
from typing import Any, NamedTuple

from growqr.errors import StoreUnavailable
from growqr.store.engine import Database
from growqr.store.jsonb import jsonb

KEPT = 1000
"""Refusals that wait to be written; beyond them the oldest are lost, and how many is noted."""


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


class Audit:
    """Writes and reads the log."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._refused: deque[tuple[Act, str, str]] = deque(maxlen=KEPT)
        self._lost = 0
        self._task: asyncio.Task[None] | None = None

    async def note(self, by: Act, action: str, subject: str, **facts: Any) -> None:
        """Something was done that no other statement notes. Raises StoreUnavailable."""
        await self._db.all("note_done", dict, subject=subject, **by.noted(action, **facts))

    def refused(self, by: Act, action: str, subject: str = "") -> None:
        """Something was refused; written soon, and never at the cost of an answer."""
        self._lost += len(self._refused) == KEPT
        self._refused.append((by, action, subject))
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
        """Wait for what is being written."""
        if self._task is not None:
            await asyncio.wait({self._task}, timeout=1.0)

    async def _write(self) -> None:
        await asyncio.sleep(0.05)  # what comes together is written together
        while self._refused:
            batch, lost = list(self._refused), self._lost
            self._refused.clear()
            self._lost = 0
            if lost:
                batch.append((Act("growqr", "overload"), "audit.lost", str(lost)))
            try:
                await self._db.all("note_refused", dict, **_columns(batch))
            except StoreUnavailable:
                self._lost += len(batch)
                return


def _columns(batch: list[tuple[Act, str, str]]) -> dict[str, Any]:
    return {
        "actors": [_kept(act.actor) for act, _, _ in batch],
        "vias": [_kept(act.via) for act, _, _ in batch],
        "actions": [action for _, action, _ in batch],
        "subjects": [_kept(subject) for _, _, subject in batch],
        "outcomes": ["refused"] * len(batch),
        "rules": [act.rule for act, _, _ in batch],
        "addresses": [_kept(act.address) for act, _, _ in batch],
        "requests": [_kept(act.request_id) for act, _, _ in batch],
        "facts": [jsonb({})] * len(batch),
    }


def _kept(text: str) -> str:
    """As Postgres can hold it: what one caller sends must not cost the lines of others."""
    return text.encode(errors="replace").decode().replace("\0", "\ufffd")
