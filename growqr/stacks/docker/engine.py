"""The container engine behind deadlines: Docker's SDK blocks, so it lives in threads of its own.

An engine that is away is EngineUnavailable, and the same call works once it is back; what the
engine refuses is Refused. Nothing of Docker is loaded before the first call.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from typing import Any

from growqr.errors import EngineUnavailable, InstanceError

THREADS = 16
CALL = 60.0
"""Seconds one call may take; where it streams, the longest silence between two pieces."""

_AWAY = ("shutting down", "containerd.sock", "containerd is not")
"""Words in an answer 500 that come from an engine which is just starting or ending."""

_GATEWAY = (502, 503, 504)


class Refused(InstanceError):
    """The engine answered and said no."""


class Absent(Refused):
    """The engine knows no such thing."""


class Taken(Refused):
    """The name is taken, or the thing is in another state than the call needs."""


class Engine:
    """One engine: the one of DOCKER_HOST, else of the local socket."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="engine")
        self._lock = threading.Lock()
        self._client: Any = None

    async def call(self, what: Callable[[Any], Any], *, timeout: float = CALL) -> Any:
        """`what(client)` in a thread; its answer. `client`: a docker.DockerClient.

        Raises EngineUnavailable, also after `timeout` seconds; Absent, Taken, Refused.
        """
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(timeout):
                return await loop.run_in_executor(self._pool, self._made, what)
        except TimeoutError:
            raise away(f"nothing came within {timeout:g} s") from None

    def _made(self, what: Callable[[Any], Any]) -> Any:
        with ours():
            with self._lock:
                if self._client is None:
                    self._client = connect()
            return what(self._client)

    async def close(self) -> None:
        """Let threads and connections go; calls that still wait end unheard."""
        self._pool.shutdown(wait=False, cancel_futures=True)
        if self._client is not None:
            await asyncio.to_thread(self._client.close)


def connect(*, timeout: float | None = CALL) -> Any:
    """A docker.DockerClient of its own; blocks. timeout: seconds of silence, None: any."""
    import docker

    # The version is asked for here, with a deadline even where later reads have none.
    client = docker.from_env(version="auto", timeout=CALL, max_pool_size=THREADS + 4)
    client.api.timeout = timeout
    return client


def hang_up(stream: Any) -> None:
    """Have whoever reads this stream of the SDK read its end; fine when it is over."""
    for close in (stream.close, stream._response.close):
        with suppress(Exception):  # it may end at the same moment
            close()


@contextmanager
def ours() -> Iterator[None]:
    """Errors of the SDK and of the connection to the engine, as ours."""
    import requests
    from docker import errors

    lost = (requests.exceptions.RequestException, errors.DockerException, ConnectionError)
    try:
        yield
    except errors.APIError as error:
        raise _answered(error) from None
    except lost as error:
        raise away(str(error)) from None


def _answered(error: Any) -> Exception:
    status = error.response.status_code if error.response is not None else 500
    words = " ".join(str(error.explanation or error).split())
    if status == 404:
        return Absent(words)
    if status == 409 or (status == 403 and "overlap" not in words):
        return Taken(words)
    if status in _GATEWAY or (status == 500 and any(word in words for word in _AWAY)):
        return away(words)
    return Refused(words)


def away(reason: str) -> EngineUnavailable:
    """The engine does not answer, and what to do."""
    reason = " ".join(reason.split())[:300]
    return EngineUnavailable(
        f"the Docker engine does not answer: {reason}; start it or set DOCKER_HOST"
    )
