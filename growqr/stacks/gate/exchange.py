"""One request of a container: whether it is allowed, and how it is passed on piece by piece."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from typing import Any, Final

import aiohttp
from aiohttp import web
from multidict import CIMultiDict, CIMultiDictProxy

from growqr import names
from growqr.errors import BadRequest, GrowqrError, NotFound, Unavailable
from growqr.logs import log

METHODS: Final = ("GET", "HEAD", "POST")

# Only what needs no decoding: no %, no backslash, no empty segment, no fragment.
_TARGET = re.compile(
    r"(/(?:gateway|git)(?:/[\w.~!$&'()*+,:=@-]+)+|/mcp)(?:\?[!-\"$-~]*)?", re.ASCII
)
_DOTS = {".", ".."}
_HOP = {
    "connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "proxy-connection",
    "te", "trailer", "transfer-encoding", "upgrade", "host", "expect", "forwarded", "x-real-ip",
}  # fmt: skip
_log = log("relay")

Ask = Callable[[AsyncIterator[bytes] | None], Any]
"""A body, or none → the answer to it as a context; how aiohttp asks."""


class Exchange:
    """One request and its answer, both passed on piece by piece as they come."""

    def __init__(self, request: web.BaseRequest, idle: float) -> None:
        self._request, self._idle = request, idle
        self._response: web.StreamResponse | None = None
        self._deadline: asyncio.Timeout | None = None

    async def run(self, ask: Ask) -> web.StreamResponse:
        """The answer, wholly sent; or a problem, where none of it had been."""
        try:
            async with asyncio.timeout(self._idle) as self._deadline:
                if self._request.headers.get("expect", "").lower() == "100-continue":
                    await self._request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
                    self._request.writer.output_size = 0
                body = self._body() if self._request.body_exists else None
                async with ask(body) as upstream:
                    return await self._pass_on(upstream)
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            return self._broken(error)

    async def _body(self) -> AsyncIterator[bytes]:
        async for piece in self._request.content.iter_any():
            self._moved()
            yield piece
        self._moved()

    async def _pass_on(self, upstream: aiohttp.ClientResponse) -> web.StreamResponse:
        self._moved()
        headers = end_to_end(upstream.headers)
        response = web.StreamResponse(
            status=upstream.status, reason=upstream.reason, headers=headers
        )
        await response.prepare(self._request)
        self._response = response
        async for piece in upstream.content.iter_any():
            self._moved()
            await response.write(piece)
        await response.write_eof()
        return response

    def _moved(self) -> None:
        if self._deadline is not None and not self._deadline.expired():
            self._deadline.reschedule(asyncio.get_running_loop().time() + self._idle)

    def _broken(self, error: Exception) -> web.StreamResponse:
        """A cut answer must not look like a whole one, so its connection is closed."""
        if self._response is None:
            # Whoever asks could fill the log with what is louder, and it knows anyway.
            _log.debug("instance away", error=type(error).__name__)
            away = Unavailable("the instance does not answer; try again")
            return problem(away, 504 if isinstance(error, TimeoutError) else 502)
        self._request.protocol.force_close()
        return self._response


def allowed(request: web.BaseRequest) -> str:
    """The target as it is asked for. Raises BadRequest, NotFound: every rule is here."""
    target = request.raw_path
    if "upgrade" in request.headers or not target.startswith("/") or request.method == "CONNECT":
        raise BadRequest("this is no proxy, and no protocol but plain HTTP is spoken here")
    if not all(value.isascii() for value in request.headers.values()):
        raise BadRequest("a header is not ASCII")
    if request.headers.get("expect", "100-continue").lower() != "100-continue":
        raise BadRequest("nothing else can be expected than 100-continue")
    found = _TARGET.fullmatch(target)
    if found is None or _DOTS & set(found[1].split("/")) or request.method not in METHODS:
        raise NotFound("there is nothing here but /gateway, /git and /mcp, by GET, HEAD and POST")
    return target


def end_to_end(headers: CIMultiDictProxy[str]) -> CIMultiDict[str]:
    """Without what is between two ends of a connection, or tells who asks."""
    named = {part.strip().lower() for value in headers.getall("connection", ())
             for part in value.split(",")}  # fmt: skip
    kept: CIMultiDict[str] = CIMultiDict()
    for name, value in headers.items():
        lower = name.lower()
        if lower not in _HOP and lower not in named and not lower.startswith("x-forwarded-"):
            kept.add(name, value)
    return kept


def problem(error: GrowqrError, status: int | None = None) -> web.Response:
    """In the form of the instance's own problems."""
    code = str(error.detail.get("code", error.code))
    document = {
        "type": f"https://growqr.dev/problems/{code}",
        "title": code.replace("_", " ").capitalize(),
        "status": status or error.status,
        "detail": error.message,
        "code": code,
        "request_id": names.new_id("req"),
    }
    return web.json_response(
        document, status=status or error.status, content_type="application/problem+json"
    )
