"""What a request must not reach: a server on loopback that logs whoever comes, and its names."""

from __future__ import annotations

import asyncio
import gzip
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

BOMB = gzip.compress(bytes(20_000_000))
"""20 kB that become 20 MB."""


@dataclass
class Target:
    """Answers by path; `log` has every connection, `requests` what was asked on it."""

    address: str = "127.0.0.1"
    port: int = 0
    log: list[str] = field(default_factory=list)
    requests: list[bytes] = field(default_factory=list)
    names: list[str | None] = field(default_factory=list)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.log.append(str(writer.get_extra_info("peername")))
        with suppress(OSError, asyncio.IncompleteReadError):
            while not writer.is_closing():  # a connection is kept for whoever asks again
                request = await reader.readuntil(b"\r\n\r\n")
                length = request.lower().partition(b"content-length: ")[2].partition(b"\r")[0]
                self.requests.append(request + await reader.readexactly(int(length or 0)))
                await self.answer(request.split()[1].decode(), writer)
        writer.close()

    async def visitors(self) -> list[str]:
        """Who has come until now: connections are accepted in their order, and ours is the last."""
        _, writer = await asyncio.open_connection(self.address, self.port)
        ours = str(writer.get_extra_info("sockname"))
        try:
            async with asyncio.timeout(5):
                while ours not in self.log:
                    await asyncio.sleep(0.002)
        finally:
            writer.transport.abort()
        self.log.remove(ours)
        return self.log

    async def answer(self, path: str, writer: asyncio.StreamWriter) -> None:
        kind, _, rest = path.strip("/").partition("/")
        match kind:
            case "slow":
                writer.write(b"HTTP/1.1 200 OK\r\n")
                await asyncio.Event().wait()
            case "endless":
                writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
                while not writer.is_closing():
                    writer.write(bytes(65536))
                    await writer.drain()
            case "bomb":
                writer.write(reply(BOMB, "Content-Encoding: gzip\r\n"))
            case "packed":
                writer.write(reply(gzip.compress(b"hello"), "Content-Encoding: gzip\r\n"))
            case "torn":
                writer.write(reply(gzip.compress(b"hello")[:-6], "Content-Encoding: gzip\r\n"))
            case "brotli":
                writer.write(reply(b"...", "Content-Encoding: br\r\n"))
            case "garbage":
                writer.write(b"\x00\xff nothing of HTTP\r\n\r\n")
                writer.close()
            case "cut":
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhel")
                writer.close()
            case "times":
                left = int(rest)
                place = f"/times/{left - 1}" if left else "/done"
                writer.write(reply(b"", f"Location: {place}\r\n", "302 Found"))
            case "to":
                place = f"Location: {bytes.fromhex(rest.partition('/')[0]).decode()}\r\n"
                writer.write(reply(b"", place, "307 Temporary Redirect"))
            case _:
                writer.write(reply(b"hello", "Set-Cookie: a=b\r\n"))
        if not writer.is_closing():
            await writer.drain()


def reply(body: bytes, headers: str = "", status: str = "200 OK") -> bytes:
    return f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n{headers}\r\n".encode() + body


def to(url: str) -> str:
    """The path that redirects to `url`."""
    return f"to/{url.encode().hex()}"


@asynccontextmanager
async def listening(
    tls: ssl.SSLContext | None = None, address: str = "127.0.0.1"
) -> AsyncIterator[Target]:
    target = Target(address)
    serving: dict[asyncio.StreamWriter, asyncio.Task[None]] = {}

    def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        serving[writer] = asyncio.create_task(target.serve(reader, writer))

    if tls:
        tls.sni_callback = lambda _, name, __: target.names.append(name)
    server = await asyncio.start_server(connected, address, 0, ssl=tls)
    target.port = server.sockets[0].getsockname()[1]
    try:
        yield target
    finally:
        server.close()
        for writer, task in serving.items():
            task.cancel()
            writer.transport.abort()
        closing = (writer.wait_closed() for writer in serving)
        await asyncio.gather(*serving.values(), *closing, return_exceptions=True)
        await server.wait_closed()


class Names:
    """A name server whose answers are scripted: the last one stays. `asked`: every question."""

    def __init__(self, **answers: list[list[str]]) -> None:
        self._answers = {name.replace("_", "."): list(each) for name, each in answers.items()}
        self.asked: list[str] = []

    async def __call__(self, host: str, port: int) -> list[str]:
        self.asked.append(host)
        answers = self._answers.get(host)
        if answers is None:
            raise OSError("no such name")
        return answers.pop(0) if len(answers) > 1 else answers[0]


class Silent:
    """A name server that never answers."""

    async def __call__(self, host: str, port: int) -> list[str]:
        await asyncio.Event().wait()
        return []
