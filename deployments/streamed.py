"""Streamed answers of the model gateway, and its errors in the two forms that callers know."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import Any, NamedTuple

from fastapi.responses import JSONResponse
from starlette.types import Receive, Scope, Send

from growqr.errors import GrowqrError, ModelError
from growqr.models import encode
from growqr.models.chat import encode_chunk

ERROR_TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    422: "invalid_request_error",
    429: "rate_limit_error",
}


class Form(NamedTuple):
    """How errors look: as a document, and as a piece of a stream that has begun."""

    body: Callable[[GrowqrError], dict[str, Any]]
    piece: Callable[[dict[str, Any]], bytes]

    def answer(self, error: GrowqrError) -> JSONResponse:
        """The HTTP answer of an error, with Retry-After where waiting helps."""
        headers = {}
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
        sending = asyncio.create_task(self._answer(scope, receive, send))
        leaving = asyncio.create_task(_hung_up(receive))
        try:
            await asyncio.wait({sending, leaving}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            leaving.cancel()
            if not sending.done():
                sending.cancel()
            await asyncio.gather(sending, leaving, return_exceptions=True)
        if not sending.cancelled():
            sending.result()

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        async with aclosing(self._pieces) as pieces:
            try:
                first = await anext(pieces)
            except GrowqrError as error:
                return await self._form.answer(error)(scope, receive, send)
            await send({"type": "http.response.start", "status": 200, "headers": _STREAM_HEADERS})
            await send({"type": "http.response.body", "body": first, "more_body": True})
            try:
                async for piece in pieces:
                    await send({"type": "http.response.body", "body": piece, "more_body": True})
            except GrowqrError as error:
                body = self._form.piece(self._form.body(error))
                await send({"type": "http.response.body", "body": body, "more_body": True})
            await send({"type": "http.response.body", "body": b"", "more_body": False})


_STREAM_HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
]


async def _hung_up(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _message_error(error: GrowqrError) -> dict[str, Any]:
    told = {"type": _kind(error), "message": error.message}
    if error.detail.get("reason") == "cut":  # the caller may ask again at once
        told["reason"] = "cut"
    return {"type": "error", "error": told}


def _chat_error(error: GrowqrError) -> dict[str, Any]:
    told = {"message": error.message, "type": _kind(error), "code": error.code, "param": None}
    return {"error": told}


MESSAGES = Form(_message_error, encode)
CHAT = Form(_chat_error, encode_chunk)


def _kind(error: GrowqrError) -> str:
    if isinstance(error, ModelError):
        return "permission_error" if error.detail.get("reason") == "key" else ERROR_TYPES[400]
    return ERROR_TYPES.get(_status(error), "api_error")


def _status(error: GrowqrError) -> int:
    """A refusal of the model server is the request's fault to the caller: 400, or 403 for keys."""
    if isinstance(error, ModelError):
        return 403 if error.detail.get("reason") == "key" else 400
    return 400 if error.status == 422 else error.status
