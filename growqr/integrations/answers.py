"""What may be sent along with a request to the outside, and how its answer is read, within bounds.

Answers are unpacked here: the limit holds for what came and for what it becomes.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Mapping
from typing import NamedTuple

import aiohttp

from growqr.errors import Invalid, TooLarge, Unavailable

_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}")
_VALUE = re.compile(r"[\t\x20-\x7e]{0,8000}")
_OURS = frozenset(
    {"accept-encoding", "connection", "content-length", "cookie", "expect", "host", "te"}
    | {"proxy-authorization", "trailer", "transfer-encoding", "upgrade", "user-agent"}
)
_GZIP_OR_ZLIB = 47


class Answer(NamedTuple):
    """What came back. Names of `headers` count in any case; `body` is unpacked."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def check_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """The headers a caller may set. Raises Invalid, without their values."""
    for name, value in headers.items():
        if not _NAME.fullmatch(name) or name.lower() in _OURS:
            raise Invalid(f"header {name[:100]!r} is not allowed here", {"field": "headers"})
        if not _VALUE.fullmatch(value):
            raise Invalid(
                f"header {name} has a value that is not allowed: ASCII without line breaks, "
                "8,000 characters at most",
                {"field": "headers"},
            )
    return dict(headers)


async def read_body(reply: aiohttp.ClientResponse, limit: int) -> bytes:
    """The whole body, unpacked. Raises TooLarge as soon as it is, Unavailable for a bad packing."""
    if reply.method == "HEAD":
        return b""
    unpack = _unpacking(reply)
    came, body = 0, bytearray()
    async for chunk in reply.content.iter_any():
        came += len(chunk)
        body += unpack.feed(chunk, limit - len(body) + 1) if unpack else chunk
        if max(came, len(body)) > limit:
            raise TooLarge(f"the answer of {reply.url.host} is larger than {limit:,} bytes")
    if unpack and came:
        unpack.finish()
    return bytes(body)


class _Unpacking:
    def __init__(self, host: str) -> None:
        self._host = host
        self._inflate = zlib.decompressobj(_GZIP_OR_ZLIB)

    def feed(self, chunk: bytes, room: int) -> bytes:
        """No more than `room` bytes, however many the chunk stands for."""
        try:
            made = self._inflate.decompress(chunk, room)
        except zlib.error:
            raise self._bad() from None
        if self._inflate.unused_data:
            raise self._bad()
        return made

    def finish(self) -> None:
        if not self._inflate.eof:
            raise self._bad()

    def _bad(self) -> Unavailable:
        return Unavailable(
            f"{self._host} sent a compressed answer that is not whole", {"reason": "garbled"}
        )


def _unpacking(reply: aiohttp.ClientResponse) -> _Unpacking | None:
    packed = reply.headers.get("Content-Encoding", "").strip().lower()
    match packed:
        case "" | "identity":
            return None
        case "gzip" | "x-gzip" | "deflate":
            return _Unpacking(reply.url.host or "")
        case _:
            raise Unavailable(
                f"{reply.url.host} answered in an encoding it was not asked for",
                {"reason": "encoding"},
            )
