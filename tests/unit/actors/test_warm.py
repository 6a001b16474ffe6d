"""Warm workers, over a raylet's wire: a server of its call whose workers are sleeping processes."""

from __future__ import annotations

import asyncio
import os
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
import pytest
import structlog
from ray.core.generated import node_manager_pb2, node_manager_pb2_grpc

from growqr.actors import warm
from growqr.actors.warm import Raylet, Warmer

TOKEN = "t-57c1"


class FakeRaylet(node_manager_pb2_grpc.NodeManagerServiceServicer):
    """Starts at most two workers a call, as one of two cores; refuses whoever lacks the token."""

    def __init__(self) -> None:
        self.workers: list[subprocess.Popen[bytes]] = []
        self.calls = 0
        self._server = grpc.server(ThreadPoolExecutor(2))
        node_manager_pb2_grpc.add_NodeManagerServiceServicer_to_server(self, self._server)
        self.address = f"127.0.0.1:{self._server.add_insecure_port('127.0.0.1:0')}"
        self._server.start()

    def PrestartWorkers(self, request: Any, context: Any) -> Any:
        self.calls += 1
        if ("authorization", f"Bearer {TOKEN}") not in context.invocation_metadata():
            context.abort(grpc.StatusCode.UNAUTHENTICATED, "InvalidAuthToken")
        for _ in range(min(2, request.num_workers)):
            self.workers.append(subprocess.Popen(["ray::IDLE", "60"], executable="/bin/sleep"))
        return node_manager_pb2.PrestartWorkersReply()

    def stop(self) -> None:
        self._server.stop(0).wait(5)
        for worker in self.workers:
            worker.kill()
            worker.wait(5)


@pytest.fixture
def raylet() -> Iterator[FakeRaylet]:
    fake = FakeRaylet()
    yield fake
    fake.stop()


async def until(condition: Any, seconds: float = 10) -> None:
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.02)


@pytest.mark.anyio
async def test_a_used_worker_is_replaced(raylet: FakeRaylet, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(warm, "INTERVAL", 0.02)
    node = Raylet(os.getpid(), raylet.address, TOKEN)
    warming = asyncio.create_task(Warmer(3, lambda: node).run())
    await until(lambda: node.ready() == 3)
    raylet.workers[0].kill()
    raylet.workers[0].wait(5)
    await until(lambda: node.ready() == 3)
    calls = raylet.calls
    await asyncio.sleep(0.1)
    assert (raylet.calls, len(raylet.workers)) == (calls, 4)
    warming.cancel()


@pytest.mark.anyio
async def test_a_raylet_that_refuses_is_told_once_and_asked_again(
    raylet: FakeRaylet, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(warm, "INTERVAL", 0.02)
    monkeypatch.setattr(warm, "RETRY", 0.02)
    tokens = ["stale"] * 3 + [TOKEN]
    with structlog.testing.capture_logs() as told:
        warming = asyncio.create_task(
            Warmer(1, lambda: Raylet(os.getpid(), raylet.address, tokens.pop(0))).run()
        )
        await until(lambda: len(raylet.workers) == 1)
    assert raylet.calls == 4
    assert [line["event"] for line in told] == ["agents start cold"]
    assert "InvalidAuthToken" in told[0]["reason"]
    assert "stale" not in told[0]["reason"]
    warming.cancel()


@pytest.mark.anyio
async def test_none_wanted_asks_nobody():
    def nobody() -> Raylet:
        raise AssertionError("asked")

    await Warmer(0, nobody).run()
