"""Every column that holds sealed secrets, and what it takes to seal them anew, row by row."""

from __future__ import annotations

from typing import NamedTuple

from growqr.store import sql
from growqr.store.engine import Database


class SealedColumn(NamedTuple):
    """A column; `row` and `owner` are SQL for what the sealed text is bound to besides."""

    table: str
    column: str
    row: str
    owner: str


SEALED = (
    SealedColumn("oauth_account", "tokens", "user_id || '/' || provider", "user_id"),
    SealedColumn("oauth_state", "verifier", "encode(sha, 'hex')", "coalesce(user_id, '')"),
)
"""A new table with a sealed column is one more line here."""


class SealedRow(NamedTuple):
    """One sealed text, and what it is bound to."""

    row: str
    owner: str
    sealed: str


class Sealed:
    """What is sealed with which key."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def count(self, column: SealedColumn) -> dict[str, int]:
        """Rows by the name of the key that sealed them."""
        rows = await self._db.within(self._db.run(_text("count_sealed", column), {}))
        return {str(row["kid"]): int(row["rows"]) for row in rows}

    async def others(
        self, column: SealedColumn, kid: str, *, after: str, limit: int
    ) -> list[SealedRow]:
        """Rows that another key than `kid` sealed, ascending, from the one behind `after`."""
        params = {"kid": kid, "after": after, "limit": limit}
        rows = await self._db.within(self._db.run(_text("list_sealed", column), params, SealedRow))
        return list(rows)

    async def swap(self, column: SealedColumn, seen: SealedRow, fresh: str) -> bool:
        """The fresh text over the one that was seen; False: another one is there by now."""
        params = {"row": seen.row, "old": seen.sealed, "fresh": fresh}
        return bool(await self._db.within(self._db.run(_text("swap_sealed", column), params)))


def _text(name: str, column: SealedColumn) -> str:
    text = sql.texts()[name]
    for field, value in column._asdict().items():
        text = text.replace("{" + field + "}", value)
    return text
