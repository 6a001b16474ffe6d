"""Any server of chat completions, over aiohttp: OpenAI's own, vLLM, llama.cpp, a router."""

from __future__ import annotations

import json
import math
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, ClassVar

import aiohttp

from growqr.config import Providers, Settings
from growqr.errors import GrowqrError, InstanceError, ModelError, ModelUnavailable
from growqr.models.base import StreamEvent
from growqr.models.chat import Events, to_chat
from growqr.models.stream import decode

PUBLIC_API = "https://api.openai.com/v1"
CONNECT_DEADLINE = 10.0
SILENCE_DEADLINE = 90.0

FIRST_LISTED = "first-listed"
"""Asks for the first model that the server lists: many have only one."""

_PASSING = frozenset({408, 409, 425, 429})
_PASSING_TYPES = frozenset({"server_error", "rate_limit_error", "overloaded_error", "api_error"})


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
                "LLM_PROVIDER is openai_compatible, but neither OPENAI_BASE_URL nor "
                "OPENAI_API_KEY is set"
            )
        return cls(url or PUBLIC_API, key.get_secret_value() if key else None)

    async def stream(self, body: dict[str, Any]) -> AsyncGenerator[StreamEvent, None]:
        """The server's chunks as events. A reply without an end has no message_stop."""
        events = Events()
        async with _as_ours():
            asked = await self._asked(body)
            async with self._call("POST", "/chat/completions", json=asked) as answer:
                async for chunk in _chunks(answer):
                    if chunk.get("error"):
                        raise _told_in_stream(chunk)
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
            total=None, sock_connect=CONNECT_DEADLINE, sock_read=SILENCE_DEADLINE
        )
        if self._session is None:
            self._session = aiohttp.ClientSession(trust_env=self._public)
        # A redirect would carry the key to wherever it points.
        options |= {"headers": self._headers, "timeout": deadlines, "allow_redirects": False}
        async with self._session.request(method, self._url + path, **options) as answer:
            if answer.status != 200:
                raise _refused(answer, await answer.read())
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
    except TimeoutError:
        raise ModelUnavailable(
            f"the model server did not answer in time (connection {CONNECT_DEADLINE:.0f} s, "
            f"silence {SILENCE_DEADLINE:.0f} s)",
            {"reason": "stall"},
        ) from None
    except aiohttp.ClientConnectorError as error:
        raise ModelUnavailable(
            f"the model server cannot be reached: {error}", {"reason": "connection"}
        ) from None
    except (aiohttp.ClientError, OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ModelUnavailable(
            f"the model server's reply was cut: {type(error).__name__}", {"reason": "cut"}
        ) from None


def _refused(answer: aiohttp.ClientResponse, body: bytes) -> GrowqrError:
    status = answer.status
    if status in (401, 403):
        return ModelError(
            f"the model server refused the key ({status}); check OPENAI_API_KEY",
            {"reason": "key", "status": status},
        )
    try:
        said = _said(json.loads(body)) or f"status {status}"
    except ValueError:
        said = f"status {status}"
    detail: dict[str, Any] = {"reason": "status", "status": status}
    if status in _PASSING or status >= 500:
        if (pause := _retry_after(answer.headers.get("retry-after"))) is not None:
            detail["retry_after"] = pause
        return ModelUnavailable(f"the model server is not able to answer now: {said}", detail)
    return ModelError(f"the model server refused the request: {said}", detail)


def _told_in_stream(chunk: dict[str, Any]) -> GrowqrError:
    error = chunk["error"] if isinstance(chunk["error"], dict) else {}
    code, said = error.get("code"), _said(chunk)
    if error.get("type") in _PASSING_TYPES or (isinstance(code, int) and code >= 429):
        return ModelUnavailable(
            f"the model server stopped in the middle of its reply: {said}", {"reason": "status"}
        )
    return ModelError(f"the model server refused the request: {said}", {"reason": "status"})


def _said(body: object) -> str:
    """The message of an error document; servers differ in how deep it lies."""
    error = body.get("error", body) if isinstance(body, dict) else body
    said = error.get("message") or error.get("detail") if isinstance(error, dict) else error
    return str(said or "")[:500]


def _retry_after(header: str | None) -> float | None:
    """Seconds of a Retry-After header; a date is taken as not said."""
    try:
        seconds = float(header or "")
    except ValueError:
        return None
    return seconds if math.isfinite(seconds) else None
