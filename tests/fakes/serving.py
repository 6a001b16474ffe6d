"""An ASGI app on a real socket: streams cannot be tested over an in-memory transport."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import uvicorn


@asynccontextmanager
async def serving(app: Any) -> AsyncIterator[str]:
    """Serves `app` on a free loopback port of this event loop; gives its URL."""
    options = {"log_config": None, "ws": "none", "timeout_graceful_shutdown": 2}
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, **options))
    running = asyncio.create_task(server.serve())
    async with asyncio.timeout(10):
        await _started(server, running)
    try:
        yield "http://127.0.0.1:%d" % server.servers[0].sockets[0].getsockname()[1]  # noqa: UP031
    finally:
        server.should_exit = True
        await running


async def _started(server: uvicorn.Server, running: asyncio.Task[None]) -> None:
    while True:
        if server.started or running.done():
            return
        await asyncio.sleep(0.005)
