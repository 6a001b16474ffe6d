"""Any server that speaks the Anthropic Messages API, by the official SDK over aiohttp."""

from __future__ import annotations

import json
import math
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, ClassVar

from growqr.config import Providers, Settings
from growqr.errors import GrowqrError, InstanceError, ModelError, ModelUnavailable
from growqr.models.base import StreamEvent

if TYPE_CHECKING:
    from anthropic import APIStatusError, AsyncAnthropic

PUBLIC_API = "https://api.anthropic.com"
CONNECT_DEADLINE = 10.0
SILENCE_DEADLINE = 90.0

_PASSING = frozenset({408, 409, 429})
_PASSING_TYPES = frozenset({"api_error", "overloaded_error", "rate_limit_error", "timeout_error"})
_NAMED = ("model", "max_tokens", "messages")


class Anthropic:
    """`Provider` over the SDK. Fields of the request that it does not know pass unchanged."""

    name: ClassVar[str] = "anthropic"
    default_model = "claude-sonnet-5-5"

    def __init__(self, client: AsyncAnthropic) -> None:
        self._client = client

    @classmethod
    def open(cls, settings: Settings, providers: Providers) -> Anthropic:
        """Raises InstanceError without a key."""
        if not providers.anthropic_api_key:
            raise InstanceError("LLM_PROVIDER is anthropic, but ANTHROPIC_API_KEY is not set")
        # Here, not above: the import takes 1.2 s and 75 MB, and offline nobody needs it.
        from anthropic import AsyncAnthropic, DefaultAioHttpClient, Timeout

        key = providers.anthropic_api_key.get_secret_value()
        return cls(
            AsyncAnthropic(
                api_key=key,
                # SDK 2.11 sends the key as bearer only; many servers know only this header.
                default_headers={"X-Api-Key": key},
                base_url=providers.anthropic_base_url or PUBLIC_API,
                # A redirect would carry that header to wherever it points.
                http_client=DefaultAioHttpClient(follow_redirects=False),
                max_retries=0,  # ours end with the first event, see models/retry.py
                timeout=Timeout(SILENCE_DEADLINE, connect=CONNECT_DEADLINE),
            )
        )

    async def stream(self, body: dict[str, Any]) -> AsyncGenerator[StreamEvent, None]:
        """The server's events, pings included, unparsed but for their JSON."""
        from anthropic import AsyncStream

        async with _as_ours(), self._answer(body) as response:
            events = AsyncStream.raw_events(response.http_response)
            async for sent in events:
                if not sent.data:
                    continue
                event = json.loads(sent.data)
                if event.get("type") == "error":
                    raise _told_in_stream(event)
                yield event

    async def close(self) -> None:
        """Give the connections back."""
        await self._client.close()

    def _answer(self, body: dict[str, Any]) -> Any:
        rest = {key: value for key, value in body.items() if key not in (*_NAMED, "stream")}
        return self._client.messages.with_streaming_response.create(
            **{key: body[key] for key in _NAMED}, stream=True, extra_body=rest or None
        )


@asynccontextmanager
async def _as_ours() -> AsyncIterator[None]:
    """The SDK's and the wire's errors as ours, none of which can hold the key."""
    import aiohttp
    import httpx2
    from anthropic import APIConnectionError, APIStatusError, APITimeoutError

    try:
        yield
    except APIStatusError as error:
        raise _refused(error) from None
    except (APITimeoutError, httpx2.TimeoutException, TimeoutError):
        raise ModelUnavailable(
            f"the model server did not answer in time (connection {CONNECT_DEADLINE:.0f} s, "
            f"silence {SILENCE_DEADLINE:.0f} s)",
            {"reason": "stall"},
        ) from None
    except APIConnectionError as error:
        raise ModelUnavailable(
            f"the model server cannot be reached: {_cause(error)}", {"reason": "connection"}
        ) from None
    except (httpx2.HTTPError, aiohttp.ClientError, OSError, ValueError) as error:
        raise ModelUnavailable(
            f"the model server's reply was cut: {type(error).__name__}", {"reason": "cut"}
        ) from None


def _cause(error: BaseException) -> str:
    """The innermost reason, as `Cannot connect to host 127.0.0.1:9 …` says more than the SDK."""
    while error.__cause__ is not None:
        error = error.__cause__
    return str(error) or type(error).__name__


def _refused(error: APIStatusError) -> GrowqrError:
    status, said = error.status_code, _said(error.body) or f"status {error.status_code}"
    if status in (401, 403):
        return ModelError(
            f"the model server refused the key ({status}); check ANTHROPIC_API_KEY",
            {"reason": "key", "status": status},
        )
    detail: dict[str, Any] = {"reason": "status", "status": status}
    if status in _PASSING or status >= 500:
        if (pause := _retry_after(error.response.headers.get("retry-after"))) is not None:
            detail["retry_after"] = pause
        return ModelUnavailable(f"the model server is not able to answer now: {said}", detail)
    return ModelError(f"the model server refused the request: {said}", detail)


def _told_in_stream(event: StreamEvent) -> GrowqrError:
    kind = (event.get("error") or {}).get("type")
    said = _said(event) or str(kind)
    if kind in _PASSING_TYPES:
        return ModelUnavailable(
            f"the model server stopped in the middle of its reply: {said}", {"reason": "status"}
        )
    return ModelError(f"the model server refused the request: {said}", {"reason": "status"})


def _said(body: object) -> str:
    error = body.get("error") if isinstance(body, dict) else None
    return str(error.get("message") or "")[:500] if isinstance(error, dict) else ""


def _retry_after(header: str | None) -> float | None:
    """Seconds of a Retry-After header; a date is taken as not said."""
    try:
        seconds = float(header or "")
    except ValueError:
        return None
    return seconds if math.isfinite(seconds) else None
