"""Every column that holds sealed secrets, and what it takes to seal them anew, row by row."""

from __future__ import annotations

from typing import Any, NamedTuple

from growqr.store import sql
from growqr.store.engine import Database, execute


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
        rows = await self._do("count_sealed", column)
        return {str(row["kid"]): int(row["rows"]) for row in rows}

    async def others(
        self, column: SealedColumn, kid: str, *, after: str, limit: int
    ) -> list[SealedRow]:
        """Rows that another key than `kid` sealed, ascending, from the one behind `after`."""
        return await self._do("list_sealed", column, SealedRow, kid=kid, after=after, limit=limit)

    async def swap(self, column: SealedColumn, seen: SealedRow, fresh: str) -> bool:
        """The fresh text over the one that was seen; False: another one is there by now."""
        own = {"row": seen.row, "old": seen.sealed, "fresh": fresh}
        return bool(await self._do("swap_sealed", column, dict, **own))

    async def _do(
        self, name: str, column: SealedColumn, into: type[Any] = dict, **params: Any
    ) -> list[Any]:
        """The named statement, made for this column."""
        text = sql.texts()[name]
        for field, value in column._asdict().items():
            text = text.replace("{" + field + "}", value)

        async def steps() -> list[Any]:
            async with self._db.transaction(name) as conn:
                return await execute(conn, text, params, into)

        return await self._db.within(steps())
