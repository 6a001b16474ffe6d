"""The app "models": the model gateway over HTTP, in the one process that holds provider keys.

It speaks the Anthropic Messages API at /anthropic/v1/messages and chat completions at
/openai/v1/chat/completions, errors included. Whichever is asked, any provider may answer.
"""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse

from deployments.loopback import bind_to_loopback
from deployments.streamed import CHAT, MESSAGES, Streamed
from growqr import config, failpoints, logs
from growqr.errors import GrowqrError, TooLarge
from growqr.models import (
    MAX_BODY,
    Assembly,
    Caller,
    Chain,
    Gateway,
    Limits,
    StreamEvent,
    encode,
)
from growqr.models.chat import DONE, Chunks, encode_chunk, from_chat

if TYPE_CHECKING:
    from ray import serve

    from growqr.store import Store


def build(settings: config.Settings) -> serve.Application:
    """The Serve application, to be run at "/gateway". Replicas are told one path, no secret."""
    from ray import serve

    snapshot = str(settings.data / "settings.json")

    def app_of_replica() -> FastAPI:
        from growqr.store import open_store

        ours = config.from_snapshot(Path(snapshot))
        bind_to_loopback()
        keys = config.provider_keys(ours)
        logs.guard([*logs.secrets_of(ours), *config.secret_values(keys).values()])
        failpoints.arm(ours.failpoints)
        return make_app(ours, open_store(ours, name="growqr models"), keys)

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
    from growqr.store import BudgetLimits

    secret = instance_secret(settings)
    chain = Chain.open(settings, providers)
    budgets = BudgetLimits.of(settings)
    gateway = Gateway(
        chain,
        Limits.of(settings, chain.first),
        leases=store.leases,
        ledger=store.usage,
        read_token=lambda token: read_token(secret, token),
        services=store.services,
        sessions=store.steps,
        exceeded=lambda user, turn: store.budgets.exceeded(user, turn, budgets),
        prices=settings.llm_prices,
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
        return (CHAT if "/openai/" in request.url.path else MESSAGES).answer(error)

    @app.get("/livez")
    async def livez() -> dict[str, str]:
        return {"status": "ok", "provider": gateway.chain.first.name}

    @app.post("/anthropic/v1/messages", response_model=None)
    async def messages(request: Request) -> Streamed | JSONResponse:
        caller = await _admit(gateway, request)
        body = gateway.check(await _read(request))
        events = gateway.stream(caller, body | {"stream": True})
        if body.get("stream") is True:
            return Streamed(_message_pieces(events), MESSAGES)
        return JSONResponse(await _message(events))

    @app.post("/openai/v1/chat/completions", response_model=None)
    async def completions(request: Request) -> Streamed | JSONResponse:
        caller = await _admit(gateway, request)
        sent = await _read(request)
        body = gateway.check(sent, from_chat)
        events = gateway.stream(caller, body | {"stream": True})
        if body.get("stream") is True:
            usage = (json.loads(sent).get("stream_options") or {}).get("include_usage") is True
            return Streamed(_chat_pieces(events, Chunks(include_usage=usage)), CHAT)
        return JSONResponse(await _completion(events))

    @app.get("/openai/v1/models")
    async def models(request: Request) -> dict[str, Any]:
        await _admit(gateway, request)
        listed = [{"id": name, "object": "model", "owned_by": "growqr"} for name in gateway.models]
        return {"object": "list", "data": listed}

    return app


async def _admit(gateway: Gateway, request: Request) -> Caller:
    labels = {name: request.headers.get(f"x-growqr-{name}-id") for name in _LABELS}
    session = request.headers.get("x-session-id")
    return await gateway.callers.admit(_token(request), labels, session)


_LABELS = ("call", "turn", "step")


async def _message_pieces(events: AsyncGenerator[StreamEvent, None]) -> AsyncGenerator[bytes, None]:
    async with aclosing(events):
        async for event in events:
            yield encode(event)


async def _chat_pieces(
    events: AsyncGenerator[StreamEvent, None], chunks: Chunks
) -> AsyncGenerator[bytes, None]:
    async with aclosing(events):
        async for event in events:
            for chunk in chunks.feed(event):
                yield encode_chunk(chunk)
    yield DONE


async def _message(events: AsyncGenerator[StreamEvent, None]) -> dict[str, Any]:
    """The reply of a request without `stream`, as one message object."""
    message: dict[str, Any] = {}
    assembly = Assembly()
    async with aclosing(events):
        async for event in events:
            if event["type"] == "message_start":
                message = dict(event["message"])
            elif event["type"] == "message_delta":
                message |= event["delta"]
                message["usage"] = {**message.get("usage", {}), **event.get("usage", {})}
            assembly.feed(event)
    return message | {"content": assembly.reply().content}


async def _completion(events: AsyncGenerator[StreamEvent, None]) -> dict[str, Any]:
    """The same as one chat completion."""
    chunks = Chunks()
    async with aclosing(events):
        async for event in events:
            chunks.feed(event)
    return chunks.completion()


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
