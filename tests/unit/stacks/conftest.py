"""A reconciler over a runtime in memory and a real store."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from growqr import names
from growqr.stacks import Reconciler, ServiceSpec
from growqr.store import Store
from tests.fakes.runtimes import MemoryRuntime, World

Until = Callable[[Callable[[], Awaitable[bool]]], Awaitable[None]]


def spec_of(user_id: str, generation: int, *, colour: str = "red") -> ServiceSpec:
    return ServiceSpec(
        name=names.service("opencode", user_id), user_id=user_id, role="opencode",
        generation=generation, argv=("serve", "{port}"),
        env={"COLOUR": colour, "TOKEN": f"t{generation}"}, home=Path("/h"), workdir=Path("/w"),
        start_timeout=0.05,
    )  # fmt: skip


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def runtime(world: World) -> MemoryRuntime:
    return MemoryRuntime(world)


@pytest.fixture
def reconciler(store: Store, runtime: MemoryRuntime) -> Reconciler:
    return Reconciler(store, runtime, {"opencode": spec_of}, holder="here", ttl=2.0)


async def until(what: Callable[[], Awaitable[bool]], seconds: float = 10.0) -> None:
    deadline = time.monotonic() + seconds
    while not await what():
        assert time.monotonic() < deadline, "it did not come true in time"
        await asyncio.sleep(0.02)
