"""Services: what a user's agents want of the pair, and what was last seen of it."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal, NamedTuple

from growqr import names
from growqr.directory import Fence
from growqr.events import EventType, NewEvent
from growqr.store.engine import Database

Role = Literal["opencode", "gitea"]
Desired = Literal["ready", "stopped"]
State = Literal[
    "absent", "starting", "ready", "unhealthy", "stopping", "stopped", "paused", "backoff", "failed"
]

_EVENTS = {
    "starting": EventType.SERVICE_STARTING,
    "ready": EventType.SERVICE_READY,
    "unhealthy": EventType.SERVICE_UNHEALTHY,
    "stopped": EventType.SERVICE_STOPPED,
    "backoff": EventType.SERVICE_BACKOFF,
    "failed": EventType.SERVICE_FAILED,
}


class Service(NamedTuple):
    """One service of a user: desired by agents and the api, the rest by its reconciler."""

    user_id: str
    role: str
    desired: str
    state: str
    generation: int
    spec_sha: str | None
    address: str | None
    reason: str | None
    failures: int
    retry_at: datetime | None
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
        self, user_id: str, role: Role, desired: Desired, *, again: bool = False
    ) -> Service:
        """Say what it should be; counts as use. again: try now, even after failures."""
        row = await self._db.one(
            "want_service", Service, user=user_id, role=role, desired=desired, again=again
        )
        assert row is not None  # an upsert returns its row
        self._db.notifier.work(names.stack(user_id))
        return row

    async def touch(self, user_id: str, role: Role) -> None:
        """It is in use: it is stopped only some time after the last touch."""
        await self._db.all("touch_service", dict, user=user_id, role=role)

    async def is_idle(self, user_id: str, role: str, *, idle: float) -> bool:
        """Whether nobody used it for `idle` seconds and no prompt runs in it."""
        params = {"user": user_id, "role": role, "idle": idle}
        return bool(await self._db.all("service_is_idle", dict, **params))

    async def due(self, limit: int, *, idle: float = 600.0) -> list[Service]:
        """Services that are not as they should be, longest unchanged first."""
        return await self._db.all("due_services", Service, limit=limit, idle=idle)

    async def users(self) -> list[str]:
        """Users who want a service or may still have one."""
        rows = await self._db.all("users_with_services", dict)
        return [row["user_id"] for row in rows]

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
        retry: float | None = None,
    ) -> bool:
        """Record what became of the service `seen`; False when that was known already.

        A change of the state is told as `service.<state>` in the same write. retry: seconds until
        the next try. Raises Fenced when another reconciler has the user's stack.
        """
        told: dict[str, Any] = {"reason": reason, "retry_in": retry}
        data = {"role": seen.role} | {key: value for key, value in told.items() if value}
        kind = _EVENTS.get(state) if state != seen.state or reason != seen.reason else None
        written = await self._db.fenced(
            fence, "observe_service", [NewEvent(kind, data=data)] if kind else [],
            user=seen.user_id, role=seen.role, state=state, desired=desired,
            generation=seen.generation if generation is None else generation,
            spec_sha=spec_sha or seen.spec_sha, address=address, reason=reason,
            failures=seen.failures if failures is None else failures, retry=retry,
        )  # fmt: skip
        return written.changed
