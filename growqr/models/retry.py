"""One question to one provider, asked again as long as nothing of a reply was passed on.

What comes before the first content is held back, so that a server which begins and then says
that it is overloaded is asked again too. What was passed on ends whole, or with an error.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing, suppress
from dataclasses import dataclass, field
from typing import Any

from growqr.errors import GrowqrError, ModelUnavailable
from growqr.models.base import Provider, StreamEvent
from growqr.models.stream import Assembly

FAREWELL = 1.0
"""Seconds a server has to end its stream after the reply's end, so that the connection is kept."""

LONGEST = 1800.0
"""Seconds one reply may take, for a server that never falls silent and never ends."""

_BEFORE_CONTENT = frozenset({"message_start", "ping"})


@dataclass(frozen=True, slots=True)
class Persistence:
    """How often and for how long a provider is asked. Seconds; pauses double and have jitter."""

    attempts: int = 4
    first_pause: float = 0.5
    patience: float = 60.0
    clock: Callable[[], float] = time.monotonic


@dataclass(slots=True)
class Call:
    """One question on its way: who is asked, since when, and what came of it so far."""

    provider: str = ""
    model: str = ""
    began: float = 0.0
    seen: Assembly = field(default_factory=Assembly)
    passed_on: bool = False


async def ask(
    provider: Provider,
    body: dict[str, Any],
    call: Call,
    persistence: Persistence = Persistence(),
    until: float | None = None,
) -> AsyncGenerator[StreamEvent, None]:
    """The events of a whole reply. `until`: when, by the clock, no other attempt may begin.

    Raises as the provider does; a ModelUnavailable after something was passed on has the reason
    `cut`, as asking again may help. A stall is not tried again: it was patience enough.
    """
    clock = persistence.clock
    until = clock() + persistence.patience if until is None else until
    for attempt in range(1, persistence.attempts + 1):
        call.provider, call.model = provider.name, str(body.get("model") or "")
        call.began, call.seen = clock(), Assembly()
        try:
            async with aclosing(_attempt(provider, body, call, clock)) as events:
                async for event in events:
                    call.passed_on = True
                    yield event
            return
        except ModelUnavailable as error:
            if call.passed_on:
                raise ModelUnavailable(error.message, error.detail | {"reason": "cut"}) from None
            pause = _pause(persistence, attempt, error.detail.get("retry_after"))
            stalled = error.detail.get("reason") == "stall"
            if stalled or attempt == persistence.attempts or clock() + pause > until:
                raise _with_time(error) from None
        await asyncio.sleep(pause)


async def _attempt(
    provider: Provider, body: dict[str, Any], call: Call, clock: Callable[[], float]
) -> AsyncGenerator[StreamEvent, None]:
    """Asked once: nothing until the first content, then every event up to message_stop."""
    held: list[StreamEvent] | None = []
    async with aclosing(provider.stream(body)) as events:
        async for event in events:
            call.seen.feed(event)
            if clock() - call.began > LONGEST:
                raise ModelUnavailable(
                    f"the model's reply had no end after {LONGEST:.0f} s", {"reason": "stall"}
                )
            if held is not None and event.get("type") in _BEFORE_CONTENT:
                held.append(event)
                continue
            for earlier in held or ():
                yield earlier
            held = None
            yield event
            if call.seen.complete:
                break
        else:
            raise ModelUnavailable("the model's reply was cut before its end", {"reason": "cut"})
        with suppress(GrowqrError, TimeoutError):  # the reply is whole, whatever comes
            async with asyncio.timeout(FAREWELL):
                async for _ in events:
                    pass


def _pause(persistence: Persistence, attempt: int, retry_after: float | None) -> float:
    """Seconds: what the server asked for and a little more, else 0.5, 1, … with jitter."""
    spread = random.uniform(0.7, 1.3)  # noqa: S311  jitter is no secret
    if retry_after is not None:
        return retry_after + 0.1 * min(1.0, retry_after) * spread
    return persistence.first_pause * float(2 ** (attempt - 1)) * spread


def _with_time(error: ModelUnavailable) -> ModelUnavailable:
    """The same, telling when the server wants to be asked again, where it said that."""
    if (seconds := error.detail.get("retry_after")) is None:
        return error
    told = f"{error.message} (it wants to be asked again in {seconds:.3g} s)"
    return ModelUnavailable(told, error.detail)
