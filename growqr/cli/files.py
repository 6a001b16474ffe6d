"""growqr files: what lies in the workspace where your sub-agents work."""

from __future__ import annotations

import sys
from typing import Any
from urllib.parse import quote

import typer

from growqr.cli.client import Client, User, run
from growqr.cli.output import as_json as print_json


def register(app: typer.Typer) -> None:
    """Add the group of this file."""
    group = typer.Typer(help="Files of your workspace.", no_args_is_help=True)
    group.command("ls")(ls)
    group.command("cat")(cat)
    app.add_typer(group, name="files")


def ls(
    path: str = typer.Argument("", help="Folder, from the workspace's top."),
    user: str = User,
    as_json: bool = typer.Option(False, "--json", help="Answer in JSON."),
) -> None:
    """List a folder."""
    entries = run(_list(path, user))
    if as_json:
        print_json(entries)
        return
    for entry in entries:
        mark = "/" if entry["type"] == "dir" else ""
        print(f"{entry['size']:>10}  {entry['name']}{mark}")


def cat(path: str = typer.Argument(help="File."), user: str = User) -> None:
    """Write a file to standard output as it is."""
    sys.stdout.buffer.write(run(_read(path, user)))


async def _list(path: str, user: str) -> list[dict[str, Any]]:
    async with Client(user) as client:
        answer: list[dict[str, Any]] = (await client.get("/files", folder=path))["data"]
        return answer


async def _read(path: str, user: str) -> bytes:
    async with Client(user) as client:
        return await client.read(f"/files/{quote(path)}")
