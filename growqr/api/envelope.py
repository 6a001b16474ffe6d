"""Around every request: its id, the size of its body, a deadline, headers, and the last resort.

The deadline ends when the answer begins, so that streams go on.
"""

from __future__ import annotations

import asyncio
import re

from starlette.requests import ClientDisconnect, HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from growqr.api.origins import check_origin
from growqr.api.problems import UNTOLD, problem, report
from growqr.api.shields import Shields
from growqr.config import Settings
from growqr.errors import GrowqrError, TooLarge, Unavailable
from growqr.names import new_id

DEADLINE = 10.0
"""Seconds within which an answer must begin."""

MAX_BODY = 1024 * 1024
"""Bytes of a request's body, counted while it comes in."""

MAX_PACK, PACK_DEADLINE = 200 * 1024 * 1024, 600.0
"""The same for a push or clone, whose body is streamed and never held."""

_REQUEST_ID = re.compile(rb"[\w.:-]{1,128}")
_PACK = re.compile(r"(/api(/v1)?)?/git/[^/]+/[^/]+\.git/git-(upload|receive)-pack")


class Envelope:
    """ASGI middleware, outermost of ours."""

    def __init__(
        self,
        app: ASGIApp,
        settings: Settings,
        deadline: float = DEADLINE,
        hosts: tuple[str, ...] = (),
    ) -> None:
        """`hosts`: whose scripts our pages may load."""
        self._app = app
        self._settings = settings
        self._shields = Shields(settings, hosts)
        self._deadline = deadline

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            # Browsers let any page open one, cookie and all: the origin alone tells.
            check_origin(self._settings, HTTPConnection(scope), "GET")
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        answer = _Answer(scope, send, self._shields)
        failed: GrowqrError | None = None
        pack = scope["method"] == "POST" and _PACK.fullmatch(scope["path"]) is not None
        limit, deadline = (MAX_PACK, PACK_DEADLINE) if pack else (MAX_BODY, self._deadline)
        try:
            async with asyncio.timeout(deadline) as clock:
                answer.clock = clock
                await self._app(scope, _counted(scope, receive, limit), answer.send)
        except Exception as error:  # noqa: BLE001 - nothing may leave without an answer
            failed = self._last_resort(error, answer, late=clock.expired())
            answer.clock = None
        if failed is not None and not answer.begun:
            await problem(failed, answer.request_id)(scope, receive, answer.send)

    def _last_resort(self, error: Exception, answer: _Answer, *, late: bool) -> GrowqrError:
        if late:
            return Unavailable(f"no answer within {self._deadline:g} s")
        gone = isinstance(error, ClientDisconnect)
        if not gone and not (answer.begun and isinstance(error, (OSError, TimeoutError))):
            report(error, answer.request_id)  # else the client went away, or reads nothing
        return GrowqrError(UNTOLD)


class _Answer:
    """Passes messages on, adding headers to the first."""

    clock: asyncio.Timeout | None = None

    def __init__(self, scope: Scope, send: Send, shields: Shields) -> None:
        self._scope, self._send, self._shields = scope, send, shields
        self.begun = False
        self.request_id = _request_id(scope)
        scope.setdefault("state", {})["request_id"] = self.request_id

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.begun = True
            if self.clock is not None and not self.clock.expired():
                self.clock.reschedule(None)
            headers = list(message.get("headers", ()))
            message["headers"] = self._complete(headers, message["status"])
        await self._send(message)

    def _complete(
        self, headers: list[tuple[bytes, bytes]], status: int
    ) -> list[tuple[bytes, bytes]]:
        content = dict(headers).get(b"content-type", b"")
        if b"json" in content or b"event-stream" in content:
            headers.append((b"cache-control", b"no-store"))
        headers += self._shields.headers(content, status)
        headers += _allowance(self._scope["state"].get("allowance"))
        return [*headers, (b"x-request-id", self.request_id.encode())]


def _allowance(left: tuple[int, str, int, float] | None) -> list[tuple[bytes, bytes]]:
    """What is left of a limit, as draft-ietf-httpapi-ratelimit-headers has it."""
    if left is None:
        return []
    rest, name, most, seconds = left
    return [
        (b"ratelimit-policy", f'"{name}";q={most};w=60'.encode()),
        (b"ratelimit", f'"{name}";r={max(rest, 0)};t={max(0, round(seconds))}'.encode()),
    ]


def _counted(scope: Scope, receive: Receive, limit: int) -> Receive:
    """`receive` that raises TooLarge before a body beyond the limit is in memory."""
    announced = dict(scope["headers"]).get(b"content-length", b"0")
    excess = len(announced) > 19 or (announced.isdigit() and int(announced) > limit)
    came = 0

    async def counting() -> Message:
        nonlocal came
        message: Message = {} if excess else await receive()
        came += len(message.get("body", b""))
        if excess or came > limit:
            raise TooLarge(f"a body has at most {limit} bytes")
        return message

    return counting


def _request_id(scope: Scope) -> str:
    """The id the ingress gave, else a fresh one."""
    for name, value in scope["headers"]:
        if name == b"x-request-id" and _REQUEST_ID.fullmatch(value):
            return str(value.decode())
    return new_id("req")
