"""`growqr logs`: the end of the instance's log files, and what is added to them."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer

from growqr.cli.up import DataOption, settings_of
from growqr.errors import InstanceError
from growqr.instance.child import tail
from growqr.instance.folder import ray_folder


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    app.command()(logs)


def logs(
    name: Annotated[str, typer.Argument(help="Log to show; `list` names them all.")] = "growqr",
    follow: Annotated[bool, typer.Option("-f", "--follow", help="Go on as it grows.")] = False,
    lines: Annotated[int, typer.Option("-n", help="Lines to begin with.")] = 50,
    data: DataOption = None,
) -> None:
    """Show a log: growqr, postgres, ray, schema, deploy, or one of Serve's."""
    found = log_files(settings_of(data).data)
    if name == "list":
        for known, path in found.items():
            print(f"{known:<40} {path}")
        return
    if name not in found:
        raise InstanceError(f"no log {name!r}; there are: {', '.join(found) or 'none yet'}")
    print(tail(found[name], lines))
    if follow:
        _follow(found[name])


def log_files(data: Path) -> dict[str, Path]:
    """Name → file of every log of the instance, Serve's replicas included."""
    ours = sorted((data / "logs").glob("*.log"))
    if not (data / "instance_id").exists():
        return {path.stem: path for path in ours}
    session = ray_folder(data) / "r" / "session_latest" / "logs" / "serve"
    return {path.stem: path for path in [*ours, *sorted(session.glob("*.log"))]}


def _follow(path: Path) -> None:
    with path.open(errors="replace") as file:
        file.seek(0, 2)
        while True:
            if text := file.read():
                print(text, end="", flush=True)
            else:
                time.sleep(0.2)
