"""Readers that take little or nothing: nobody waits for them, and they cost little memory."""

from __future__ import annotations

import asyncio
import gc
import os
import socket
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from growqr.config import Settings
from growqr.identity import mint
from growqr.store import Store, User
from tests.conftest import new_user
from tests.unit.api.conftest import until
from tests.unit.api.replicas import Replica, durable, replica, write

pytestmark = pytest.mark.anyio

READERS = 50
EACH = 1024 * 1024
"""Bytes that a reader may cost."""


@pytest.fixture
async def one(settings: Settings, store: Store, alice: User) -> AsyncIterator[Replica]:
    async with replica(settings, store, alice) as made:
        yield made


@asynccontextmanager
async def stuck(one: Replica, token: str) -> AsyncIterator[socket.socket]:
    """A stream from the beginning whose reader takes what it wants from the socket."""
    where = urlsplit(str(one.client.base_url))
    with socket.socket() as wire:
        wire.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        wire.setblocking(False)
        loop = asyncio.get_running_loop()
        await loop.sock_connect(wire, (where.hostname, where.port))
        request = (
            "GET /api/v1/actors/me/events?after=0 HTTP/1.1\r\nHost: x\r\n"
            f"Authorization: Bearer {token}\r\n\r\n"
        )
        await loop.sock_sendall(wire, request.encode())
        yield wire


def resident() -> int:
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGESIZE")


async def test_reader_that_takes_nothing_is_dropped(
    one: Replica, settings: Settings, store: Store, alice: User
) -> None:
    await write(store, alice, 40, "x" * 190_000)
    async with stuck(one, mint(settings, alice.subject)):
        await until(lambda: one.hub.streams() == 1)
        async with one.events(after=38) as events:
            assert await durable(events, 2) == [39, 40]  # nobody waits for the stuck one
        await until(lambda: one.hub.streams() == 0)


async def test_many_slow_readers_take_little_memory_and_delay_nobody(
    settings: Settings, store: Store, alice: User
) -> None:
    users = [await new_user(store, "slow") for _ in range(READERS // 10)]
    for user in users:
        for n in range(8):  # not all alike, so that Postgres cannot make them small
            await store.messages.accept(user.id, os.urandom(60_000).hex() + str(n))
    async with replica(settings, store, alice, patience=600) as one, AsyncExitStack() as readers:
        async with one.events(seconds=90) as events:
            await write(store, alice, 1)
            assert await durable(events, 1) == [1]
            before = resident()
            wires: list[socket.socket] = []
            for user in users:
                for _ in range(10):
                    made = stuck(one, mint(settings, user.subject))
                    wires.append(await readers.enter_async_context(made))
                    await until(lambda: one.hub.streams() == len(wires) + 1, 20)
            slowest = 0.0
            for n in range(10):
                for wire in wires:
                    await asyncio.get_running_loop().sock_recv(wire, 1)
                for user in users:
                    await store.messages.accept(user.id, "more")
                began = time.monotonic()
                await write(store, alice, 1)
                assert await durable(events, 1) == [n + 2]
                slowest = max(slowest, time.monotonic() - began)
            each = (resident() - before) / READERS
            print(f"{each / 1024:.0f} KiB a reader, slowest delivery {slowest * 1000:.0f} ms")
            assert one.hub.streams() == READERS + 1
            assert each < EACH
            assert slowest < 3
