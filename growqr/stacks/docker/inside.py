"""Runs a program inside a container that is there, as the container's own user."""

from __future__ import annotations

import time
from typing import Any

from growqr.errors import EngineUnavailable, InstanceError
from growqr.stacks.base import Ran
from growqr.stacks.docker.engine import Engine, hang_up

MOST = 4 << 20
"""Bytes of output; a program that writes more is not waited for."""


async def execute(engine: Engine, container: str, argv: tuple[str, ...], timeout: float) -> Ran:
    """Wait until it has ended. Raises InstanceError when its time is over first, Refused."""
    deadline = time.monotonic() + timeout
    late = InstanceError(f"{argv[0]} inside the service did not end within {timeout:g} s")
    opened: list[Any] = []

    def work(client: Any) -> Ran:
        order = client.api.exec_create(container, list(argv))["Id"]
        out, err = bytearray(), bytearray()
        opened.append(client.api.exec_start(order, stream=True, demux=True))
        for wrote, complained in opened[0]:
            out += wrote or b""
            err += complained or b""
            if time.monotonic() > deadline or len(out) + len(err) > MOST:
                raise late
        told = [bytes(text).decode(errors="replace") for text in (out, err)]
        return Ran(client.api.exec_inspect(order)["ExitCode"], told[0], told[1])

    try:
        ran: Ran = await engine.call(work, timeout=timeout)
    except EngineUnavailable:
        if opened and time.monotonic() >= deadline:  # the engine is well, its program is slow
            raise late from None
        raise
    finally:
        for stream in opened:
            hang_up(stream)  # a silent one would keep its thread for ever
    return ran
