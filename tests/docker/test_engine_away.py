"""The engine goes away, falls silent and comes back: calls say so, and nothing stays broken."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from growqr.errors import EngineUnavailable
from growqr.stacks.docker.engine import Engine
from tests.containers import Bench, bench, docker
from tests.docker.test_docker_runtime import service
from tests.fakes.proxy import FaultProxy

pytestmark = [pytest.mark.anyio, pytest.mark.docker]

SOCKET = "/var/run/docker.sock"


@pytest.fixture
async def between(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[FaultProxy]:
    """What stands between the product and the engine."""
    async with FaultProxy(SOCKET) as proxy:
        monkeypatch.setenv("DOCKER_HOST", f"tcp://127.0.0.1:{proxy.port}")
        yield proxy


@pytest.fixture
async def ours(between: FaultProxy, tmp_path: Path) -> AsyncIterator[Bench]:
    async with bench(tmp_path / "data") as made:
        yield made


def lose(between: FaultProxy) -> None:
    between.mode = "refuse"
    between.cut()


async def test_away_it_is_named_and_back_the_same_works(
    between: FaultProxy, ours: Bench, trivial_image: str
) -> None:
    runtime, spec = ours.runtime(), service(ours, trivial_image)
    first = await runtime.ensure(spec)

    lose(between)

    for call in (runtime.ensure(spec), runtime.status(spec.name), runtime.stop(spec.name)):
        with pytest.raises(EngineUnavailable, match=r"does not answer: .*DOCKER_HOST"):
            await call
    between.mode = "pass"
    assert await runtime.ensure(spec) == first


async def test_what_happened_meanwhile_is_told_afterwards(
    between: FaultProxy, ours: Bench, trivial_image: str
) -> None:
    runtime, spec = ours.runtime(), service(ours, trivial_image)
    await runtime.ensure(spec)
    news = runtime.events()
    assert await asyncio.wait_for(anext(news), 5) == spec.name

    lose(between)
    docker("kill", ours.container(spec.name))
    between.mode = "pass"

    assert await asyncio.wait_for(anext(news), 15) == spec.name
    assert (await runtime.status(spec.name)).state == "exited"


async def test_cut_off_in_a_start_it_is_started_once(
    between: FaultProxy, ours: Bench, trivial_image: str
) -> None:
    runtime, spec = ours.runtime(), service(ours, trivial_image)
    start = asyncio.create_task(runtime.ensure(spec))
    while not await asyncio.to_thread(ours.containers):
        await asyncio.sleep(0.01)
    lose(between)
    with contextlib.suppress(EngineUnavailable):
        await start
    between.mode = "pass"

    status = await runtime.ensure(spec)

    assert status.state == "ready"
    assert ours.containers() == [ours.container(spec.name)]


async def test_a_silent_one_is_given_up_in_time(between: FaultProxy) -> None:
    engine = Engine()
    between.mode = "silent"
    with pytest.raises(EngineUnavailable, match=r"within 0\.3 s"):
        await engine.call(lambda client: client.ping(), timeout=0.3)

    between.cut()
    between.mode = "pass"
    assert await engine.call(lambda client: client.ping(), timeout=10)
    await engine.close()
