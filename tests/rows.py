"""What stands in the tables, read and moved past the store: no test waits for a clock."""

from __future__ import annotations

from typing import Any

import psycopg


async def rows(url: str, statement: str, *values: Any) -> list[tuple[Any, ...]]:
    """The rows of one statement, committed."""
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as conn:
        done = await conn.execute(statement.encode(), values)
        return await done.fetchall() if done.description else []
