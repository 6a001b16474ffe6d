"""HTTP to one instance from the command line.

The instance is looked up anew at every try, so that one which was restarted, even on another
port, is found again. A POST carries one Idempotency-Key over all its tries; a stream goes on
after the last event it delivered. So a cut anywhere loses and repeats nothing.
"""

from __future__ import annotations

import asyncio
import json
import time
import uuid
from collections.abc import AsyncGenerator, Coroutine
from contextlib import aclosing
from typing import Any, Final, NamedTuple, TypeVar

import httpx
import httpx_sse
import typer

from growqr import config
from growqr.errors import GrowqrError, InstanceError, Unauthorized, Unavailable
from growqr.identity import mint
from growqr.instance import Record

DEFAULT_USER: Final = "owner"
"""The local user that commands speak for unless told otherwise."""

User = typer.Option(DEFAULT_USER, "--user", help="Local user to act as.")

PATIENCE: Final = 60.0
"""Seconds a request is tried again while the instance does not answer."""

STREAM_PATIENCE: Final = 180.0
"""Seconds a stream tries to come back; a restart of the whole instance fits in."""

SILENCE: Final = 40.0
"""Seconds without a byte after which a stream is dead: the server speaks every 15."""

T = TypeVar("T")


class Target(NamedTuple):
    """Where the instance is and as whom to speak; `local`: on this machine."""

    url: str
    token: str
    local: bool


class Received(NamedTuple):
    """One event of a stream. Only durable ones have a `seq`."""

    type: str
    seq: int | None
    data: dict[str, Any]


class _Away(Exception):
    """No answer that means anything: the same request may be sent again."""


def target(user: str) -> Target:
    """GROWQR_URL and GROWQR_TOKEN, else the instance of the data folder and a token of its key.

    Raises InstanceError that says what to do when there is none.
    """
    named = config.client_target()
    if named:
        url, token = named
        if token is None:
            raise InstanceError(
                "GROWQR_URL is set without GROWQR_TOKEN; `growqr token` prints one, "
                "on the machine where the instance runs"
            )
        return Target(url, token, local=False)
    settings = config.load()
    record = Record.read(settings.data)
    if record is None or not record.running:
        raise InstanceError(
            f"no instance is running in {settings.data}; start it: growqr up "
            "(or name another folder by GROWQR_DATA)"
        )
    if not settings.has_local_issuer:
        raise InstanceError(
            "the built-in issuer is off here: make an API key in the web interface or over HTTP, "
            "and set GROWQR_URL and GROWQR_TOKEN"
        )
    return Target(record.url.rstrip("/"), mint(settings, user), local=True)


