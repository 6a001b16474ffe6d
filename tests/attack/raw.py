"""Requests by hand on a socket, for what no well-behaved client would send."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from urllib.parse import urlsplit

from starlette.types import ASGIApp, Message, Receive, Scope, Send


class Counting:
    """Around an app: how many bytes of bodies it has taken in, and kept at once at most."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self.taken = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def counted() -> Message:
            message = await receive()
            self.taken += len(message.get("body", b""))
            return message

        await self._app(scope, counted if scope["type"] == "http" else receive, send)


async def endless(
    url: str, head: str, *, size: int, chunk: int = 65_536, seconds: float = 20
) -> tuple[int, str]:
    """(bytes that left, the answer) of a chunked body that is `size` bytes unless it is cut."""
    where = urlsplit(url)
    async with asyncio.timeout(seconds):
        reader, writer = await asyncio.open_connection(where.hostname, where.port)
        writer.write(f"{head}\r\nTransfer-Encoding: chunked\r\n\r\n".encode())
        answer = asyncio.create_task(_all_of(reader))
        left, piece = 0, b"%x\r\n%s\r\n" % (chunk, b"x" * chunk)
        with suppress(ConnectionError):
            while left < size and not answer.done():
                writer.write(piece)
                await writer.drain()
                left += chunk
            writer.write(b"0\r\n\r\n")
        told = await answer
        writer.close()
    return left, told


async def spoken(url: str, request: bytes, seconds: float = 10) -> str:
    """What is answered to exactly these bytes."""
    where = urlsplit(url)
    async with asyncio.timeout(seconds):
        reader, writer = await asyncio.open_connection(where.hostname, where.port)
        writer.write(request)
        told = await _all_of(reader)
        writer.close()
    return told


async def _all_of(reader: asyncio.StreamReader) -> str:
    """Everything until the other side hangs up, or the body that it announced."""
    whole = b""
    with suppress(ConnectionError):
        while piece := await reader.read(65_536):
            whole += piece
            head, _, body = whole.partition(b"\r\n\r\n")
            lines = head.lower().split(b"\r\n")
            sizes = [int(line[15:]) for line in lines if line.startswith(b"content-length:")]
            if b"\r\n\r\n" in whole and sizes and len(body) >= sizes[0]:
                break
    return whole.decode("utf-8", "replace")
