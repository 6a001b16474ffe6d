"""Databases of former versions, as plain INSERTs: dumped, and loaded into a schema of that version.

python -m tests.journals.journal "$DATABASE_URL" > tests/journals/0003_what_it_shows.sql
"""

from __future__ import annotations

import asyncio
import re
import sys
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from growqr.store.migrate import migrations

FOLDER = Path(__file__).parent
TABLES = (
    "users", "stream", "lease", "thread", "turn", "message", "step", "event", "usage",
    "memory_commit", "memory_file", "sub_agent", "service", "repo", "decision", "timer",
)  # fmt: skip
"""In the order in which rows may refer to each other."""

CLOCKS = {"turn": "deadline_at", "decision": "expires_at", "timer": "due"}
"""Times that lie ahead: they still do when a journal is read years later."""


def journals() -> list[Path]:
    """All of them; the name begins with the schema version."""
    return sorted(FOLDER.glob("[0-9]*.sql"))


async def load(url: str, file: Path) -> None:
    """Make the schema of the journal's version in an empty place, and fill it."""
    version, rows = int(file.name[:4]), await asyncio.to_thread(file.read_bytes)
    async with await psycopg.AsyncConnection.connect(url) as conn:
        for migration in migrations():
            if migration.version <= version:
                await conn.execute(migration.text.encode())
                await conn.execute(
                    "insert into schema_version (version, sha256) values (%s, %s)",
                    (migration.version, migration.sha),
                )
        await conn.execute(rows)
        for table, column in CLOCKS.items():
            if await _has(conn, table):
                await conn.execute(
                    sql.SQL(
                        "update {table} set {column} = {column} + (clock_timestamp() - made.at) "
                        "from (select max(time) as at from event) as made"
                    ).format(table=sql.Identifier(table), column=sql.Identifier(column))
                )


async def dump(url: str) -> str:
    """All rows that count, as statements that any later version can be given."""
    lines: list[str] = []
    async with await psycopg.AsyncConnection.connect(url) as conn:
        for table in TABLES:
            if not await _has(conn, table):
                continue
            found = await conn.execute(
                "select column_name from information_schema.columns where table_name = %s "
                "and table_schema = current_schema() and is_generated = 'NEVER' "
                "order by ordinal_position",
                (table,),
            )
            columns = [str(name) for (name,) in await found.fetchall()]
            texts = sql.SQL(", ").join(
                sql.SQL("{}::text").format(sql.Identifier(c)) for c in columns
            )
            rows = await conn.execute(
                sql.SQL("select {} from {} order by 1").format(texts, sql.Identifier(table))
            )
            for row in await rows.fetchall():
                values = ", ".join(sql.Literal(value).as_string(conn) for value in row)
                lines.append(f"insert into {table} ({', '.join(columns)}) values\n  ({values});")
    return "\n".join(lines) + "\n"


async def _has(conn: psycopg.AsyncConnection[Any], table: str) -> bool:
    found = await (await conn.execute("select to_regclass(%s)", (table,))).fetchone()
    return bool(found and found[0])


if __name__ == "__main__":
    print(re.sub(r"\n+$", "", asyncio.run(dump(sys.argv[1]))))
