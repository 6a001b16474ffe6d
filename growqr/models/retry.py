"""Asking a provider again, as long as nothing of its reply was passed on."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

from growqr.errors import ModelUnavailable
from growqr.models.base import Provider, StreamEvent

ATTEMPTS = 3
LONGEST_PAUSE = 10.0
"""Seconds; a server that asks for more patience is asked again after these."""


async def stream_with_retries(
    provider: Provider, body: dict[str, Any]
) -> AsyncGenerator[StreamEvent, None]:
    """The provider's events. Raises as the provider does, after at most ATTEMPTS tries.

    A stall is not tried again: its 90 s are the patience of a call.
    """
    for attempt in range(1, ATTEMPTS + 1):
        passed_on = False
        try:
            async with aclosing(provider.stream(body)) as events:
                async for event in events:
                    passed_on = True
                    yield event
            return
        except ModelUnavailable as error:
            again = error.detail.get("reason") in ("connection", "status")
            if passed_on or not again or attempt == ATTEMPTS:
                raise
            pause = _pause(attempt, error.detail.get("retry_after"))
        await asyncio.sleep(pause)


def _pause(attempt: int, retry_after: float | None) -> float:
    """Seconds: what the server asked for, else 0.5, 1, … with jitter."""
    if retry_after is not None:
        return float(min(max(retry_after, 0.0), LONGEST_PAUSE))
    return 0.5 * float(2 ** (attempt - 1)) * random.uniform(0.7, 1.3)  # noqa: S311
