"""Whoever may not be the holder any more ends, however silent the database is."""

from __future__ import annotations

import asyncio
import time

import pytest

from growqr.errors import Fenced
from growqr.stacks.leased import leased
from growqr.store import Store, User
from tests.fakes.proxy import FaultProxy

pytestmark = pytest.mark.anyio

TTL = 1.5


async def test_it_ends_before_another_one_may_begin(
    far_store: Store, proxy: FaultProxy, alice: User
) -> None:
    async def work() -> None:
        async with leased(far_store, alice.id, holder="here", ttl=TTL) as fence:
            assert fence
            proxy.freeze()
            try:
                await asyncio.sleep(30)
            finally:
                ended.append(time.monotonic())

    ended: list[float] = []
    began = time.monotonic()
    with pytest.raises(Fenced):
        await work()
    assert TTL / 2 < ended[0] - began < TTL + 0.3


async def test_a_silent_database_swallows_no_cancellation(
    far_store: Store, proxy: FaultProxy, alice: User
) -> None:
    inside = asyncio.Event()

    async def work() -> None:
        async with leased(far_store, alice.id, holder="here", ttl=30.0):
            inside.set()
            await asyncio.sleep(30)

    task = asyncio.create_task(work())
    await inside.wait()
    proxy.freeze()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_it_lasts_as_long_as_it_is_renewed(store: Store, alice: User) -> None:
    async with leased(store, alice.id, holder="here", ttl=0.6) as fence:
        assert fence
        await asyncio.sleep(1.5)
        async with leased(store, alice.id, holder="there", ttl=0.6) as other:
            assert other is None
