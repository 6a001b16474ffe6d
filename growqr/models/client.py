"""How an agent asks a model: the gateway's Messages API over the process's one aiohttp session.

Lean on purpose: an agent's process never imports a provider's SDK.
"""

from __future__ import annotations

import io
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp

from growqr.errors import BudgetExceeded, GrowqrError, ModelError, ModelUnavailable
from growqr.models.base import ModelRequest, OnDelta, Reply, StreamEvent
from growqr.models.stream import Assembly, decode

CONNECT_DEADLINE = 10.0
SILENCE_DEADLINE = 100.0
"""Seconds without a byte; the gateway itself is never silent for more than 15."""
CALL_DEADLINE = 1800.0

PASSING = frozenset({"api_error", "overloaded_error", "rate_limit_error", "timeout_error"})
"""Error types of the API that may be gone the next time."""

BUDGET_FACTS = ("scope", "unit", "limit", "spent")


class GatewayModel:
    """`Model` over POST {url}/anthropic/v1/messages. Safe for many calls at once."""

    def __init__(self, url: str, token: str, session: aiohttp.ClientSession) -> None:
        self._url = url.rstrip("/") + "/anthropic/v1/messages"
        self._token = token
        self._session = session
        self._deadlines = aiohttp.ClientTimeout(
            total=CALL_DEADLINE, sock_connect=CONNECT_DEADLINE, sock_read=SILENCE_DEADLINE
        )

    async def reply(
        self,
        request: ModelRequest,
        *,
        call_id: str,
        turn_id: str,
        step_id: str | None = None,
        on_delta: OnDelta | None = None,
    ) -> Reply:
        """The whole reply, told to `on_delta` piece by piece while it arrives.

        Raises ModelUnavailable (no connection, cut or silent stream, server's fault),
        BudgetExceeded (`detail`: scope, unit, limit, spent; nothing was asked) or
        ModelError (the request was refused; asking again will not help).
        """
        headers = _headers(self._token, call_id, turn_id, step_id)
        assembly = Assembly()
        async with self._call(headers, _body(request)) as events:
            async for event in events:
                if event.get("type") == "error":
                    raise refusal(event)
                if (piece := assembly.feed(event)) and on_delta:
                    on_delta(*piece)
        return assembly.reply()

    @asynccontextmanager
    async def _call(
        self, headers: dict[str, str], body: bytes
    ) -> AsyncIterator[AsyncIterator[StreamEvent]]:
        try:
            async with self._session.post(
                self._url, data=io.BytesIO(body), headers=headers, timeout=self._deadlines
            ) as answer:
                if answer.status != 200:
                    raise _http_refusal(answer.status, await answer.read())
                yield decode(answer.content.iter_any())
        except TimeoutError:
            raise ModelUnavailable(
                f"the model gateway was silent for too long ({SILENCE_DEADLINE:.0f} s at most)",
                {"reason": "stall"},
            ) from None
        except aiohttp.ClientConnectorError:
            raise ModelUnavailable(
                "the model gateway cannot be reached", {"reason": "connection"}
            ) from None
        except (aiohttp.ClientError, OSError) as error:
            raise ModelUnavailable(
                f"the model's reply was cut: {type(error).__name__}", {"reason": "cut"}
            ) from None


def _headers(token: str, call_id: str, turn_id: str, step_id: str | None) -> dict[str, str]:
    headers = {
        "authorization": f"Bearer {token}",
        "content-type": "application/json",
        "x-growqr-call-id": call_id,
        "x-growqr-turn-id": turn_id,
    }
    return headers | ({"x-growqr-step-id": step_id} if step_id else {})


def _body(request: ModelRequest) -> bytes:
    body: dict[str, Any] = {
        "max_tokens": request.max_tokens,
        "messages": request.messages,
        "stream": True,
    }
    if request.model:
        body["model"] = request.model
    if request.system:
        body["system"] = request.system
    if request.tools:
        body["tools"] = request.tools
    return json.dumps(body, ensure_ascii=False).encode(errors="replace")


def refusal(body: dict[str, Any], status: int = 500) -> GrowqrError:
    """The error an Anthropic-shaped error body stands for."""
    error = body.get("error")
    error = error if isinstance(error, dict) else {}
    kind = str(error.get("type") or ("api_error" if status >= 500 else "invalid_request_error"))
    message = str(error.get("message") or f"the model gateway answered {status}")
    if kind == BudgetExceeded.code:
        return BudgetExceeded(message, {key: error.get(key) for key in BUDGET_FACTS})
    detail = {"type": kind, "status": status}
    if reason := error.get("reason"):
        detail["reason"] = str(reason)
    again = kind in PASSING or status == 429
    return (ModelUnavailable if again else ModelError)(message, detail)


def _http_refusal(status: int, body: bytes) -> GrowqrError:
    try:
        parsed = json.loads(body)
    except ValueError:
        parsed = None
    if isinstance(parsed, dict) and isinstance(parsed.get("error"), dict):
        return refusal(parsed, status)
    # While the apps are being deployed, the ingress answers in the gateway's place.
    return ModelUnavailable(
        f"the model gateway is not there yet ({status})", {"reason": "connection"}
    )
