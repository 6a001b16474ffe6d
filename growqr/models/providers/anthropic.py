"""Any server that speaks the Anthropic Messages API, by the official SDK over aiohttp."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, ClassVar

from growqr.config import Providers, Settings
from growqr.errors import InstanceError
from growqr.models import trouble
from growqr.models.base import StreamEvent

if TYPE_CHECKING:
    from anthropic import AsyncAnthropic

PUBLIC_API = "https://api.anthropic.com"
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
            raise InstanceError("the provider anthropic needs ANTHROPIC_API_KEY, which is not set")
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
                timeout=Timeout(trouble.SILENCE_DEADLINE, connect=trouble.CONNECT_DEADLINE),
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
                    raise trouble.told_in_stream(event)
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
        answer = error.response
        raise trouble.refused(
            error.status_code, answer.headers, error.body, "ANTHROPIC_API_KEY"
        ) from None
    except (APITimeoutError, httpx2.TimeoutException, TimeoutError) as error:
        if isinstance(_innermost(error), aiohttp.ConnectionTimeoutError):
            raise trouble.unreachable("no connection in time") from None
        raise trouble.silent() from None
    except APIConnectionError as error:
        why = _innermost(error)
        raise trouble.unreachable(str(why) or type(why).__name__) from None
    except (httpx2.HTTPError, aiohttp.ClientError, OSError, *trouble.GARBAGE) as error:
        raise trouble.cut(error) from None


def _innermost(error: BaseException) -> BaseException:
    """`Cannot connect to host 127.0.0.1:9 …` says more than the SDK."""
    while error.__cause__ is not None:
        error = error.__cause__
    return error
