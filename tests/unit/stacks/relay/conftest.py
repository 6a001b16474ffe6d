"""An instance that notes what reaches it, and a relay in front of it, over real sockets."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from growqr.config import Settings, load
from growqr.instance.ports import Ports, free_block
from growqr.stacks.gate.relay import Relay

HERE = "127.0.0.2"


class Instance:
    """Stands for the instance: what reached it, and answers by path."""

    def __init__(self) -> None:
        self.seen: list[web.BaseRequest] = []
        self.bodies: list[bytes] = []
        self.size = 0
        self.go = asyncio.Event()
        self.gone = asyncio.Event()
        self.hold = asyncio.Event()
        self.hold.set()

    async def __call__(self, request: web.BaseRequest) -> web.StreamResponse:
        self.seen.append(request)
        what = request.path.rsplit("/", 1)[-1]
        if what == "stream":
            return await self._stream(request)
        if what == "cut":
            return await self._cut(request)
        if what == "push":
            return await self._push(request)
        if what == "early":
            return web.Response(status=401, text="no")
        self.bodies.append(await request.read())
        headers = {"X-Kept": "1", "Keep-Alive": "timeout=5", "Content-Encoding": "gzip"}
        return web.Response(body=b"not really gzip", status=207, headers=headers)

    async def _stream(self, request: web.BaseRequest) -> web.StreamResponse:
        reply = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await reply.prepare(request)
        try:
            for number in range(1000):
                await reply.write(f"data: {number}\n\n".encode())
                await self.go.wait()
                self.go.clear()
        finally:
            self.gone.set()
        return reply

    async def _cut(self, request: web.BaseRequest) -> web.StreamResponse:
        reply = web.StreamResponse()
        await reply.prepare(request)
        await reply.write(b"the first half")
        assert request.transport is not None
        request.transport.close()
        return reply

    async def _push(self, request: web.BaseRequest) -> web.Response:
        while not request.content.at_eof():
            await self.hold.wait()
            self.size += len(await request.content.readany())
        return web.Response(text=str(self.size))


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load(data=tmp_path, port=free_block().base, database_url=None)


@asynccontextmanager
async def serving(settings: Settings) -> AsyncIterator[Instance]:
    instance = Instance()
    server = web.Server(instance, handler_cancellation=True, auto_decompress=False)
    listener = await asyncio.get_running_loop().create_server(server, "127.0.0.1", settings.port)
    try:
        yield instance
    finally:
        listener.close()
        await server.shutdown(0.1)


@pytest.fixture
async def instance(settings: Settings) -> AsyncIterator[Instance]:
    async with serving(settings) as made:
        yield made


@pytest.fixture
async def relay(settings: Settings) -> AsyncIterator[Relay]:
    made = Relay(settings)
    await made.listen(HERE)
    yield made
    await made.close()


@pytest.fixture
async def http(settings: Settings, relay: Relay) -> AsyncIterator[aiohttp.ClientSession]:
    base = f"http://{HERE}:{Ports(settings.port)['relay']}"
    timeout = aiohttp.ClientTimeout(total=20)
    async with aiohttp.ClientSession(base, timeout=timeout, auto_decompress=False) as session:
        yield session


async def until(what: Callable[[], bool], seconds: float = 10.0) -> None:
    async with asyncio.timeout(seconds):
        while not what():
            await asyncio.sleep(0.01)


async def raw(settings: Settings, text: bytes, address: str = HERE) -> bytes:
    """All that is answered to these bytes."""
    reader, writer = await asyncio.open_connection(address, Ports(settings.port)["relay"])
    writer.write(text)
    try:
        async with asyncio.timeout(10):
            return await reader.read()
    finally:
        writer.close()
