"""`growqr up` and `growqr down`: the instance of a data folder, started and ended as a whole."""

from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path
from typing import Annotated, Any

import typer

from growqr import instance
from growqr.cli.output import Progress, as_json, err, out, seconds
from growqr.cli.tools import Fetching
from growqr.config import Providers, Settings, child_environment, from_snapshot, load
from growqr.errors import GrowqrError, InstanceError
from growqr.identity import check_profile, ensure_key
from growqr.instance import Record
from growqr.stacks import end_containers

DataOption = Annotated[Path | None, typer.Option("--data", help="Data folder of the instance.")]


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    app.command()(up)
    app.command()(down)


def settings_of(data: Path | None, port: int | None = None) -> Settings:
    """Settings from options, environment and `.env`. Raises InstanceError on a wrong one."""
    chosen: dict[str, Any] = {}
    if data is not None:
        chosen["data"] = data
    if port is not None:
        chosen["port"] = port
    return load(**chosen)


def providers() -> Providers:
    """Keys of model providers from the environment and `.env`."""
    return Providers()  # type: ignore[call-arg]  # read from the environment


def up(
    port: Annotated[int | None, typer.Option(help="First port; 0: a free block.")] = None,
    data: DataOption = None,
    foreground: Annotated[bool, typer.Option(help="Stay here, log to the terminal.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Answer in JSON.")] = False,
) -> None:
    """Start the instance and wait until it answers."""
    settings, begin = settings_of(data, port), time.monotonic()
    check_profile(settings)
    _check_doors(settings)
    asyncio.run(_check_models(settings))
    planned = instance.plan(settings, providers())
    if planned is None:
        with Fetching(settings, silent=json), Progress(silent=json) as progress:
            record = instance.follow(settings.data, progress)
        _tell(record, json, "already running", settings.data)
        return
    ensure_key(planned.settings)
    if foreground:
        with Fetching(settings):
            pass
        _become_daemon(planned)
    if not json:
        err.print(f"starting growqr in {settings.data}")
    try:
        with Fetching(settings, silent=json), Progress(silent=json) as progress:
            record = instance.start(planned, progress)
    except (KeyboardInterrupt, InstanceError):
        instance.stop(settings.data)  # a start that is given up leaves nothing running
        _end_containers(settings.data)
        raise
    _tell(record, json, f"ready in {seconds(time.monotonic() - begin)}", settings.data)


def _check_doors(settings: Settings) -> None:
    """Raises InstanceError naming the setting by which nobody could sign in, here not later."""
    from growqr.identity import KeyRing, open_providers, open_verifier

    open_verifier(settings)
    open_providers(settings)
    if settings.encryption_key:
        KeyRing(settings)


async def _check_models(settings: Settings) -> None:
    """Raises InstanceError naming the setting when a chosen model provider cannot be had."""
    from growqr.models import Chain  # costs what other commands need not pay

    await Chain.open(settings, providers()).close()


def down(
    data: DataOption = None,
    json: Annotated[bool, typer.Option("--json", help="Answer in JSON.")] = False,
) -> None:
    """End the instance and everything that belongs to it; its data stays."""
    settings, begin = settings_of(data), time.monotonic()
    stopped = instance.stop(settings.data)
    _end_containers(settings.data)
    if json:
        as_json({"stopped": stopped, "data": settings.data})
    elif stopped:
        out.print(f"stopped in {seconds(time.monotonic() - begin)}")
    else:
        out.print(f"nothing runs in {settings.data}")


def _end_containers(data: Path) -> None:
    """Those of the instance as it ran; an engine that is away keeps them until the next time."""
    snapshot = data / "settings.json"
    if not snapshot.exists():
        return
    try:
        end_containers(from_snapshot(snapshot), instance.instance_id(data))
    except GrowqrError as error:
        err.print(f"note: containers of users stay: {error.message}", markup=False)


def _become_daemon(planned: instance.Plan) -> None:
    os.set_inheritable(planned.lock, True)
    argv = instance.command(planned)
    os.execve(argv[0], argv, child_environment(planned.settings))  # noqa: S606


def _tell(record: Record, json: bool, how: str, data: Path) -> None:
    from growqr.cli.link import sign_in_link  # which needs what stands above

    running = from_snapshot(data / "settings.json")
    link = sign_in_link(running) if running.has_local_issuer else running.site_url
    if json:
        as_json({"state": record.state, "url": record.url, "pid": record.pid, "sign_in": link,
                 "phases": record.phases, "ports": record.ports})  # fmt: skip
        return
    out.print(f"{record.url}  ({how})")
    out.print(f"sign in: {link}", markup=False)
    out.print('next: growqr chat "hello"')
