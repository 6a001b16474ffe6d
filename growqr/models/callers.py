"""Who may ask a model, and what the call is booked to.

Agents show a token of their lease and epoch, stacks one of their service and generation: whoever
held the lease or was the service before gets no answer.
"""

from __future__ import annotations

import asyncio
import re
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import NamedTuple, Protocol, TypeVar

from growqr import names
from growqr.directory import Fence
from growqr.errors import Invalid, StoreUnavailable, Unauthorized

PATIENCE = 10.0
"""Seconds a call waits for a database that is away, as it is while it restarts."""

_LABEL = re.compile(r"[\w.:#-]{1,200}")

T = TypeVar("T")


class LeaseOwners(Protocol):
    """What the gateway asks the store's leases."""

    async def owner(self, key: str) -> tuple[str, int] | None:
        """(user id, epoch) of the lease, None when there is no such lease."""


class Generation(Protocol):
    """A service's row, as far as tokens go."""

    @property
    def generation(self) -> int:
        """Grows when the service is made anew."""


class Services(Protocol):
    """What the gateway asks the store's services."""

    async def get(self, user_id: str, role: str) -> Generation | None:
        """The service as it stands, None when there is none."""


class Sessions(Protocol):
    """What the gateway asks the store's steps."""

    async def by_session(self, user_id: str, session_id: str | None) -> tuple[str, str] | None:
        """(turn, step) of this user that runs in the session, else the newest that runs at all.

        None when there is none.
        """


class Caller(NamedTuple):
    """Who asks, and what the call is booked to."""

    user_id: str
    call_id: str
    turn_id: str | None
    step_id: str | None


@dataclass(frozen=True, slots=True)
class Callers:
    """Tells callers from strangers. Without `services` and `sessions` there are only agents."""

    read_token: Callable[[str], Fence]
    leases: LeaseOwners
    services: Services | None = None
    sessions: Sessions | None = None

    async def admit(
        self, token: str, labels: dict[str, str | None], session_id: str | None = None
    ) -> Caller:
        """The caller behind a token. `labels`: call, turn and step id as an agent sent them.

        A stack is not asked what it books to: its session tells the turn, if it is one of its
        user's, and a strange one leads out of no budget. Raises Unauthorized when the token is none
        of ours or its time has passed.
        """
        fence = self.read_token(token)
        if found := names.service_of(fence.key):
            return await self._stack(*found, fence.epoch, session_id)
        owner = await through_outage(lambda: self.leases.owner(fence.key))
        if owner is None or owner[1] != fence.epoch:
            raise Unauthorized(f"the token of {fence.key} is of an epoch that has passed")
        for name, label in labels.items():
            if label is not None and not _LABEL.fullmatch(label):
                raise Invalid(f"{name} id {label[:40]!r} must match {_LABEL.pattern}")
        call_id = labels.get("call") or names.new_id("req")
        return Caller(owner[0], call_id, labels.get("turn"), labels.get("step"))

    async def _stack(
        self, user_id: str, role: str, generation: int, session_id: str | None
    ) -> Caller:
        services, sessions = self.services, self.sessions
        row = await through_outage(lambda: services.get(user_id, role)) if services else None
        if row is None or row.generation != generation:
            raise Unauthorized(f"the token of {user_id}'s {role} is of a passed generation")
        turn: tuple[str | None, str | None] | None = None
        if sessions:
            known = session_id if session_id and _LABEL.fullmatch(session_id) else None
            turn = await through_outage(lambda: sessions.by_session(user_id, known))
        # A name that no agent's call has: a stack must not be able to book over one.
        return Caller(user_id, f"stack:{user_id}:{uuid.uuid4().hex}", *(turn or (None, None)))


async def through_outage(call: Callable[[], Awaitable[T]]) -> T:
    """`call`, again and again for PATIENCE seconds while the database is away."""
    clock = asyncio.get_running_loop().time
    until, pause = clock() + PATIENCE, 0.1
    while True:
        try:
            return await call()
        except StoreUnavailable:
            if clock() + pause > until:
                raise
        await asyncio.sleep(pause)
        pause = min(pause * 2, 1.0)
