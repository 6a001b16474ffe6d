"""One address before several servers: every request goes to the next of them, streams included."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count
from typing import NamedTuple

from aiohttp import ClientSession, ClientTimeout, DummyCookieJar, web

_HOPS = {"connection", "keep-alive", "transfer-encoding", "date", "server"}
_TIMEOUT = ClientTimeout(total=None, connect=5)


class Passed(NamedTuple):
    """A request and its answer."""

    method: str
    path: str
    origin: str | None
    status: int
    headers: dict[str, str]


class RoundRobin:
    """`url` is there at once; `behind` may be filled later. `passed`: what came by."""

    url: str
    port: int

    def __init__(self) -> None:
        self.behind: list[str] = []
        self.passed: list[Passed] = []
        self._turn = count()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[RoundRobin]:
        app = web.Application(client_max_size=4 * 1024 * 1024)
        app.router.add_route("*", "/{path:.*}", self._pass)
        jar = DummyCookieJar()
        async with ClientSession(timeout=_TIMEOUT, cookie_jar=jar, auto_decompress=False) as there:
            self._there = there
            runner = web.AppRunner(
                app, access_log=None, handler_cancellation=True, shutdown_timeout=1
            )
            await runner.setup()
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            self.port = runner.addresses[0][1]
            self.url = f"http://127.0.0.1:{self.port}"
            try:
                yield self
            finally:
                await runner.cleanup()

    async def _pass(self, request: web.Request) -> web.StreamResponse:
        server = self.behind[next(self._turn) % len(self.behind)]
        headers = [(k, v) for k, v in request.headers.items() if k.lower() not in _HOPS]
        async with self._there.request(
            request.method,
            server + request.raw_path,
            headers=headers,
            data=await request.read() or None,
            allow_redirects=False,
        ) as found:
            heads = {name.lower(): value for name, value in found.headers.items()}
            origin = request.headers.get("origin")
            self.passed.append(Passed(request.method, request.path, origin, found.status, heads))
            answer = web.StreamResponse(status=found.status)
            for name, value in found.headers.items():
                if name.lower() not in _HOPS:
                    answer.headers.add(name, value)
            await answer.prepare(request)
            async for piece in found.content.iter_any():
                await answer.write(piece)
            await answer.write_eof()
            return answer
