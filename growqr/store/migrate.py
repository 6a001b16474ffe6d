"""Bring a database to the version this code knows: schema.sql when fresh, else what is missing."""

from __future__ import annotations

import hashlib
from importlib.resources import files
from pathlib import Path
from typing import NamedTuple

import psycopg

from growqr.errors import InstanceError, StoreUnavailable

LOCK = 7_203_411_905
"""Advisory lock: of several processes that migrate at once, one does it."""


class Migration(NamedTuple):
    """One numbered file of store/migrations; `version` counts from 1."""

    version: int
    text: str

    @property
    def sha(self) -> str:
        return hashlib.sha256(self.text.encode()).hexdigest()


def migrations() -> list[Migration]:
    """All migrations in order."""
    folder = files("growqr.store") / "migrations"
    named = sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(".sql"))
    return [Migration(int(name[:4]), (folder / name).read_text(encoding="utf-8")) for name in named]


def schema() -> str:
    """The whole current schema: packed into the wheel, at the top of a checkout."""
    packed = files("growqr") / "_data" / "schema.sql"
    if packed.is_file():
        return packed.read_text(encoding="utf-8")
    return (Path(__file__).parents[2] / "schema.sql").read_text(encoding="utf-8")


async def migrate(url: str) -> int:
    """Apply what is missing in one transaction; returns the version.

    Raises InstanceError when the database is newer than this code or an applied file changed,
    StoreUnavailable when it cannot be reached.
    """
    known = migrations()
    try:
        conn = await psycopg.AsyncConnection.connect(url, connect_timeout=5)
    except psycopg.OperationalError as error:
        raise StoreUnavailable(f"cannot connect to the database: {str(error).strip()}") from None
    async with conn:
        await conn.execute("set lock_timeout = '5s'")
        await conn.execute("select pg_advisory_xact_lock(%s)", (LOCK,))
        applied = await _applied(conn)
        if applied is None:
            await conn.execute(schema().encode())
            missing, run = known, False
        else:
            _check(applied, known)
            missing, run = [m for m in known if m.version not in applied], True
        for migration in missing:
            if run:
                await conn.execute(migration.text.encode())
            await conn.execute(
                "insert into schema_version (version, sha256) values (%s, %s)",
                (migration.version, migration.sha),
            )
    return known[-1].version


async def version(url: str) -> tuple[int, int]:
    """(version of the database, version of this code); 0 for an empty database."""
    async with await psycopg.AsyncConnection.connect(url, connect_timeout=5) as conn:
        applied = await _applied(conn)
    return max(applied, default=0) if applied else 0, migrations()[-1].version


async def _applied(conn: psycopg.AsyncConnection[tuple[object, ...]]) -> dict[int, str] | None:
    found = await conn.execute("select to_regclass('schema_version')")
    row = await found.fetchone()
    if row is None or row[0] is None:
        return None
    rows = await (await conn.execute("select version, sha256 from schema_version")).fetchall()
    return {int(str(v)): str(sha) for v, sha in rows}


def _check(applied: dict[int, str], known: list[Migration]) -> None:
    newest = max(applied, default=0)
    if newest > known[-1].version:
        raise InstanceError(
            f"the database is at version {newest}, this growqr knows {known[-1].version}: "
            "install the newer growqr"
        )
    for migration in known:
        if applied.get(migration.version, migration.sha) != migration.sha:
            raise InstanceError(
                f"migration {migration.version} was changed after it was applied; "
                "restore the file, or start with an empty database"
            )
