"""A TCP proxy with faults: pass everything, refuse, cut or freeze what is open, or be silent."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from types import TracebackType
from typing import Literal, Self

Mode = Literal["pass", "refuse", "silent"]


class FaultProxy:
    """`async with FaultProxy(host, port) as proxy`: connect to 127.0.0.1:`proxy.port`.

    A host that is a path is a local socket.
    """

    def __init__(self, host: str, port: int = 0) -> None:
        self.mode: Mode = "pass"
        self.port = 0
        self._target = (host, port)
        self._open: set[asyncio.StreamWriter] = set()
        self._frozen: set[asyncio.StreamWriter] = set()

    def freeze(self) -> None:
        """Nothing more comes through what is open now; new connections pass."""
        self._frozen |= self._open

    def cut(self) -> None:
        """End every connection that is open now."""
        for writer in list(self._open):
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        try:
            if self.mode == "refuse":
                return
            there_reader, there = await self._connect()
            self._open.add(there)
            await asyncio.gather(self._pump(reader, there), self._pump(there_reader, writer))
        except OSError:
            pass
        finally:
            self._open.discard(writer)
            writer.transport.abort()

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        host, port = self._target
        if host.startswith("/"):
            return await asyncio.open_unix_connection(host)
        return await asyncio.open_connection(host, port)

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while chunk := await reader.read(65536):
                while self.mode == "silent" or writer in self._frozen:
                    await asyncio.sleep(0.02)
                writer.write(chunk)
                await writer.drain()
        writer.transport.abort()
        self._open.discard(writer)

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.mode = "refuse"
        self._server.close()
        self.cut()
        await asyncio.sleep(0)
