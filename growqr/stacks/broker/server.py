"""The broker: the one process with the engine's socket, which others ask for services of users.

HTTP and JSON over a unix socket of its own. What it is asked for is checked before anything is
touched; how a container is walled in, only the runtime behind it says.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import json
import os
import socket
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from typing import IO, Any, Protocol

from aiohttp import web
from aiohttp.typedefs import Handler

from growqr.config import Settings
from growqr.errors import BadRequest, GrowqrError, InstanceError, Invalid, NotFound
from growqr.logs import log
from growqr.stacks.base import Inside, Runtime
from growqr.stacks.broker import wire
from growqr.stacks.broker.permits import check_name, check_run, check_spec

MAX_BODY = 512 << 10
_log = log("broker")


class Containers(Runtime, Inside, Protocol):
    """What the broker serves."""


@asynccontextmanager
async def serving(settings: Settings, runtime: Containers) -> AsyncIterator[None]:
    """Serve `runtime` at settings.broker for as long as the block takes.

    Raises InstanceError when the socket cannot be had, or another broker has it.
    """
    assert settings.broker is not None
    app = web.Application(middlewares=[_answered], client_max_size=MAX_BODY)
    broker = _Broker(settings, runtime)
    for verb in ("ensure", "status", "stop", "remove", "run", "events"):
        app.router.add_post(f"/{verb}", getattr(broker, verb))
    runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=0.2)
    with _bound(settings.broker, settings.data) as listener:
        await runner.setup()
        try:
            await web.SockSite(runner, listener).start()
            yield
        finally:
            await runner.cleanup()


class _Broker:
    """A verb each."""

    def __init__(self, settings: Settings, runtime: Containers) -> None:
        self._settings, self._runtime = settings, runtime

    async def ensure(self, request: web.Request) -> web.StreamResponse:
        """A spec → a stream of what is told meanwhile, and the state or the error at its end."""
        spec = wire.read_spec(await request.read())
        await asyncio.to_thread(check_spec, self._settings, spec)
        said: asyncio.Queue[dict[str, Any]] = asyncio.Queue()

        async def start() -> None:
            try:
                status = await self._runtime.ensure(
                    spec, tell=lambda w: said.put_nowait({"tell": w})
                )
                said.put_nowait({"status": wire.STATUS.dump_python(status, mode="json")})
            except Exception as error:  # noqa: BLE001 whatever it is, the answer has begun
                said.put_nowait({"error": wire.write_error(_known(error, "ensure"))})

        return await _stream(request, said, start())

    async def status(self, request: web.Request) -> web.StreamResponse:
        """A name → a state."""
        status = await self._runtime.status(await _name(request))
        return web.json_response(wire.STATUS.dump_python(status, mode="json"))

    async def stop(self, request: web.Request) -> web.StreamResponse:
        """A name and `pause`."""
        name = await _name(request)
        await self._runtime.stop(name, pause=(await _asked(request)).get("pause") is True)
        return web.json_response({})

    async def remove(self, request: web.Request) -> web.StreamResponse:
        """A name."""
        await self._runtime.remove(await _name(request))
        return web.json_response({})

    async def run(self, request: web.Request) -> web.StreamResponse:
        """A name, argv and timeout → code, out and err."""
        asked = await _asked(request)
        name, argv, timeout = check_run(asked.get("name"), asked.get("argv"), asked.get("timeout"))
        ran = await self._runtime.run(name, tuple(argv), timeout=timeout)
        return web.json_response({"code": ran.code, "out": ran.out, "err": ran.err})

    async def events(self, request: web.Request) -> web.StreamResponse:
        """→ a stream of names that does not end."""
        said: asyncio.Queue[dict[str, Any]] = asyncio.Queue()

        async def listen() -> None:
            # Runtimes promise an iterator; all of them are generators, which want to be closed.
            async with aclosing(self._runtime.events()) as news:  # type: ignore[type-var]
                async for name in news:
                    said.put_nowait({"name": name})

        return await _stream(request, said, listen())


async def _stream(
    request: web.Request, said: asyncio.Queue[dict[str, Any]], work: Any
) -> web.StreamResponse:
    """A line for all that is said while `work` runs; who hangs up ends it."""
    reply = web.StreamResponse(headers={"Content-Type": "application/x-ndjson"})
    await reply.prepare(request)
    working = asyncio.create_task(work)
    try:
        while not (working.done() and said.empty()):
            hearing = asyncio.create_task(said.get())
            await asyncio.wait((hearing, working), timeout=wire.BEAT, return_when="FIRST_COMPLETED")
            heard = hearing.done()
            hearing.cancel()
            if heard:
                await reply.write(wire.line(hearing.result()))
            elif not working.done():
                await reply.write(b"\n")
        if failure := working.exception():
            _log.error("broker", verb=request.path, error=str(failure), exc_info=failure)
            request.protocol.force_close()  # a cut stream is asked for again
    finally:
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)
    return reply


@web.middleware
async def _answered(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Errors as JSON."""
    try:
        return await handler(request)
    except web.HTTPException as error:
        known: GrowqrError = NotFound() if error.status == 404 else BadRequest(error.reason)
    except Exception as error:  # noqa: BLE001 one request must not end the broker
        known = _known(error, request.path)
    return web.json_response(wire.write_error(known), status=known.status)


def _known(error: Exception, verb: str) -> GrowqrError:
    """What nobody expected is logged, and only its kind goes out."""
    if isinstance(error, OSError):
        return InstanceError(str(error))
    if not isinstance(error, GrowqrError):
        _log.error("broker", verb=verb, error=str(error), exc_info=error)
        return GrowqrError(f"the broker failed: {type(error).__name__}")
    if isinstance(error, Invalid):
        _log.warning("refused", verb=verb, reason=error.message)
    return error


async def _asked(request: web.Request) -> dict[str, Any]:
    try:
        asked = json.loads(await request.read())
    except (ValueError, RecursionError):
        raise BadRequest("the body is not JSON") from None
    if not isinstance(asked, dict):
        raise BadRequest("the body is not a JSON object")
    return asked


async def _name(request: web.Request) -> str:
    name = (await _asked(request)).get("name")
    check_name(name)
    return str(name)


@contextlib.contextmanager
def _bound(path: Path, data: Path) -> Any:
    """A socket at `path` for its owner alone: of root's, that is the owner of the data folder."""
    try:
        path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        with _lock(path.with_name(path.name + ".lock")) as lock, _fresh() as listener:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            path.unlink(missing_ok=True)
            before = os.umask(0o177)
            try:
                listener.bind(str(path))
            finally:
                os.umask(before)
            if os.geteuid() == 0 and data.exists():
                owner = data.stat()  # who may put a link there instead meanwhile
                os.chown(path, owner.st_uid, owner.st_gid, follow_symlinks=False)
            try:
                yield listener
            finally:
                path.unlink(missing_ok=True)
    except BlockingIOError:
        raise InstanceError(f"another broker serves {path}: end it first") from None
    except OSError as error:
        raise InstanceError(
            f"the broker cannot listen at {path} ({error.strerror or error}): set GROWQR_BROKER "
            "to a short path in a folder of its own"
        ) from None


def _lock(path: Path) -> IO[str]:
    """The lock file; a link in its place is refused, and nothing is ever cut off."""
    return os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600), "r+")


def _fresh() -> socket.socket:
    return socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
