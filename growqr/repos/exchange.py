"""Clone, fetch and push over HTTP: git's own programs, one process per request.

They see no configuration but ours and run no hooks. Nothing is held in memory: what comes in goes
to the program, what it says goes out.
"""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import signal
import zlib
from collections.abc import AsyncGenerator, AsyncIterator, Coroutine
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Literal, Self, TypeVar

from growqr.errors import BadRequest, TooLarge, TooMany, Unavailable

Program = Literal["upload-pack", "receive-pack"]
T = TypeVar("T")

MAX_PUSH: Final = 200 * 1024 * 1024
"""Bytes that may come in with one request, unpacked from gzip."""

DEADLINE: Final = 600.0
"""Seconds one exchange may take."""

AT_ONCE: Final = 16
"""Programs of this process at a time."""

_ADVERTISED, _CHUNK, _MAX_REFS = 20.0, 64 * 1024, 32 * 1024 * 1024
_PROTOCOL = re.compile(r"version=[0-2]")
_CONFIG = {
    "core.hooksPath": "/dev/null",
    "core.fsync": "committed,reference",
    "gc.auto": "0",
    "receive.autogc": "false",
    "receive.maxInputSize": str(MAX_PUSH),
    "transfer.fsckObjects": "true",
    "transfer.advertiseSID": "false",
    "pack.threads": "1",
    "uploadpack.allowFilter": "true",
    "http.receivepack": "true",
}
_running: set[asyncio.subprocess.Process] = set()


async def advertise(folder: Path, program: Program, protocol: str | None) -> bytes:
    """The answer of info/refs. Raises Unavailable, TooMany."""
    process = await _spawn(folder, program, protocol, "--advertise-refs")
    try:
        async with asyncio.timeout(_ADVERTISED):
            assert process.stdin
            assert process.stdout
            process.stdin.close()
            refs = bytearray()
            while chunk := await process.stdout.read(_CHUNK):
                refs += chunk
                if len(refs) > _MAX_REFS:
                    raise TooLarge(f"the repository {folder.name} has too many references")
            if await process.wait():
                raise Unavailable(f"git cannot read the repository {folder.name}")
    except TimeoutError:
        raise Unavailable(f"git did not answer within {_ADVERTISED:g} s") from None
    finally:
        await _end(process)
    if program == "upload-pack" and protocol == "version=2":
        return bytes(refs)
    return _packet(f"# service=git-{program}\n") + b"0000" + bytes(refs)


class Exchange:
    """One upload-pack or receive-pack: a context, inside which `output` is read once.

    `body` is read while the output is written. Raises what the body raises, TooLarge beyond
    MAX_PUSH, BadRequest for gzip that is none, Unavailable after DEADLINE.
    """

    def __init__(
        self,
        folder: Path,
        program: Program,
        protocol: str | None,
        body: AsyncIterator[bytes],
        *,
        gzipped: bool = False,
    ) -> None:
        self._asked = (folder, program, protocol)
        self._body = _unpacked(body) if gzipped else body
        self._failed: BaseException | None = None

    async def __aenter__(self) -> Self:
        self._until = asyncio.get_running_loop().time() + DEADLINE
        self._process = await _spawn(*self._asked)
        self._feeding = asyncio.create_task(self._feed())
        return self

    async def output(self) -> AsyncGenerator[bytes, None]:
        """What the program says, until it has ended."""
        assert self._process.stdout
        while chunk := await self._within(self._process.stdout.read(_CHUNK)):
            yield chunk
        await self._within(self._process.wait())
        if self._failed is not None:
            raise self._failed

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._feeding.cancel()
        await asyncio.gather(self._feeding, return_exceptions=True)
        await _end(self._process)

    def stop(self) -> None:
        """End the program; its output ends with it."""
        _kill(self._process)

    async def _within(self, call: Coroutine[Any, Any, T]) -> T:
        try:
            async with asyncio.timeout_at(self._until):
                return await call
        except TimeoutError:
            raise Unavailable(f"the exchange with git took more than {DEADLINE:g} s") from None

    async def _feed(self) -> None:
        """Pass the body on; what is wrong with it ends the program, and so the output."""
        assert self._process.stdin
        came = 0
        try:
            async for chunk in self._body:
                came += len(chunk)
                if came > MAX_PUSH:
                    raise TooLarge(f"a push has at most {MAX_PUSH} bytes; push in parts")
                self._process.stdin.write(chunk)
                await self._process.stdin.drain()
            self._process.stdin.close()
        except (BrokenPipeError, ConnectionResetError):
            pass  # git has heard enough; its output says why
        except Exception as error:  # noqa: BLE001  told to the reader of the output
            self._failed = error
            _kill(self._process)


async def _spawn(
    folder: Path, program: Program, protocol: str | None, *flags: str
) -> asyncio.subprocess.Process:
    if len(_running) >= AT_ONCE:
        raise TooMany("too many clones and pushes at once; try again")
    git = shutil.which("git")
    if git is None:
        raise Unavailable("git is not installed on this machine; install it to clone and push")
    if not await asyncio.to_thread(folder.is_dir):
        raise Unavailable(f"the folder of the repository {folder.name} is not there")
    environment = {
        "PATH": f"{Path(git).parent}:/usr/bin:/bin",
        "LC_ALL": "C",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_TERMINAL_PROMPT": "0",
    }
    if program == "upload-pack" and protocol and _PROTOCOL.fullmatch(protocol):
        environment["GIT_PROTOCOL"] = protocol
    config = [part for name, value in _CONFIG.items() for part in ("-c", f"{name}={value}")]
    strict = ["--strict"] if program == "upload-pack" else []
    argv = [git, *config, program, *strict, "--stateless-rpc", *flags, str(folder)]
    process = await asyncio.create_subprocess_exec(
        *argv,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env=environment,
        cwd="/",
        start_new_session=True,
    )
    _running.add(process)
    return process


async def _end(process: asyncio.subprocess.Process) -> None:
    """The program and what it started are gone afterwards."""
    _kill(process)
    try:
        await asyncio.shield(process.wait())
    finally:
        _running.discard(process)


def _kill(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


async def _unpacked(body: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """A gzipped body in pieces of bounded size, however much is in it."""
    unpack = zlib.decompressobj(zlib.MAX_WBITS | 16)
    try:
        async for chunk in body:
            while chunk:
                yield unpack.decompress(chunk, _CHUNK)
                chunk = unpack.unconsumed_tail
        yield unpack.flush()
    except zlib.error as error:
        raise BadRequest(f"the body is not gzip: {error}") from None
    if not unpack.eof:
        raise BadRequest("the gzipped body ends too early")


def _packet(text: str) -> bytes:
    return f"{len(text) + 4:04x}{text}".encode()
