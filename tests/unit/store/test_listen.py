"""The listener comes back from a server that answers nothing, and says so."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

import pytest

from growqr.store import Store
from growqr.store.listen import listen
from tests.fakes.proxy import FaultProxy, Mode

pytestmark = pytest.mark.anyio

Notes = AsyncGenerator[tuple[str, str], None]


@pytest.fixture
def notes(far_url: str) -> Notes:
    """What an impatient listener hears."""
    return listen(far_url, "growqr_work", probe=0.3, answer=1.0)


async def heard(notes: Notes, wanted: tuple[str, str]) -> None:
    async with asyncio.timeout(10):
        while await anext(notes) != wanted:
            pass


async def test_a_frozen_connection_is_given_up(
    proxy: FaultProxy, notes: Notes, store: Store
) -> None:
    async with aclosing(notes):
        await heard(notes, ("", ""))
        for _ in range(2):
            proxy.freeze()
            await heard(notes, ("", ""))
        store.notifier.work("memory:x")
        await heard(notes, ("growqr_work", "memory:x"))


@pytest.mark.parametrize("mode", ["silent", "refuse"])
async def test_a_server_that_does_not_answer_is_asked_again(
    proxy: FaultProxy, notes: Notes, store: Store, mode: Mode
) -> None:
    proxy.mode = mode
    async with aclosing(notes):
        first = asyncio.ensure_future(anext(notes))
        done, _ = await asyncio.wait({first}, timeout=2.5)
        assert not done
        proxy.mode = "pass"
        async with asyncio.timeout(10):
            assert await first == ("", "")
        store.notifier.work("memory:y")
        await heard(notes, ("growqr_work", "memory:y"))


async def test_an_idle_connection_is_kept(proxy: FaultProxy, notes: Notes, store: Store) -> None:
    async with aclosing(notes):
        await heard(notes, ("", ""))
        waiting = asyncio.ensure_future(anext(notes))
        done, _ = await asyncio.wait({waiting}, timeout=1.5)  # several probes
        assert not done
        store.notifier.work("memory:z")
        async with asyncio.timeout(10):
            assert await waiting == ("growqr_work", "memory:z")
