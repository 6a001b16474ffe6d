"""`growqr keys`: the keys that secrets at rest are sealed with. No key is shown but a fresh one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import typer

from growqr.cli.db import instance_settings, running_settings, with_store
from growqr.cli.output import as_json, err, out
from growqr.cli.up import DataOption
from growqr.errors import InstanceError, SecretUnreadable

if TYPE_CHECKING:
    from growqr.config import Settings
    from growqr.identity import KeyRing
    from growqr.store import SealedColumn, SealedRow, Store

T = TypeVar("T")
BATCH = 50
"""Rows that are read at once, to be sealed anew one by one."""

_Json = typer.Option(False, "--json", help="Answer in JSON.")


def register(app: typer.Typer) -> None:
    """Add `keys ls|new|rotate`."""
    group = typer.Typer(help="Keys that secrets at rest are sealed with.", no_args_is_help=True)
    for command, name in ((ls, "ls"), (new, "new"), (rotate, "rotate")):
        group.command(name)(command)
    app.add_typer(group, name="keys")


def new() -> None:
    """Print a fresh key for ENCRYPTION_KEY."""
    from growqr.identity import new_key

    print(new_key())


def ls(data: DataOption = None, json: bool = _Json) -> None:
    """List the keys by name: which one seals, and how many rows each has sealed."""

    async def work(store: Store, ring: KeyRing) -> None:
        rows = await _keys(store, ring)
        if json:
            return as_json({"source": ring.source, "keys": rows})
        for row in rows:
            out.print(f"{row['kid']}  {row['state']:<7}  {row['rows']:>7} rows", markup=False)

    _run(data, work)


def rotate(data: DataOption = None, json: bool = _Json) -> None:
    """Seal every secret anew with the first key; a ring in the data folder gets a fresh one first.

    Exit code 1: a secret could not be opened, and stays as it is; or the running instance has not
    heard of the first key yet, and nothing was changed.
    """
    _check_running(instance_settings(data))
    unreadable = _run(data, lambda store, ring: _rotate(store, ring, json=json))
    if unreadable:
        raise typer.Exit(1)


def _check_running(settings: Settings) -> None:
    """Whoever runs must open what is sealed anew: its keys are those it was started with."""
    from growqr.identity import KeyRing

    running, ring = running_settings(settings.data), KeyRing(settings)
    if running is not None and ring.active not in KeyRing(running).kids:
        raise InstanceError(
            f"the running instance does not have the key {ring.active} yet: start it anew with "
            "this ENCRYPTION_KEY (`growqr down`, `growqr up`), then rotate"
        )


async def _rotate(store: Store, ring: KeyRing, *, json: bool) -> int:
    """How many secrets could not be opened."""
    from growqr.store import OPERATOR, SEALED

    fresh = ring.rotate()
    counts: Counter[str] = Counter(resealed=0, changed=0, unreadable=0)
    for column in SEALED:
        counts += await reseal(store, ring, column)
    await store.audit.note(OPERATOR, "keys.rotated", ring.active, **counts)
    rows = await _keys(store, ring)
    spare = [row["kid"] for row in rows if row["state"] == "opens" and not row["rows"]]
    told = {key: counts[key] for key in ("resealed", "changed", "unreadable")}
    if json:
        as_json({"active": ring.active, "new_key": fresh, **told, "spare": spare})
        return counts["unreadable"]
    summary = f"{told['resealed']} rows anew, {told['changed']} changed meanwhile"
    out.print(f"{ring.active} seals now: {summary}, {told['unreadable']} unreadable", markup=False)
    if spare:
        needless = f"no row needs {', '.join(spare)} any more, but older backups do"
        err.print(f"{needless}; without these it can go from {ring.source}", markup=False)
    return counts["unreadable"]


async def reseal(store: Store, ring: KeyRing, column: SealedColumn) -> Counter[str]:
    """Every row of the column that another key sealed, in small batches, each row on its own."""
    counts: Counter[str] = Counter()
    after, active = "", ring.active
    while batch := await store.sealed.others(column, active, after=after, limit=BATCH):
        for row in batch:
            counts[await _reseal_row(store, ring, column, row)] += 1
        after = batch[-1].row
    return counts


async def _reseal_row(store: Store, ring: KeyRing, column: SealedColumn, row: SealedRow) -> str:
    """What came of it: whoever changes a row meanwhile seals it with the active key anyway."""
    from growqr.identity import Place

    place = Place(column.table, row.row, column.column, row.owner)
    try:
        fresh = ring.seal(ring.unseal(row.sealed, place), place)
    except SecretUnreadable as error:
        err.print(f"{column.table} {row.row}: {error.message}", markup=False)
        return "unreadable"
    return "resealed" if await store.sealed.swap(column, row, fresh) else "changed"


async def _keys(store: Store, ring: KeyRing) -> list[dict[str, Any]]:
    """The keys in their order, then those that rows name and the ring has not."""
    from growqr.store import SEALED

    rows: Counter[str] = Counter()
    for column in SEALED:
        rows.update(await store.sealed.count(column))
    kids = ring.kids
    states = {kid: "opens" for kid in kids} | {kids[0]: "active"}
    states |= {kid: "missing" for kid in sorted(rows) if kid not in states}
    return [{"kid": kid, "state": state, "rows": rows[kid]} for kid, state in states.items()]


def _run(data: Path | None, work: Callable[[Store, KeyRing], Awaitable[T]]) -> T:
    from growqr.identity import KeyRing

    settings = instance_settings(data)
    ring = KeyRing(settings)
    return with_store(settings, lambda store: work(store, ring))