class Client:
    """One user's view of the instance. Paths are below `/api/v1`."""

    def __init__(self, user: str = DEFAULT_USER) -> None:
        self._user = user
        self._target = target(user)
        self._http = httpx.AsyncClient(
            timeout=httpx.Timeout(15.0, connect=5.0),
            trust_env=not self._target.local,  # a proxy of the environment knows no loopback
        )

    async def __aenter__(self) -> Client:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._http.aclose()

    async def get(self, path: str, **params: Any) -> Any:
        """The JSON answer of a GET."""
        return await self._patiently("GET", path, params=params)

    async def read(self, path: str) -> bytes:
        """The bytes that a GET answers."""
        return (await self._sent("GET", path)).content

    async def put(self, path: str, body: Any) -> Any:
        """The JSON answer of a PUT."""
        return await self._patiently("PUT", path, json=body)

    async def post(self, path: str, body: Any) -> Any:
        """The JSON answer of a POST, done once however often it is sent."""
        key = {"Idempotency-Key": str(uuid.uuid4())}
        return await self._patiently("POST", path, json=body, headers=key)

    async def events(self, path: str, after: int = 0) -> AsyncGenerator[Received, None]:
        """Every durable event after `after` once, in order, and deltas as they come; endless.

        Behind a `reset` it goes on elsewhere: the caller has to read anew what it knows. Raises
        Unavailable when the instance stays away, Unauthorized and NotFound as they are.
        """
        heard, pause = time.monotonic(), 0.1
        while True:
            try:
                async with aclosing(self._stream(path, after)) as stream:
                    async for event in stream:
                        heard, pause = time.monotonic(), 0.1
                        if event.type == "reset":
                            after = event.data["seq"]
                        elif event.seq is not None and event.seq <= after:
                            continue
                        after = after if event.seq is None else event.seq
                        yield event
            except (_Away, httpx.TransportError, httpx_sse.SSEError):
                pass
            if time.monotonic() - heard > STREAM_PATIENCE:
                raise Unavailable("the instance does not answer; see: growqr status")
            await asyncio.sleep(pause)
            pause = min(pause * 2, 2.0)
            self._look()

    async def _stream(self, path: str, after: int) -> AsyncGenerator[Received, None]:
        headers = self._headers() | {"Last-Event-ID": str(after)}
        timeout = httpx.Timeout(15.0, connect=5.0, read=SILENCE)
        async with httpx_sse.aconnect_sse(
            self._http, "GET", self._url(path), headers=headers, timeout=timeout
        ) as source:
            if source.response.status_code != 200:
                await source.response.aread()
                _checked(source.response)
            async for sse in source.aiter_sse():
                yield _received(sse)

    async def _patiently(self, method: str, path: str, **options: Any) -> Any:
        answer = await self._sent(method, path, **options)
        return answer.json() if answer.content else None

    async def _sent(self, method: str, path: str, **options: Any) -> httpx.Response:
        give_up, pause = time.monotonic() + PATIENCE, 0.1
        extra = options.pop("headers", {})
        while True:
            headers = self._headers() | extra
            try:
                answer = await self._http.request(
                    method, self._url(path), headers=headers, **options
                )
                return _checked(answer)
            except (_Away, httpx.TransportError) as error:
                if time.monotonic() + pause > give_up:
                    raise Unavailable(
                        f"the instance at {self._target.url} does not answer "
                        f"({type(error).__name__}); see: growqr status"
                    ) from None
            await asyncio.sleep(pause)
            pause = min(pause * 2, 3.0)
            self._look()

    def _look(self) -> None:
        """Find the instance again; while it is restarting the old address is kept."""
        try:
            self._target = target(self._user)
        except InstanceError:
            pass

    def _url(self, path: str) -> str:
        return f"{self._target.url}/api/v1{path}"

    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._target.token}"}


def run(work: Coroutine[Any, Any, T], on_break: str = "") -> T:
    """Run a command's work; Ctrl-C ends it with exit code 130 and says `on_break`."""
    try:
        return asyncio.run(work)
    except KeyboardInterrupt:
        if on_break:
            typer.echo(on_break, err=True)
        raise typer.Exit(130) from None


def _received(sse: httpx_sse.ServerSentEvent) -> Received:
    data = json.loads(sse.data) if sse.data else {}
    # httpx_sse repeats the last id on events that have none, as the standard asks.
    seq = data.get("seq") if sse.event not in ("delta", "ping", "reset") else None
    return Received(sse.event, seq, data)


def _checked(answer: httpx.Response) -> httpx.Response:
    """A good answer. Raises _Away for one to try again, else the error it tells."""
    if answer.status_code < 400:
        return answer
    try:
        problem = answer.json()
    except ValueError:
        problem = {}
    if not isinstance(problem, dict) or "code" not in problem:
        raise _Away  # not ours: while the apps are deployed, the ingress answers by itself
    if answer.status_code in (429, 503) or problem["code"] == "in_progress":
        raise _Away
    message = problem.get("detail") or problem.get("title") or f"HTTP {answer.status_code}"
    if answer.status_code == 401:
        raise Unauthorized(f"{message}; get a new token: growqr token")
    raise GrowqrError(str(message), {"code": problem["code"], "status": answer.status_code})
