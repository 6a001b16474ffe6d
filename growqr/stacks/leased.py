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
    until = asyncio.get_running_loop().time() + ttl
    async with store.leases.holding(key, user_id=user_id, holder=holder, ttl=ttl) as fence:
        if fence is None:
            yield None
            return
        owner = asyncio.current_task()
        assert owner is not None
        renewal = asyncio.create_task(_renew(store, fence, ttl, owner, until))
        try:
            yield fence
        except asyncio.CancelledError:
            if renewal.done():  # it was the renewal that cancelled: the lease has passed on
                owner.uncancel()
                raise Fenced(f"the lease {fence.key} was lost") from None
            raise
        finally:
            renewal.cancel()


async def _renew(
    store: Store, fence: Fence, ttl: float, owner: asyncio.Task[object], until: float
) -> None:
    """Keep the lease; once it may be somebody else's no further effect may happen, so the owner is
    cancelled. `until`: the loop's time at which that is so without a renewal."""
    now = asyncio.get_running_loop().time
    held = True
    while held:
        await asyncio.sleep(min(ttl / 3, max(0.0, until - now())))
        asked = now()
        try:
            async with asyncio.timeout_at(until):
                held = await store.leases.renew(fence, ttl=ttl)
            until = asked + ttl
        except Unavailable:
            pass
        except TimeoutError:
            held = False
    owner.cancel()
