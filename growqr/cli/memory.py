"""growqr memory: the user's files, as the API gives them, and where their repository is."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any
from urllib.parse import quote

import typer

from growqr import config
from growqr.cli.client import Client, User, run
from growqr.errors import InstanceError, Invalid
from growqr.memory import repository
from growqr.names import LOCAL_USER, local_user_id

_Json = typer.Option(False, "--json", help="One JSON object per line.")


def register(app: typer.Typer) -> None:
    """Add `memory ls|get|put|log|path`."""
    group = typer.Typer(help="Your long-term memory.", no_args_is_help=True)
    for command, name in ((ls, "ls"), (get, "get"), (put, "put"), (log, "log"), (path, "path")):
        group.command(name)(command)
    app.add_typer(group, name="memory")


def ls(
    prefix: str = typer.Argument("", help="Only paths that begin with this."),
    user: str = User,
    as_json: bool = _Json,
) -> None:
    """List files: size, commit, path."""

    async def work() -> None:
        async with Client(user) as client:
            async for file in _pages(client, "/memory", prefix=prefix):
                short = (file.get("commit") or "pending")[:8]
                print(_row(file, as_json, f"{file['size']:>9}  {short:8}  {file['path']}"))

    run(work())


def get(
    file: str = typer.Argument(help="Path of the file."), user: str = User, as_json: bool = _Json
) -> None:
    """Print a file."""

    async def work() -> None:
        async with Client(user) as client:
            found = await client.get(f"/memory/{quote(file)}")
            print(_row(found, as_json, found["content"]), end="\n" if as_json else "")

    run(work())


def put(
    file: str = typer.Argument(help="Path to write."),
    source: str = typer.Argument("-", help="File on this machine; - is standard input."),
    user: str = User,
    as_json: bool = _Json,
) -> None:
    """Write a file."""

    async def work() -> None:
        async with Client(user) as client:
            written = await client.put(f"/memory/{quote(file)}", {"content": _read(source)})
            print(_row(written, as_json, f"{written.get('commit') or 'pending'}  {file}"))

    run(work())


def log(
    file: str = typer.Argument(help="Path of the file."), user: str = User, as_json: bool = _Json
) -> None:
    """List the writes of a file, newest first."""

    async def work() -> None:
        async with Client(user) as client:
            async for row in _pages(client, f"/memory/{quote(file)}/history"):
                short = (row.get("commit") or "pending")[:8]
                when = str(row.get("at", ""))[:19]
                subject = str(row.get("message", "")).split("\n", 1)[0]
                print(_row(row, as_json, f"{short:8}  {when}  {row.get('author')}  {subject}"))

    run(work())


def path(user: str = User) -> None:
    """Print the folder of your bare git repository, for git -C."""
    if config.client_target():
        raise InstanceError("the repository is on the instance's machine, which GROWQR_URL names")
    if not LOCAL_USER.fullmatch(user):
        raise Invalid(f"user name {user!r} must match {LOCAL_USER.pattern}")
    folder = repository(config.load(), local_user_id(user))
    print(folder)
    if not folder.exists():
        print("growqr: nothing has been committed there yet", file=sys.stderr)
        raise typer.Exit(1)


async def _pages(client: Client, route: str, **params: Any) -> Any:
    """Every entry of a list, page by page."""
    cursor: dict[str, Any] = {}
    while True:
        page = await client.get(route, limit=100, **params, **cursor)
        for entry in page["data"]:
            yield entry
        if not page.get("next_cursor"):
            return
        cursor = {"cursor": page["next_cursor"]}


def _row(entry: dict[str, Any], as_json: bool, text: str) -> str:
    return json.dumps(entry, ensure_ascii=False) if as_json else text


def _read(source: str) -> str:
    try:
        return sys.stdin.read() if source == "-" else Path(source).read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise Invalid(f"cannot read {source} as text: {error}") from None
