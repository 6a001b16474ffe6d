"""`growqr broker`: the one process that speaks to Docker, where the instance itself should not."""

from __future__ import annotations

import asyncio
import signal

import typer

from growqr import logs
from growqr.cli.output import err
from growqr.cli.up import DataOption, settings_of
from growqr.config import Settings
from growqr.errors import InstanceError
from growqr.instance import instance_id

POLL = 0.5


def register(app: typer.Typer) -> None:
    """Add the command of this file."""
    app.command()(broker)


def broker(data: DataOption = None) -> None:
    """Serve services of users at GROWQR_BROKER until ended; only it needs Docker's socket."""
    settings = settings_of(data)
    if settings.broker is None:
        raise InstanceError("set GROWQR_BROKER to the path of the socket, for `growqr up` as well")
    if settings.port == 0:
        raise InstanceError("a broker needs the instance's port: set GROWQR_PORT, for both")
    logs.configure(settings.log_level, logs.secrets_of(settings))
    asyncio.run(_run(settings))


async def _run(settings: Settings) -> None:
    """Until a signal comes; services run on."""
    from growqr.stacks.broker.server import serving  # what no other command needs
    from growqr.stacks.docker.runtime import DockerRuntime

    ended = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    if (instance := await _instance(settings, ended)) is None:
        return
    runtime = DockerRuntime(settings, instance)
    try:
        async with serving(settings, runtime):
            err.print(f"serving {settings.broker}")
            await ended.wait()
    finally:
        await runtime.close()


async def _instance(settings: Settings, ended: asyncio.Event) -> str | None:
    """The id that the first `growqr up` gives the data folder; None when ended before."""
    told = False
    while not ended.is_set():
        try:
            return instance_id(settings.data)
        except FileNotFoundError:
            if not told:
                err.print(f"waiting for `growqr up` in {settings.data}")
            told = True
        except OSError as error:
            raise InstanceError(f"cannot read {settings.data}: {error.strerror}") from None
        await asyncio.sleep(POLL)
    return None
