"""schema.sql and the migrations make the same database; states mean the same in SQL and code."""

from __future__ import annotations

import asyncio
import re

import psycopg
import pytest

from growqr.errors import InstanceError, StoreUnavailable
from growqr.states import StepState, TurnState
from growqr.store import migrate, version
from growqr.store.migrate import migrations, schema
from tests.conftest import in_schema

pytestmark = pytest.mark.anyio


async def test_schema_equals_all_migrations(postgres_url: str):
    async with await psycopg.AsyncConnection.connect(postgres_url, autocommit=True) as conn:
        for name in ("eq_whole", "eq_steps"):
            await conn.execute(f"drop schema if exists {name} cascade".encode())
            await conn.execute(f"create schema {name}".encode())
        await conn.execute("set search_path to eq_whole")
        await conn.execute(schema().encode())
        await conn.execute("set search_path to eq_steps")
        for migration in migrations():
            await conn.execute(migration.text.encode())
        try:
            assert await _columns(conn, "eq_whole") == await _columns(conn, "eq_steps")
        finally:
            await conn.execute("drop schema eq_whole, eq_steps cascade")


async def _columns(conn: psycopg.AsyncConnection, name: str) -> list[tuple]:
    """Everything that pg_dump would write of a schema, its name apart."""
    texts: list[tuple] = []
    for query in (
        "select table_name, ordinal_position, column_name, data_type, is_nullable, column_default,"
        " generation_expression from information_schema.columns where table_schema = %s",
        "select indexdef from pg_indexes where schemaname = %s",
        "select conrelid::regclass::text, conname, pg_get_constraintdef(oid) from pg_constraint"
        " where connamespace = %s::regnamespace",
        "select relname, reloptions::text from pg_class where relnamespace = %s::regnamespace",
        "select proname, prosrc from pg_proc where pronamespace = %s::regnamespace",
    ):
        rows = await (await conn.execute(query, (name,))).fetchall()
        texts += [tuple(re.sub(rf"\b{name}\.", "", str(v)) for v in row) for row in rows]
    return sorted(texts)


async def test_migrating_twice_and_at_once_is_once(postgres_url: str):
    async with await psycopg.AsyncConnection.connect(postgres_url, autocommit=True) as conn:
        await conn.execute("drop schema if exists mig_once cascade")
        await conn.execute("create schema mig_once")
        url = in_schema(postgres_url, "mig_once")
        try:
            newest = migrations()[-1].version
            assert await asyncio.gather(*(migrate(url) for _ in range(3))) == [newest] * 3
            assert await version(url) == (newest, newest)
        finally:
            await conn.execute("drop schema mig_once cascade")


async def test_a_newer_database_is_refused(database_url: str):
    async with await psycopg.AsyncConnection.connect(database_url, autocommit=True) as conn:
        await conn.execute("insert into schema_version (version, sha256) values (9999, 'x')")
    with pytest.raises(InstanceError, match="9999"):
        await migrate(database_url)


async def test_an_unreachable_database_is_one_clear_error():
    with pytest.raises(StoreUnavailable):
        await migrate("postgresql://nobody:nothing@127.0.0.1:1/none")


@pytest.mark.parametrize(
    ("table", "states"), [("turn", list(TurnState)), ("step", list(StepState))]
)
async def test_sql_and_code_know_the_same_states(database_url: str, table: str, states: list[str]):
    async with await psycopg.AsyncConnection.connect(database_url) as conn:
        cursor = await conn.execute(
            "select pg_get_constraintdef(oid) from pg_constraint"
            " where conrelid = %s::regclass and conname like '%%state%%'",
            (table,),
        )
        row = await cursor.fetchone()
    assert row is not None
    assert set(re.findall(r"'(\w+)'", row[0])) == set(states)
