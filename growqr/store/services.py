"""Services: what a user's agents want of the pair, and what was last seen of it."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal, NamedTuple

from growqr import names
from growqr.directory import Fence
from growqr.events import EventType, NewEvent
from growqr.redaction import blank
from growqr.store.engine import Database

Role = Literal["opencode", "gitea"]
Desired = Literal["ready", "stopped"]
State = Literal[
    "absent", "starting", "ready", "unhealthy", "stopping", "stopped", "paused", "backoff", "failed"
]
Decision = Literal["open", "restart", "wait", "leave"]
"""What becomes of a service that ended by itself; open: nobody has said yet."""

RECENT = 60.0
"""Seconds for which a use makes a service one in use: twice the time between two signs of use."""

_EVENTS = {
    "starting": EventType.SERVICE_STARTING,
    "ready": EventType.SERVICE_READY,
    "unhealthy": EventType.SERVICE_UNHEALTHY,
    "paused": EventType.SERVICE_PAUSED,
    "stopped": EventType.SERVICE_STOPPED,
    "backoff": EventType.SERVICE_BACKOFF,
    "failed": EventType.SERVICE_FAILED,
}


class Service(NamedTuple):
    """One service of a user: desired by agents and the api, the rest by its reconciler.

    `failed_at`: when it failed, as far as that still counts. `decision`: see Decision; it stands
    until it is carried out.
    """

    user_id: str
    role: str
    desired: str
    state: str
    generation: int
    spec_sha: str | None
    address: str | None
    reason: str | None
    failures: int
    failed_at: list[datetime]
    retry_at: datetime | None
    decision: str | None
    used_at: datetime
    updated_at: datetime


class Services:
    """Wishes from anybody, observations from the holder of `stack:<user>` alone."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def get(self, user_id: str, role: str) -> Service | None:
        """The service as last seen; None when nobody ever wanted it."""
        return await self._db.one("get_service", Service, user=user_id, role=role)

    async def of(self, user_id: str) -> list[Service]:
        """All services of a user."""
        return await self._db.all("services_of", Service, user=user_id)

    async def newest(self, limit: int) -> list[Service]:
        """Services of all users, the latest seen first."""
        return await self._db.all("newest_services", Service, limit=limit)

    async def want(
        self,
        user_id: str,
        role: Role,
        desired: Desired,
        *,
        again: bool = False,
        anew: bool = False,
    ) -> Service:
        """Say what it should be; counts as use. again: try now, even after failures. anew: as
        another generation, whatever runs; its `spec_sha` is then another one too."""
        wish = {"desired": desired, "again": again or anew, "anew": anew}
        row = await self._db.one("want_service", Service, user=user_id, role=role, **wish)
        assert row is not None  # an upsert returns its row
        self._db.notifier.work(names.stack(user_id))
        return row

    def sweep(self) -> None:
        """Have services that nobody knows looked for and removed now; a hint, which may be lost."""
        self._db.notifier.work(names.stack(names.EVERYBODY))

    async def touch(self, user_id: str, role: Role) -> None:
        """It is in use: it rests only some time after the last touch, and not any more."""
        rows = await self._db.all("touch_service", dict, user=user_id, role=role)
        if any(row["resting"] for row in rows):
            self._db.notifier.work(names.stack(user_id))

    async def in_use(self, user_id: str, role: str, *, within: float = RECENT) -> bool:
        """Whether somebody used it in the last `within` seconds, or a prompt is under way in it."""
        params = {"user": user_id, "role": role, "within": within}
        return bool(await self._db.all("service_in_use", dict, **params))

    async def due(
        self, limit: int, *, idle: float = 600.0, paused: float = 1800.0
    ) -> list[Service]:
        """Services that are not as they should be, longest unchanged first."""
        return await self._db.all("due_services", Service, limit=limit, idle=idle, paused=paused)

    async def undecided(self, user_id: str) -> list[Service]:
        """Services that ended by themselves, and nobody has said what becomes of them."""
        return await self._db.all("undecided_services", Service, user=user_id)

    async def users(self) -> list[str]:
        """Users who want a service or may still have one."""
        rows = await self._db.all("users_with_services", dict)
        return [row["user_id"] for row in rows]

    async def users_ready(self) -> list[str]:
        """Users of services that are ready."""
        return [row["user_id"] for row in await self._db.all("users_with_ready", dict)]

    async def decide(
        self, fence: Fence, seen: Service, decision: Decision, *, why: str, by: str
    ) -> bool:
        """Say what becomes of a service that ended by itself; False: no longer a question.

        The Grow Agent says it, or the Host in its stead (`by`); the event names the agent.
        """
        data = {"decision": decision, "why": why, "by": by}
        event = NewEvent(EventType.SERVICE_DECIDED, actor=names.grow_agent(seen.user_id), data=data)
        written = await self._db.fenced(
            fence, "decide_service", [event], user=seen.user_id, role=seen.role,
            decision=decision, used_at=seen.used_at,
        )  # fmt: skip
        if written.changed:
            self._db.notifier.work(names.stack(seen.user_id))
        return written.changed

    async def observe(
        self,
        fence: Fence,
        seen: Service,
        *,
        state: State,
        desired: Desired | None = None,
        generation: int | None = None,
        spec_sha: str | None = None,
        address: str | None = None,
        reason: str | None = None,
        failures: int | None = None,
        failed_at: list[datetime] | None = None,
        retry: float | None = None,
        decision: Decision | None = None,
        unused: bool = False,
    ) -> bool:
        """Record what became of the service `seen`; False when that was known already.

        A change of the state is told as `service.<state>` in the same write. retry: seconds until
        the next try. unused: only if nobody has used it since it was `seen`. Raises Fenced when
        another reconciler has the user's stack.
        """
        if reason is not None:  # a service's own last words may be in it, whatever those are
            reason = "".join(sign if sign.isprintable() else " " for sign in blank(reason))[:2000]
        told: dict[str, Any] = {"reason": reason, "retry_in": retry}
        data = {"role": seen.role} | {key: value for key, value in told.items() if value}
        kind = _EVENTS.get(state) if state != seen.state or reason != seen.reason else None
        written = await self._db.fenced(
            fence, "observe_service", [NewEvent(kind, data=data)] if kind else [],
            user=seen.user_id, role=seen.role, state=state, desired=desired,
            generation=seen.generation if generation is None else generation,
            spec_sha=spec_sha or seen.spec_sha, address=address, reason=reason,
            failures=failures, failed_at=failed_at, retry=retry, decision=decision,
            unused=unused, used_at=seen.used_at,
        )  # fmt: skip
        return written.changed
