"""When a service is tried again, when it rests, and when it has ended, as plain rules.

Pure: a row goes in with the time. What becomes of one that ended by itself: states.decide.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

if TYPE_CHECKING:
    from growqr.stacks.base import ServiceStatus
    from growqr.store import Service

STRIKES: Final = 3
WINDOW: Final = 600.0
"""So many failures within so many seconds are followed by a pause, and so is each one after that,
until the service has lasted for WINDOW since the last pause."""

PAUSES: Final = (60.0, 300.0, 900.0)
"""Seconds of the first pause, the second, and all others."""

Rest = Literal["none", "pause", "paused", "stop"]


class Strike(NamedTuple):
    """A failure, counted: how many count now, when they were, and the pause in seconds."""

    failures: int
    failed_at: list[datetime]
    pause: float


def strike(service: Service, now: datetime, *, at_once: bool = False) -> Strike:
    """Count a failure that is `now`; at_once: it is one that is followed by a pause in any case."""
    recent = [then for then in service.failed_at if _since(then, now) < WINDOW]
    tripped = service.failures >= STRIKES and not lasted(service, now)
    failures = service.failures + 1 if tripped else len(recent) + 1
    if at_once:
        failures = max(failures, STRIKES)
    return Strike(failures, [*recent, now], _pause(failures))


def lasted(service: Service, now: datetime) -> bool:
    """Whether its last failure is so long ago that none counts any more."""
    last = max(service.failed_at, default=None)
    return last is None or _since(last, now) >= _pause(service.failures) + WINDOW


def held_back(service: Service, now: datetime) -> bool:
    """Whether it failed and its pause is not over."""
    waits = service.state in ("backoff", "failed")
    return waits and service.retry_at is not None and service.retry_at > now


def at_rest(service: Service, now: datetime) -> bool:
    """Whether nothing is to be done about it until it is used, decided about, or due again."""
    asleep = service.state == "paused" and service.used_at <= service.updated_at
    over = service.desired == "stopped" and service.state in ("stopped", "absent")
    return asleep or over or service.decision is not None or held_back(service, now)


def ended(service: Service, status: ServiceStatus) -> str | None:
    """How one that had been well came to its end, if it did so by itself."""
    mine = status.generation == service.generation
    if status.state == "exited" and mine and service.state in ("ready", "unhealthy", "paused"):
        return status.reason or "it ended"
    if status.state == "absent" and service.state in ("ready", "paused"):
        return "it is gone: somebody removed it, or the instance was ended"
    return None


def rest(service: Service, *, used: bool, now: datetime, paused: float) -> Rest:
    """How deep one sleeps that nobody uses: paused for `paused` seconds, then stopped.

    used: whether it is in use, or was not long ago. `paused` as an answer: it sleeps well.
    """
    if service.state == "paused" and service.used_at <= service.updated_at:
        return "paused" if _since(service.updated_at, now) < paused else "stop"
    if used:
        return "none"
    return "pause" if paused else "stop"


def seconds_until(then: datetime | None, now: datetime) -> float:
    """Seconds from now to then, 0 when that is over."""
    return max(0.0, _since(now, then)) if then else 0.0


def _pause(failures: int) -> float:
    return 0.0 if failures < STRIKES else PAUSES[min(failures - STRIKES, len(PAUSES) - 1)]


def _since(then: datetime, now: datetime) -> float:
    return (now - then).total_seconds()
