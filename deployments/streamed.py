"""Streamed answers of the model gateway, and its errors in the two forms that callers know."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import Any, NamedTuple, cast

from fastapi.responses import JSONResponse
from starlette.types import Receive, Scope, Send

from growqr.errors import BudgetExceeded, GrowqrError, ModelError, StoreUnavailable
from growqr.models import encode
from growqr.models.chat import encode_chunk
from growqr.redaction import blanked

KEEPALIVE = 15.0
"""Seconds after which a stream that is silent says that it is still there: while a provider is
asked again, nobody who waits for it may take us for dead."""

ERROR_TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: BudgetExceeded.code,
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    422: "invalid_request_error",
    429: "rate_limit_error",
}


class Form(NamedTuple):
    """How errors look, as a document and as a piece of a stream that has begun; and a ping."""

    document: Callable[[GrowqrError], dict[str, Any]]
    piece: Callable[[dict[str, Any]], bytes]
    ping: bytes

    def body(self, error: GrowqrError) -> dict[str, Any]:
        """The error as a document; what a provider said may quote its key, and must not here."""
        return cast("dict[str, Any]", blanked(self.document(error)))

    def answer(self, error: GrowqrError) -> JSONResponse:
        """The HTTP answer of an error, with Retry-After where waiting helps."""
        headers = {}
        if isinstance(error, BudgetExceeded):
            headers["x-should-retry"] = "false"  # only a person can help
        if error.retryable:
            headers["retry-after"] = str(max(1, round(error.detail.get("retry_after", 1))))
        return JSONResponse(self.body(error), _status(error), headers)


class Streamed(JSONResponse):
    """Answers with the pieces, or with an error document when the first one never comes.

    Reads `receive` all the while: a client that hangs up ends the provider's call at once.
    """

    def __init__(self, pieces: AsyncGenerator[bytes, None], form: Form) -> None:
        super().__init__(None)
        self._pieces = pieces
        self._form = form

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        line = _Line(send)
        sending = asyncio.create_task(self._answer(line, scope, receive))
        leaving = asyncio.create_task(_hung_up(receive))
        pulse = asyncio.create_task(line.keep_alive(self._form.ping))
        try:
            await asyncio.wait({sending, leaving}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            leaving.cancel()
            pulse.cancel()
            if not sending.done():
                sending.cancel()
            await asyncio.gather(sending, leaving, pulse, return_exceptions=True)
        if not sending.cancelled():
            sending.result()

    async def _answer(self, line: _Line, scope: Scope, receive: Receive) -> None:
        async with aclosing(self._pieces) as pieces:
            try:
                async for piece in pieces:
                    await line.write(piece)
            except GrowqrError as error:
                if await line.instead(self._form.answer(error), scope, receive):
                    return
                await line.write(self._form.piece(self._form.body(error)))
            await line.write(b"", more=False)


class _Line:
    """The answer on its way out. It begins with what is written first; one writes at a time."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._writing = asyncio.Lock()
        self._begun = False
        self._clock = asyncio.get_running_loop().time
        self._last = self._clock()

    async def write(self, body: bytes, *, more: bool = True) -> None:
        async with self._writing:
            if not self._begun:
                self._begun = True
                start = {"type": "http.response.start", "status": 200, "headers": _STREAM_HEADERS}
                await self._send(start)
            await self._send({"type": "http.response.body", "body": body, "more_body": more})
            self._last = self._clock()

    async def instead(self, document: JSONResponse, scope: Scope, receive: Receive) -> bool:
        """Answer with the document; False when the stream has begun."""
        async with self._writing:
            if not self._begun:
                self._begun = True
                await document(scope, receive, self._send)
                return True
            return False

    async def keep_alive(self, ping: bytes) -> None:
        """Write `ping` whenever nothing was written for KEEPALIVE seconds."""
        while True:
            await asyncio.sleep(max(0.0, self._last + KEEPALIVE - self._clock()))
            if self._clock() >= self._last + KEEPALIVE:
                await self.write(ping)


_STREAM_HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
]


async def _hung_up(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _message_error(error: GrowqrError) -> dict[str, Any]:
    told = {"type": _kind(error), "message": error.message}
    if isinstance(error, BudgetExceeded):
        told |= error.detail
    elif error.detail.get("reason") == "cut":  # the caller may ask again at once
        told["reason"] = "cut"
    elif isinstance(error, StoreUnavailable):  # ours, not the model's: the caller waits it out
        told["reason"] = "connection"
    return {"type": "error", "error": told}


def _chat_error(error: GrowqrError) -> dict[str, Any]:
    told = {"message": error.message, "type": _kind(error), "code": error.code, "param": None}
    return {"error": told}


MESSAGES = Form(_message_error, encode, encode({"type": "ping"}))
CHAT = Form(_chat_error, encode_chunk, b": ping\n\n")


def _kind(error: GrowqrError) -> str:
    if isinstance(error, ModelError):
        return "permission_error" if error.detail.get("reason") == "key" else ERROR_TYPES[400]
    return ERROR_TYPES.get(_status(error), "api_error")


def _status(error: GrowqrError) -> int:
    """A refusal of the model server is the request's fault to the caller: 400, or 403 for keys."""
    if isinstance(error, ModelError):
        return 403 if error.detail.get("reason") == "key" else 400
    return 400 if error.status == 422 else error.status
