"""The commit floor: a turn's smallest transaction on one connection to the same database."""

from __future__ import annotations

from types import TracebackType
from typing import Any, Self

import psycopg


class Commits:
    """Writes an event and a state per call, durably, in a table of its own."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._conn: psycopg.AsyncConnection[Any] | None = None

    async def __aenter__(self) -> Self:
        self._conn = await psycopg.AsyncConnection.connect(self._url, autocommit=True)
        await self._conn.execute("create temporary table floor_state (n int)")
        await self._conn.execute("create table if not exists bench_floor (n int, body text)")
        return self

    async def turn(self) -> None:
        """One durable transaction of two statements."""
        assert self._conn
        async with self._conn.transaction():
            await self._conn.execute("insert into bench_floor values (1, repeat('x', 300))")
            await self._conn.execute("insert into floor_state values (1)")

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._conn
        await self._conn.execute("drop table bench_floor")
        await self._conn.close()
