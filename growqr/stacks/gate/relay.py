"""The one thing of the machine that containers reach: model gateway, git and memory tools.

It listens on the gateway addresses of users' networks and passes what it allows on to the
instance's HTTP listener. It adds and knows no secret: whoever asks shows a token of its own.
"""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import os
from collections import Counter
from collections.abc import AsyncIterator, Callable
from typing import Any, Final

import aiohttp
from aiohttp import web
from yarl import URL

from growqr.config import Settings
from growqr.errors import GrowqrError, InstanceError
from growqr.instance.ports import Ports
from growqr.stacks.gate.exchange import Ask, Exchange, allowed, end_to_end, problem

CONNECT: Final = 5.0
"""Seconds the instance has to accept a connection."""

IDLE: Final = 300.0
"""Seconds in which at least one byte must move either way. A stream that moves may last."""

HEADERS: Final = 20.0
"""Seconds a connection may wait for the whole head of its next request."""

CONNECTIONS: Final = 128
"""Connections one container may hold; more are closed at once."""

_AUTOMATIC = ("User-Agent", "Accept", "Accept-Encoding", "Content-Type")
_silent = logging.Logger("relay")  # aiohttp's own words may quote headers, and those hold tokens
_silent.addHandler(logging.NullHandler())


class Relay:
    """One per host. `listen` for each network, `close` at the end."""

    def __init__(self, settings: Settings, *, idle: float = IDLE) -> None:
        self._idle = idle
        self._port = Ports(settings.port)["relay"]
        self._target = f"http://127.0.0.1:{settings.port}"
        self._listening: dict[str, asyncio.Server] = {}
        self._lock = asyncio.Lock()
        self._door: _Door | None = None
        self._session: aiohttp.ClientSession | None = None

    async def listen(self, address: str) -> None:
        """Accept connections on this address of the machine; fine when that is so already.

        Raises InstanceError when the address is not the machine's, or the port is taken there.
        """
        ip = ipaddress.ip_address(address)
        if ip.is_unspecified or ip.is_multicast:
            raise InstanceError(f"the relay listens on addresses of networks, not on {address}")
        async with self._lock:
            if address in self._listening:
                return
            try:
                self._listening[address] = await asyncio.get_running_loop().create_server(
                    self._opened(), str(ip), self._port, backlog=128, reuse_address=True
                )
            except OSError as error:
                raise InstanceError(
                    f"the relay cannot listen on {address}:{self._port} "
                    f"({os.strerror(error.errno or 0)}): is the network there, and the port free?"
                ) from None

    async def leave(self, address: str) -> None:
        """Accept no more on this address, whose network has gone; fine when it never did."""
        if server := self._listening.pop(address, None):
            server.close()

    async def close(self) -> None:
        """End everything, streams too. `listen` may begin anew."""
        for address in list(self._listening):
            await self.leave(address)
        if self._door is not None:
            await self._door.shutdown(0.2)
        if self._session is not None:
            await self._session.close()
        self._door = self._session = None

    def _opened(self) -> _Door:
        """What speaks HTTP to containers; made where a loop runs."""
        if self._door is None:
            self._session = aiohttp.ClientSession(
                # A connection per request: what one user sent can never meet another's answer.
                connector=aiohttp.TCPConnector(limit=0, force_close=True),
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=aiohttp.ClientTimeout(total=None, connect=CONNECT),
                auto_decompress=False,
                trust_env=False,
                skip_auto_headers=_AUTOMATIC,
            )
            self._door = _Door(self._answer)
        return self._door

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        try:
            target = allowed(request)
            return await Exchange(request, self._idle).run(self._asked(request, target))
        except GrowqrError as error:
            return problem(error)

    def _asked(self, request: web.BaseRequest, target: str) -> Ask:
        assert self._session is not None
        session, url = self._session, URL(self._target + target, encoded=True)
        headers = end_to_end(request.headers)

        def ask(body: AsyncIterator[bytes] | None) -> Any:
            return session.request(
                request.method, url, headers=headers, data=body, allow_redirects=False
            )

        return ask


class _Door(web.Server):
    """Speaks HTTP, and counts the connections of each container."""

    def __init__(self, answer: Callable[[web.BaseRequest], Any]) -> None:
        super().__init__(
            answer, handler_cancellation=True, logger=_silent, access_log=None,
            keepalive_timeout=HEADERS, auto_decompress=False, lingering_time=2.0, max_headers=64,
        )  # fmt: skip
        self._peers: dict[web.RequestHandler, str] = {}
        self._held: Counter[str] = Counter()

    def connection_made(self, handler: web.RequestHandler, transport: asyncio.Transport) -> None:
        """One more; it is closed at once where there are too many."""
        super().connection_made(handler, transport)
        peer = self._peers[handler] = str((transport.get_extra_info("peername") or "?")[0])
        self._held[peer] += 1
        if self._held[peer] > CONNECTIONS:
            transport.abort()

    def connection_lost(
        self, handler: web.RequestHandler, exc: BaseException | None = None
    ) -> None:
        """One less."""
        super().connection_lost(handler, exc)
        if (peer := self._peers.pop(handler, None)) is not None:
            self._held[peer] -= 1
            self._held += Counter()  # drops those that are at zero
