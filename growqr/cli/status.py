"""`growqr status`: what runs, since when, and whether each part of it answers."""

from __future__ import annotations

import asyncio
import platform
import re
import time
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape

from growqr import __version__
from growqr.cli.output import as_json, out, seconds
from growqr.cli.up import DataOption, settings_of
from growqr.config import Settings, from_snapshot
from growqr.errors import Invalid
from growqr.instance import Record, answers
from growqr.instance.processes import is_alive
from growqr.store import Holder, open_store


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    app.command()(status)


def status(
    data: DataOption = None,
    pids: Annotated[str | None, typer.Option(help="`agents`: only their processes.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Answer in JSON.")] = False,
) -> None:
    """Show the instance's state; exit code 0 when it is ready, else 1."""
    folder = settings_of(data).data
    if pids is not None:
        _show_pids(folder, pids)
        return
    seen = inspect(folder)
    if json:
        as_json(seen)
    else:
        _show(seen)
    if seen["state"] != "ready":
        raise typer.Exit(1)


def _show_pids(folder: Path, whose: str) -> None:
    """Process ids of the agents that are awake, in one line, for `kill $(…)`."""
    if whose != "agents":
        raise Invalid(f"--pids takes agents, not {whose!r}")
    holders = asyncio.run(_awake(from_snapshot(folder / "settings.json")))
    found = [re.search(r" pid (\d+)$", holder.holder or "") for holder in holders]
    print(" ".join(match[1] for match in found if match))


async def _awake(settings: Settings) -> list[Holder]:
    async with open_store(settings, 1) as store:
        return await store.leases.live_holders()


def inspect(folder: Path) -> dict[str, Any]:
    """What `status --json` prints; `state` is the record's, or stopped, or killed."""
    versions = {"growqr": __version__, "python": platform.python_version(), "ray": version("ray")}
    record = Record.read(folder)
    if record is None or not record.running:
        state = "stopped" if record is None else "killed"
        return {"state": state, "data": folder, "versions": versions}
    return {
        "state": record.state,
        "url": record.url,
        "pid": record.pid,
        "uptime_seconds": round(time.time() - record.started_at, 1),
        "versions": versions | {"running": record.version},
        "phases": record.phases,
        "components": _components(record),
        "ports": record.ports,
        "data": folder,
    }


def _components(record: Record) -> dict[str, str]:
    server = record.children.get("postgres")
    ray = answers(f"http://127.0.0.1:{record.ports['dashboard']}/api/gcs_healthz")
    postgres = "outside" if server is None else "up" if is_alive(server) else "down"
    api = answers(f"{record.url}/readyz")
    return {"postgres": postgres, "ray": "up" if ray else "down", "api": "up" if api else "down"}


def _show(seen: dict[str, Any]) -> None:
    if "url" not in seen:
        hint = "growqr up" if seen["state"] == "stopped" else "growqr up, or growqr down"
        out.print(f"{seen['state']}: nothing runs in {escape(str(seen['data']))}  (next: {hint})")
        return
    out.print(f"{seen['state']}  {seen['url']}  pid {seen['pid']}  "
              f"up {seconds(seen['uptime_seconds'])}")  # fmt: skip
    for group in ("components", "versions", "phases"):
        out.print(f"  {group:<11}" + "  ".join(f"{k} {v}" for k, v in seen[group].items()))
    out.print(f"  {'data':<11}{escape(str(seen['data']))}")
