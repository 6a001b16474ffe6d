"""`growqr doctor`: every need of an instance, with the remedy where one is missing."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Annotated

import typer

from growqr.cli import tools
from growqr.cli.output import as_json, out
from growqr.cli.up import DataOption, providers, settings_of
from growqr.config import Settings, from_snapshot, provider_keys
from growqr.errors import GrowqrError
from growqr.instance import Check, Record, check_machine, exposure
from growqr.stacks.docker.examine import examine

_SIGNS = {True: "ok", False: "FAIL", None: "note"}


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    app.command()(doctor)


def doctor(
    data: DataOption = None,
    json: Annotated[bool, typer.Option("--json", help="Answer in JSON.")] = False,
) -> None:
    """Check the machine and the running instance; exit code 1 when something fails."""
    settings = settings_of(data)
    record = Record.read(settings.data)
    # What runs was given its keys at its start; what does not would take them from here.
    keys = provider_keys(settings) if record and record.running else providers()
    runs = bool(record and record.running)
    chosen = from_snapshot(settings.data / "settings.json") if runs else settings
    services = [*tools.checks(chosen), *examine(chosen)]
    checks = [*check_machine(settings, keys), *services, *_live(settings)]
    if json:
        as_json([check._asdict() for check in checks])
    else:
        for check in checks:
            _show(check)
    if any(check.ok is False for check in checks):
        raise typer.Exit(1)


def _live(settings: Settings) -> Iterator[Check]:
    """Checks of what runs: nothing when nothing does."""
    record = Record.read(settings.data)
    if record is not None and record.running:
        settings = from_snapshot(settings.data / "settings.json")
        yield from exposure(settings, record)
    if settings.database_url is not None:
        yield _database(settings, settings.database_url.get_secret_value())


def _database(settings: Settings, url: str) -> Check:
    from growqr.store import open_store, version  # costs what other commands need not pay

    async def versions() -> tuple[int, int]:
        async with open_store(settings) as store:
            await store.health()
        return await version(url)

    try:
        found, known = asyncio.run(versions())
    except GrowqrError as error:
        return Check("database", False, error.message, "growqr logs postgres; growqr db upgrade")
    fix = "growqr db upgrade" if found < known else "install the growqr that made it"
    return Check("database", found == known, f"schema version {found}, growqr's is {known}", fix)


def _show(check: Check) -> None:
    out.print(f"{_SIGNS[check.ok]:<5}{check.name:<11}{check.found}", markup=False)
    if check.fix and check.ok is not True:
        out.print(f"{'':<16}{check.fix}", markup=False)
