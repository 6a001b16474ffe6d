"""The right to touch a user's services: held while a block runs, and the block ends with it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from growqr import names
from growqr.directory import Fence
from growqr.errors import Fenced, Unavailable

if TYPE_CHECKING:
    from growqr.store import Store


@asynccontextmanager
async def leased(
    store: Store, user_id: str, *, holder: str, ttl: float
) -> AsyncIterator[Fence | None]:
    """The lease `stack:<user>` for as long as the block takes; None when somebody else has it.

    Raises Fenced when it was lost meanwhile: the block is cancelled then.
    """
    key = names.stack(user_id)
    fence = await store.leases.acquire(key, user_id=user_id, holder=holder, ttl=ttl)
    if fence is None:
        yield None
        return
    owner = asyncio.current_task()
    assert owner is not None
    renewal = asyncio.create_task(_renew(store, fence, ttl, owner))
    try:
        yield fence
    except asyncio.CancelledError:
        if renewal.done():  # it was the renewal that cancelled: the lease has passed on
            owner.uncancel()
            raise Fenced(f"the lease {fence.key} was lost") from None
        raise
    finally:
        renewal.cancel()
        await store.leases.release(fence)


async def _renew(store: Store, fence: Fence, ttl: float, owner: asyncio.Task[object]) -> None:
    """Keep the lease; without it no further effect may happen, so the owner is cancelled."""
    left = ttl
    while True:
        await asyncio.sleep(ttl / 3)
        try:
            held = await store.leases.renew(fence, ttl=ttl)
            left = ttl
        except Unavailable:
            left -= ttl / 3
            held = left > 0
        if not held:
            owner.cancel()
            return
