"""A reconciler over a runtime in memory and a real store."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from growqr import names
from growqr.events import Event
from growqr.stacks import Reconciler, ServiceSpec
from growqr.store import Service, Store, User
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


async def seen(store: Store, user: User) -> Service:
    service = await store.services.get(user.id, "opencode")
    assert service is not None
    return service


def gitea_of(user_id: str, generation: int) -> ServiceSpec:
    spec = spec_of(user_id, generation)
    return replace(spec, name=names.service("gitea", user_id), role="gitea")


async def journal(store: Store, user: User) -> list[Event]:
    return await store.events.after(user.id, 0)


async def told(store: Store, user: User) -> list[str]:
    return [event.type.removeprefix("service.") for event in await journal(store, user)]


async def age(url: str, user: User, **seconds: int) -> None:
    """Let columns of the user's service lie that many seconds further back."""
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as conn:
        for column, by in seconds.items():
            moved = f"{column} - make_interval(secs => {by})"
            if column == "failed_at":
                moved = f"array(select t - make_interval(secs => {by}) from unnest(failed_at) t)"
            text = f"update service set {column} = {moved}"
            await conn.execute(f"{text} where user_id = '{user.id}'".encode())


@asynccontextmanager
async def running(reconciler: Reconciler) -> AsyncIterator[None]:
    task = asyncio.create_task(reconciler.run())
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
