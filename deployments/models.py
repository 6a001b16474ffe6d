"""The app "models": the model gateway over HTTP, in the one process that holds provider keys.

It speaks the Anthropic Messages API at /anthropic/v1/messages, errors included.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from starlette.types import Receive, Scope, Send

from growqr import config
from growqr.errors import GrowqrError, ModelError, TooLarge
from growqr.models import (
    MAX_BODY,
    Assembly,
    Caller,
    Gateway,
    Limits,
    StreamEvent,
    encode,
    open_provider,
)

if TYPE_CHECKING:
    from ray import serve

    from growqr.store import Store

ERROR_TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    422: "invalid_request_error",
    429: "rate_limit_error",
}


def build(settings: config.Settings) -> serve.Application:
    """The Serve application, to be run at "/gateway". Replicas are told one path, no secret."""
    from ray import serve

    snapshot = str(settings.data / "settings.json")

    def app_of_replica() -> FastAPI:
        from growqr.store import open_store

        ours = config.from_snapshot(Path(snapshot))
        return make_app(ours, open_store(ours), config.provider_keys(ours))

    deployment = serve.deployment(
        name="models",
        num_replicas=1,
        max_ongoing_requests=10_000,  # a streamed reply holds its slot until it ends
        graceful_shutdown_timeout_s=35,
        ray_actor_options={"num_cpus": 0},
    )
    return deployment(serve.ingress(app_of_replica)()).bind()


def make_app(settings: config.Settings, store: Store, providers: config.Providers) -> FastAPI:
    """The gateway's app over a store, which it opens and closes. Runs under any ASGI server."""
    from growqr.identity import instance_secret, read_token

    secret = instance_secret(settings)
    provider = open_provider(settings, providers)
    gateway = Gateway(
        provider,
        Limits.of(settings, provider),
        leases=store.leases,
        ledger=store.usage,
        read_token=lambda token: read_token(secret, token),
    )

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with store:
            yield
            await gateway.close()

    return app_over(gateway, lifespan=lifespan)


def app_over(gateway: Gateway, **options: Any) -> FastAPI:
    """The HTTP of a gateway. `options` are FastAPI's."""
    app = FastAPI(title="growqr models", docs_url=None, redoc_url=None, openapi_url=None, **options)

    @app.exception_handler(GrowqrError)
    async def refuse(request: Request, error: GrowqrError) -> JSONResponse:
        return error_answer(error)

    @app.get("/livez")
    async def livez() -> dict[str, str]:
        return {"status": "ok", "provider": gateway.provider.name}

    @app.post("/anthropic/v1/messages", response_model=None)
    async def messages(request: Request) -> Streamed | JSONResponse:
        labels = {name: request.headers.get(f"x-growqr-{name}-id") for name in _LABELS}
        caller = await gateway.admit(_token(request), labels)
        body = gateway.check(await _read(request))
        if body.get("stream") is True:
            return Streamed(gateway.stream(caller, body))
        return JSONResponse(await _whole(gateway, caller, body))

    return app


class Streamed(JSONResponse):
    """Answers with the events, or with an error document when the first one never comes.

    Reads `receive` all the while: a client that hangs up ends the provider's call at once.
    """

    def __init__(self, events: AsyncGenerator[StreamEvent, None]) -> None:
        super().__init__(None)
        self._events = events

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
        async with aclosing(self._events) as events:
            try:
                first = await anext(events)
            except GrowqrError as error:
                return await error_answer(error)(scope, receive, send)
            await send({"type": "http.response.start", "status": 200, "headers": _STREAM_HEADERS})
            await send({"type": "http.response.body", "body": encode(first), "more_body": True})
            try:
                async for event in events:
                    body = encode(event)
                    await send({"type": "http.response.body", "body": body, "more_body": True})
            except GrowqrError as error:
                body = encode(error_body(error))
                await send({"type": "http.response.body", "body": body, "more_body": True})
            await send({"type": "http.response.body", "body": b"", "more_body": False})


_LABELS = ("call", "turn", "step")
_STREAM_HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
]


async def _hung_up(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _whole(gateway: Gateway, caller: Caller, body: dict[str, Any]) -> dict[str, Any]:
    """The reply of a request without `stream`, as one message object."""
    message: dict[str, Any] = {}
    assembly = Assembly()
    async with aclosing(gateway.stream(caller, body | {"stream": True})) as events:
        async for event in events:
            if event["type"] == "message_start":
                message = dict(event["message"])
            elif event["type"] == "message_delta":
                message |= event["delta"]
                message["usage"] = {**message.get("usage", {}), **event.get("usage", {})}
            assembly.feed(event)
    return message | {"content": assembly.reply().content}


async def _read(request: Request) -> bytes:
    """The body, given up as soon as it is too large. Raises TooLarge."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY:
            raise TooLarge(f"a request to a model may have at most {MAX_BODY} bytes")
    return bytes(body)


def _token(request: Request) -> str:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and token:
        return token.strip()
    return request.headers.get("x-api-key", "")


def error_body(error: GrowqrError) -> dict[str, Any]:
    """An error in the Messages API's shape."""
    kind = ERROR_TYPES.get(_status(error), "api_error")
    if isinstance(error, ModelError):
        kind = "permission_error" if error.detail.get("reason") == "key" else ERROR_TYPES[400]
    told = {"type": kind, "message": error.message}
    if error.detail.get("reason") == "cut":  # the caller may ask again at once
        told["reason"] = "cut"
    return {"type": "error", "error": told}


def error_answer(error: GrowqrError) -> JSONResponse:
    """The HTTP answer of an error, with Retry-After where waiting helps."""
    headers = {}
    if error.retryable:
        headers["retry-after"] = str(max(1, round(error.detail.get("retry_after", 1))))
    return JSONResponse(error_body(error), _status(error), headers)


def _status(error: GrowqrError) -> int:
    """A refusal of the model server is the request's fault to the caller: 400, or 403 for keys."""
    if isinstance(error, ModelError):
        return 403 if error.detail.get("reason") == "key" else 400
    return 400 if error.status == 422 else error.status
