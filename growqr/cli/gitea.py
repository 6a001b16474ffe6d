"""growqr gitea: how a user signs in at the Gitea that shows memory and repositories."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

from growqr.cli.db import instance_settings
from growqr.cli.output import as_json, out
from growqr.cli.stacks_of import Json, user_id_of
from growqr.cli.up import DataOption
from growqr.config import Settings
from growqr.instance import instance_id
from growqr.memory import Login, login
from growqr.stacks import Inside, open_runtime
from growqr.store import open_store


def register(app: typer.Typer) -> None:
    """Add the command of this file."""
    app.command()(gitea)


def gitea(
    user: Annotated[str, typer.Option(help="Whose Gitea.")] = "owner",
    data: DataOption = None,
    json: Json = False,
) -> None:
    """Print the address of your Gitea, and the name and password to sign in with."""
    found = asyncio.run(_login(instance_settings(data), user_id_of(user)))
    if json:
        as_json(found._asdict())
        return
    out.print(f"{found.url}  user {found.name}  password {found.password}", markup=False)


async def _login(settings: Settings, user_id: str) -> Login:
    """Starts the user's own server where it does not run. Raises InstanceError, Unavailable."""
    runtime = open_runtime(settings, instance_id(settings.data))
    inside = runtime if isinstance(runtime, Inside) else None
    async with open_store(settings, 1) as store:
        return await login(store, settings, inside, user_id)
