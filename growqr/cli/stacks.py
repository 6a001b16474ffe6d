"""growqr stacks: the services of users, as the instance last saw them."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer
from rich.table import Table

from growqr.cli.output import as_json, out
from growqr.cli.up import DataOption, settings_of
from growqr.config import Settings, from_snapshot
from growqr.store import Service, open_store


def register(app: typer.Typer) -> None:
    """Add the group of this file."""
    group = typer.Typer(help="Services of users.", no_args_is_help=True)
    group.command("ls")(ls)
    group.callback()(lambda: None)
    app.add_typer(group, name="stacks")


def ls(
    data: DataOption = None,
    json: Annotated[bool, typer.Option("--json", help="Answer in JSON.")] = False,
) -> None:
    """List every service: wanted, seen, where, and why not."""
    services = asyncio.run(_all(from_snapshot(settings_of(data).data / "settings.json")))
    if json:
        as_json([service._asdict() for service in services])
        return
    table = Table("user", "service", "wanted", "state", "generation", "address", "reason")
    for s in services:
        row = (s.user_id, s.role, s.desired, s.state, str(s.generation), s.address, s.reason)
        table.add_row(*(cell or "" for cell in row))
    out.print(table)


async def _all(settings: Settings) -> list[Service]:
    async with open_store(settings, 1) as store:
        return await store.services.newest(1000)
