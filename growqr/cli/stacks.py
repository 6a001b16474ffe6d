"""growqr stacks: the services of users, as the instance last saw them, and wishes about them.

All of it goes through the database: only the Host talks to what runs the services.
"""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

import typer
from rich.table import Table

from growqr.cli.db import instance_settings
from growqr.cli.output import as_json, out, tabular
from growqr.cli.stack_wishes import gc, restart, rm
from growqr.cli.stacks_of import Json, UserOption, known, named, user_id_of
from growqr.cli.up import DataOption
from growqr.config import Settings
from growqr.store import Service, open_store

EVENTS = 10
"""How many of the last events `inspect` shows."""


def register(app: typer.Typer) -> None:
    """Add the group of this file."""
    group = typer.Typer(help="Services of users.", no_args_is_help=True)
    for command in (ls, inspect, restart, rm, gc):
        group.command()(command)
    app.add_typer(group, name="stacks")


def ls(data: DataOption = None, user: UserOption = None, json: Json = False) -> None:
    """List services: wanted, seen, where, and why not."""
    settings = instance_settings(data)
    services = asyncio.run(_all(settings, user and user_id_of(user)))
    if json:
        as_json([service._asdict() for service in services])
        return
    table = Table("user", "service", "wanted", "state", "generation", "address", "reason")
    for s in services:
        row = (s.user_id, s.role, s.desired, s.state, str(s.generation), s.address, s.reason)
        table.add_row(*(cell or "" for cell in row))
    tabular(table)


def inspect(
    name: Annotated[str, typer.Argument(help="A user, or the name of a service.")],
    data: DataOption = None,
    json: Json = False,
) -> None:
    """Show all that is known of a user's services, and what became of them of late."""
    settings = instance_settings(data)
    user_id, role = named(name)
    found, events = asyncio.run(_inspected(settings, user_id, role))
    if json:
        as_json([service._asdict() | {"events": events[service.role]} for service in found])
        return
    for service in found:
        out.print(f"{settings.stack_prefix}-{service.role}-{user_id}", markup=False, style="bold")
        for field, value in service._asdict().items():
            if field not in ("user_id", "role") and value not in (None, [], ""):
                shown = ", ".join(map(str, value)) if isinstance(value, list) else value
                out.print(f"  {field:<11}{shown}", markup=False)
        for event in events[service.role]:
            out.print(f"  {_line(event)}", markup=False)


async def _all(settings: Settings, user_id: str | None) -> list[Service]:
    async with open_store(settings, 1) as store:
        if user_id is not None:
            return await store.services.of(user_id)
        return await store.services.newest(1000)


async def _inspected(
    settings: Settings, user_id: str, role: str | None
) -> tuple[list[Service], dict[str, list[dict[str, Any]]]]:
    async with open_store(settings, 1) as store:
        found = await known(store, user_id, role)
        events = await store.events.of_services(user_id, limit=EVENTS * 5)
    by_role = {
        service.role: [
            {"time": event.time, "type": event.type, "actor": event.actor} | event.data
            for event in events
            if event.data.get("role") == service.role
        ][:EVENTS]
        for service in found
    }
    return found, by_role


def _line(event: dict[str, Any]) -> str:
    facts = {k: v for k, v in event.items() if k not in ("time", "type", "actor", "role") and v}
    told = ", ".join(f"{key} {value}" for key, value in facts.items())
    actor = f" by {event['actor']}" if event["actor"] else ""
    return f"{event['time']:%Y-%m-%d %H:%M:%S} {event['type']}{actor}  {told}"
