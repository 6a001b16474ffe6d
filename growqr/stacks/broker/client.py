"""A runtime behind a broker: the same verbs, the same errors, over its unix socket."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import aiohttp

from growqr.errors import EngineUnavailable
from growqr.logs import log
from growqr.stacks.base import Ran, ServiceSpec, ServiceStatus, Tell
from growqr.stacks.broker import wire

CALL: Final = 120.0
"""Seconds a short verb may take; the longest start of the same service comes before a stop."""

AGAIN: Final = 1.0
_log = log("stacks")


class BrokerRuntime:
    """What the broker at `path` runs. It connects when it is first asked."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._session: aiohttp.ClientSession | None = None

    async def ensure(self, spec: ServiceSpec, *, tell: Tell | None = None) -> ServiceStatus:
        """See Runtime. Raises Invalid too, where the broker does not allow such a spec."""
        async with self._asked("ensure", wire.write_spec(spec), None) as reply:
            async for told in self._lines(reply):
                if "error" in told:
                    raise wire.read_error(told["error"])
                if "status" in told:
                    return wire.STATUS.validate_python(told["status"])
                if tell is not None and "tell" in told:
                    tell(str(told["tell"]))
        raise self._away("it ended")

    async def status(self, name: str) -> ServiceStatus:
        """See Runtime."""
        return wire.STATUS.validate_python(await self._call("status", {"name": name}))

    async def stop(self, name: str, *, pause: bool = False) -> None:
        """See Runtime."""
        await self._call("stop", {"name": name, "pause": pause})

    async def remove(self, name: str) -> None:
        """See Runtime."""
        await self._call("remove", {"name": name})

    async def run(self, name: str, argv: Sequence[str], *, timeout: float = 60.0) -> Ran:
        """Run a command inside a service; the broker allows but those of `gitea admin`."""
        asked = {"name": name, "argv": list(argv), "timeout": timeout}
        return Ran(**await self._call("run", asked, timeout + CALL))

    async def events(self) -> AsyncIterator[str]:
        """See Runtime. A broker that goes away is asked again once it is back."""
        while True:
            try:
                async with self._asked("events", b"{}", None) as reply:
                    async for told in self._lines(reply):
                        yield str(told["name"])
            except EngineUnavailable as error:
                _log.warning("events", error=error.message)
            await asyncio.sleep(AGAIN)

    async def close(self) -> None:
        """Let the connections go; the services run on."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def _call(self, verb: str, asked: dict[str, Any], total: float = CALL) -> Any:
        async with self._asked(verb, json.dumps(asked).encode(), total) as reply:
            try:
                return await reply.json()
            except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
                raise self._away(str(error) or type(error).__name__) from None

    @asynccontextmanager
    async def _asked(
        self, verb: str, body: bytes, total: float | None
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """The answer to a verb. Raises what it says is wrong; without one, EngineUnavailable."""
        timeout = aiohttp.ClientTimeout(
            total=total, sock_connect=5, sock_read=total or 4 * wire.BEAT
        )
        try:
            reply = await self._opened().post(f"http://broker/{verb}", data=body, timeout=timeout)
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise self._away(str(error) or type(error).__name__) from None
        try:
            if reply.status != 200:
                raise await self._refusal(reply)
            yield reply
        finally:
            reply.close()

    async def _refusal(self, reply: aiohttp.ClientResponse) -> Exception:
        try:
            return wire.read_error(await reply.json())
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
            return self._away(str(error))

    async def _lines(self, reply: aiohttp.ClientResponse) -> AsyncIterator[dict[str, Any]]:
        try:
            async for line in reply.content:
                if line.strip():
                    yield json.loads(line)
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
            raise self._away(str(error) or type(error).__name__) from None

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            connector = aiohttp.UnixConnector(str(self._path), limit=0, force_close=True)
            self._session = aiohttp.ClientSession(connector=connector, trust_env=False)
        return self._session

    def _away(self, reason: str) -> EngineUnavailable:
        return EngineUnavailable(
            f"the broker at {self._path} does not answer: {reason}; start it: `growqr broker`"
        )
