"""Any server of chat completions, over aiohttp: OpenAI's own, vLLM, llama.cpp, a router."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, ClassVar

import aiohttp

from growqr.config import Providers, Settings
from growqr.errors import GrowqrError, InstanceError, ModelError
from growqr.models import trouble
from growqr.models.base import StreamEvent
from growqr.models.chat import Events, call_ids, to_chat
from growqr.models.stream import decode

PUBLIC_API = "https://api.openai.com/v1"

FIRST_LISTED = "first-listed"
"""Asks for the first model that the server lists: many have only one."""


class OpenAICompatible:
    """`Provider` over POST {base url}/chat/completions. No key: none is sent."""

    name: ClassVar[str] = "openai_compatible"
    default_model: str

    def __init__(self, base_url: str, key: str | None) -> None:
        self._url = base_url.rstrip("/")
        self._public = self._url == PUBLIC_API
        self._headers = {"authorization": f"Bearer {key}"} if key else {}
        self._session: aiohttp.ClientSession | None = None
        self.default_model = "gpt-5.1" if self._public else FIRST_LISTED

    @classmethod
    def open(cls, settings: Settings, providers: Providers) -> OpenAICompatible:
        """Raises InstanceError with neither a key nor a base URL."""
        key, url = providers.openai_api_key, providers.openai_base_url
        if not key and not url:
            raise InstanceError(
                "the provider openai_compatible needs OPENAI_BASE_URL or OPENAI_API_KEY, and "
                "neither is set"
            )
        return cls(url or PUBLIC_API, key.get_secret_value() if key else None)

    async def stream(self, body: dict[str, Any]) -> AsyncGenerator[StreamEvent, None]:
        """The server's chunks as events. A reply without an end has no message_stop."""
        events = Events(call_ids(body))
        async with _as_ours():
            asked = await self._asked(body)
            async with self._call("POST", "/chat/completions", json=asked) as answer:
                async for chunk in _chunks(answer):
                    if chunk.get("error"):
                        raise trouble.told_in_stream(chunk)
                    for event in events.feed(chunk):
                        yield event
        for event in events.end():
            yield event

    async def close(self) -> None:
        """Give the connections back."""
        if self._session is not None:
            await self._session.close()

    async def _asked(self, body: dict[str, Any]) -> dict[str, Any]:
        asked = to_chat(body) | {"stream": True, "stream_options": {"include_usage": True}}
        if asked["model"] == FIRST_LISTED:
            asked["model"] = await self._first_listed()
        if self._public:  # their newer models refuse the old name, other servers the new one
            asked["max_completion_tokens"] = asked.pop("max_tokens")
        return asked

    async def _first_listed(self) -> str:
        async with self._call("GET", "/models") as answer:
            listed = json.loads(await answer.read())
        try:
            return str(listed["data"][0]["id"])
        except (KeyError, IndexError, TypeError):
            raise ModelError("the model server lists no model; set LLM_MODEL") from None

    @asynccontextmanager
    async def _call(
        self, method: str, path: str, **options: Any
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        deadlines = aiohttp.ClientTimeout(
            connect=trouble.CONNECT_DEADLINE, sock_read=trouble.SILENCE_DEADLINE
        )
        if self._session is None:
            self._session = aiohttp.ClientSession(
                trust_env=self._public,
                connector=aiohttp.TCPConnector(limit=0),  # no call waits for another's end
            )
        # A redirect would carry the key to wherever it points.
        options |= {"headers": self._headers, "timeout": deadlines, "allow_redirects": False}
        async with self._session.request(method, self._url + path, **options) as answer:
            if answer.status != 200:
                raise await _refusal(answer)
            yield answer


async def _chunks(answer: aiohttp.ClientResponse) -> AsyncIterator[dict[str, Any]]:
    """Chunks of a stream, or the one object of a server that does not stream."""
    if answer.content_type == "application/json":
        yield json.loads(await answer.read())
        return
    async for chunk in decode(answer.content.iter_any()):
        yield chunk


@asynccontextmanager
async def _as_ours() -> AsyncIterator[None]:
    """The wire's errors as ours, none of which can hold the key."""
    try:
        yield
    except aiohttp.ConnectionTimeoutError:
        raise trouble.unreachable("no connection in time") from None
    except TimeoutError:
        raise trouble.silent() from None
    except aiohttp.ClientConnectorError as error:
        raise trouble.unreachable(error) from None
    except (aiohttp.ClientError, OSError, *trouble.GARBAGE) as error:
        raise trouble.cut(error) from None


async def _refusal(answer: aiohttp.ClientResponse) -> GrowqrError:
    try:
        body = json.loads(await answer.read())
    except ValueError:
        body = None
    return trouble.refused(answer.status, answer.headers, body, "OPENAI_API_KEY")
