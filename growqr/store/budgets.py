"""Budgets: what was spent, by a turn with all it delegated, by a user's day and by an API key's.

When somebody allows more, as much again may be spent from there on: on a day up to the hard cap,
which nobody but an admin moves.
"""

from __future__ import annotations

from typing import NamedTuple, Self

from growqr.config import Settings
from growqr.store.engine import Database


class BudgetLimits(NamedTuple):
    """What may be spent before a person must allow more, and on a day at most; 0: no limit."""

    turn_tokens: float = 0
    turn_usd: float = 0
    turn_seconds: float = 0
    day_tokens: float = 0
    day_usd: float = 0
    day_seconds: float = 0
    hard_day_tokens: float = 0
    hard_day_usd: float = 0

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """The settings `budget_…`."""
        return cls(*(getattr(settings, f"budget_{name}") for name in cls._fields))


class Budget(NamedTuple):
    """One limit and what it has come to.

    `scope` is "turn:<root turn>", "day:<YYYY-MM-DD>:<user>" or "key:<API key>:<YYYY-MM-DD>",
    `unit` tokens, usd or seconds.
    `limit` counts what was granted; 0: there is none. `hard`: nobody but an admin allows more.
    As a string: what a person is told of one that is spent.
    """

    scope: str
    unit: str
    limit: float
    spent: float
    hard: bool = False

    @property
    def over(self) -> bool:
        """Whether it is spent."""
        return bool(self.limit) and self.spent >= self.limit

    def __str__(self) -> str:
        who = _WHO[self.scope.partition(":")[0]]
        amounts = _AMOUNTS[self.unit].format(spent=self.spent, limit=self.limit)
        return f"{who} used {amounts}; {'an admin' if self.hard else 'somebody'} must allow more"


_WHO = {"turn": "this turn has", "day": "today you have", "key": "this API key has"}
_AMOUNTS = {
    "tokens": "{spent:,.0f} of {limit:,.0f} tokens",
    "usd": "{spent:,.2f} of {limit:,.2f} US dollars",
    "seconds": "{spent:,.0f} of {limit:,.0f} s of model time",
}


class _Spent(NamedTuple):
    scope: str
    unit: str
    base: float | None
    spent: float
    granted: float
    cap: float | None


class Budgets:
    """Reads the ledger and what was granted, in one statement."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def exceeded(
        self, user_id: str, turn_id: str | None, limits: BudgetLimits
    ) -> Budget | None:
        """The first budget that is spent: the turn's, the day's, the API key's; None: go on.

        A turn and what was delegated from it have one budget, whichever of them asks. A key's
        own limit and a user's own caps hold whatever `limits` are.
        """
        return next((one for one in await self._read(user_id, turn_id, limits) if one.over), None)

    async def spent(self, user_id: str, limits: BudgetLimits) -> list[Budget]:
        """What the user has spent today (UTC), in every unit."""
        return await self._read(user_id, None, limits)

    async def _read(self, user_id: str, turn_id: str | None, limits: BudgetLimits) -> list[Budget]:
        rows = await self._db.all("spent", _Spent, user=user_id, turn=turn_id)
        return [_budget(row, limits) for row in rows]


def _budget(row: _Spent, limits: BudgetLimits) -> Budget:
    base = row.base
    if base is None:
        base = float(getattr(limits, f"{row.scope.partition(':')[0]}_{row.unit}"))
    limit, cap = base + row.granted if base else 0.0, row.cap
    if cap is None and row.scope.startswith("day:"):
        cap = float(getattr(limits, f"hard_day_{row.unit}", 0))
    hard = bool(cap) and not 0 < limit < (cap or 0)
    return Budget(row.scope, row.unit, cap or 0 if hard else limit, row.spent, hard)
