"""Keeps never-used workers ready on this node, so that an agent wakes at once instead of after
half a second of imports. The raylet is asked by a call that is not public: whatever goes wrong
there, agents start cold, and nothing else happens.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any, Self, cast

import ray

from growqr.config import Settings
from growqr.logs import log

INTERVAL = 0.5
"""Seconds between two looks; one costs a file read per worker of this node."""

DEADLINE = 5.0
"""Seconds for any answer of Ray."""

KEPT = 3600
"""Seconds for which the raylet keeps a worker it started for us; then a fresh one follows."""

RETRY = 30.0
"""Seconds until the next try after an error."""

_WIRE = "ray.core.generated"
_IDLE, _STARTING = b"ray::IDLE", b"default_worker.py"

_log = log("actors")


class Raylet:
    """The process that starts the workers of a node, and its address."""

    def __init__(self, pid: int, address: str, token: str) -> None:
        Path("/proc/thread-self/children").read_text()  # not every kernel tells: start cold then
        self._pid = pid
        self._metadata = (("authorization", f"Bearer {token}"),)
        channel = _module("grpc").insecure_channel(address)
        self._stub = _module(f"{_WIRE}.node_manager_pb2_grpc").NodeManagerServiceStub(channel)

    @classmethod
    def ours(cls, settings: Settings) -> Self:
        """The parent of this worker."""
        here = ray.get_runtime_context().get_node_id()
        node = next(node for node in cast("Any", ray).nodes() if node["NodeID"] == here)
        address = f"{node['NodeManagerAddress']}:{node['NodeManagerPort']}"
        return cls(os.getppid(), address, (settings.secrets / "ray_token").read_text().strip())

    def ready(self) -> int:
        """Workers that nobody has used, those that are still starting included.

        Asking the raylet instead would wake every worker, and hang with a frozen one.
        """
        titles = [_title(pid) for pid in self._children()]
        return sum(title.startswith(_IDLE) or _STARTING in title for title in titles)

    def start(self, workers: int) -> None:
        """Start as many in advance; the raylet starts one per core at most and drops the rest."""
        python = _module(f"{_WIRE}.common_pb2").PYTHON
        request = _module(f"{_WIRE}.node_manager_pb2").PrestartWorkersRequest(
            language=python, num_workers=workers, keep_alive_duration_secs=KEPT
        )
        self._stub.PrestartWorkers(request, timeout=DEADLINE, metadata=self._metadata)

    def _children(self) -> list[str]:
        found: list[str] = []
        for thread in Path(f"/proc/{self._pid}/task").iterdir():
            with suppress(FileNotFoundError, ProcessLookupError):
                found += (thread / "children").read_text().split()
        return found


class Warmer:
    """Tops up the ready workers of one raylet to `wanted`."""

    def __init__(self, wanted: int, find: Callable[[], Raylet]) -> None:
        self._wanted = wanted
        self._find = find

    async def run(self) -> None:
        """Look for ever; returns at once when none are wanted. Never raises."""
        failing = False
        while self._wanted:
            try:
                raylet = await _within(self._find)
                while True:
                    missing = self._wanted - await _within(raylet.ready)
                    if missing > 0:
                        await _within(raylet.start, missing)
                    failing = False
                    await asyncio.sleep(INTERVAL)
            except Exception as error:  # noqa: BLE001  Ray's own affairs may change in any way
                if not failing:
                    _log.warning("agents start cold", reason=str(error)[:300] or repr(error))
                failing = True
                await asyncio.sleep(RETRY)


async def _within(call: Callable[..., Any], *given: Any) -> Any:
    async with asyncio.timeout(DEADLINE):
        return await asyncio.to_thread(call, *given)


def _module(name: str) -> Any:
    """Imported when it is needed: agents import this package too."""
    return import_module(name)


def _title(pid: str) -> bytes:
    with suppress(FileNotFoundError, ProcessLookupError):
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    return b""
