"""Postgres away, cut off or frozen: an error within the deadline, and no restart of ours."""

from __future__ import annotations

import asyncio
import time

import pytest

from growqr.errors import StoreUnavailable
from growqr.store import Store, User
from tests.fakes.proxy import FaultProxy

pytestmark = pytest.mark.anyio

DEADLINE = 3.0


async def works_within(store: Store, seconds: float) -> None:
    until = time.monotonic() + seconds
    while True:
        try:
            return await store.health()
        except StoreUnavailable:
            if time.monotonic() > until:
                raise
            await asyncio.sleep(0.05)


async def test_refused_connections_are_an_error_in_time_and_pass(
    far_store: Store, proxy: FaultProxy
):
    await far_store.health()
    proxy.mode = "refuse"
    proxy.cut()
    began = time.monotonic()
    with pytest.raises(StoreUnavailable):
        await far_store.health()
    assert time.monotonic() - began < DEADLINE
    proxy.mode = "pass"
    await works_within(far_store, 5)


async def test_a_frozen_server_is_given_up_in_time_and_passes(far_store: Store, proxy: FaultProxy):
    await far_store.health()
    proxy.mode = "silent"
    began = time.monotonic()
    for _ in range(3):  # more than there are connections: none may stay occupied
        with pytest.raises(StoreUnavailable):
            await far_store.health()
    assert time.monotonic() - began < 3 * DEADLINE
    proxy.mode = "pass"
    await works_within(far_store, 5)


async def test_the_listener_comes_back_and_says_so(far_store: Store, proxy: FaultProxy):
    notes = far_store.listen("growqr_work")
    assert await asyncio.wait_for(anext(notes), 5) == ("", "")
    proxy.cut()
    assert await asyncio.wait_for(anext(notes), 5) == ("", "")
    far_store.notifier.work("memory:x")
    while (note := await asyncio.wait_for(anext(notes), 5)) != ("growqr_work", "memory:x"):
        assert note == ("", "")
    await notes.aclose()  # type: ignore[attr-defined]


async def test_whoever_stops_waiting_leaves_no_connection_occupied(
    far_store: Store, proxy: FaultProxy, alice: User
):
    once = far_store.idempotency.once
    async with once(alice.id, "1", "POST /x", b""), once(alice.id, "2", "POST /x", b""):
        pass  # now there are two connections, as many as may be
    proxy.freeze()
    waiting = [asyncio.create_task(far_store.health()) for _ in range(2)]
    await asyncio.sleep(0)
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    await works_within(far_store, 5)


async def test_a_keyed_request_is_given_up_in_time_too(
    far_store: Store, proxy: FaultProxy, store: Store, alice: User
):
    began = time.monotonic()
    with pytest.raises(StoreUnavailable):
        async with (
            asyncio.timeout(20),
            far_store.idempotency.once(alice.id, "key", "POST /x", b"sha") as slot,
        ):
            began = time.monotonic()
            proxy.freeze()
            await far_store.threads.create(alice.id, "lost", conn=slot.conn)
    assert time.monotonic() - began < DEADLINE
    assert [thread.kind for thread in await store.threads.list(alice.id, limit=9)] == ["master"]
    await works_within(far_store, 5)
