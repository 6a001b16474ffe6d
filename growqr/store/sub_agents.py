"""Sub-agents: each with its lease and its channel, a bounded number alive."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple

from psycopg.errors import UniqueViolation

from growqr import names
from growqr.directory import Fence
from growqr.errors import Conflict, Fenced, NotFound, TooMany
from growqr.store import sql
from growqr.store.engine import Database, execute
from growqr.store.jsonb import jsonb


class SubAgent(NamedTuple):
    """A sub-agent as stored; `session_id` is OpenCode's, `last_turn` its present turn's state.

    `parent`: the actor that made it, None where the journal no longer tells.
    """

    user_id: str
    id: str
    type: str
    channel_id: str
    thread_id: str
    lease_key: str
    depth: int
    session_id: str | None
    created_at: datetime
    stopped_at: datetime | None
    last_turn: str | None
    turn_id: str | None = None
    parent: str | None = None

    @property
    def state(self) -> str:
        """stopped, working, waiting or idle."""
        if self.stopped_at:
            return "stopped"
        return {"running": "working", "queued": "working", "waiting": "waiting"}.get(
            self.last_turn or "", "idle"
        )


class SubAgents:
    """The sub-agents of each user."""

    def __init__(self, db: Database, limit: int) -> None:
        """limit: sub-agents of one user that are not stopped."""
        self._db = db
        self._limit = limit

    async def spawn(
        self,
        user_id: str,
        type: str,
        *,
        channel_id: str | None = None,
        sub_agent_id: str | None = None,
        actor: str,
        fence: Fence | None = None,
    ) -> SubAgent:
        """A new sub-agent, or the one with this `sub_agent_id`, or of this type and channel.

        Raises TooMany at the limit, Conflict when another type has this channel, Fenced.
        """
        chosen = sub_agent_id or names.sub_agent_id(type)
        channel = channel_id or f"ch-{chosen}"
        params = {
            "user": user_id,
            "id": chosen,
            "type": type,
            "channel": channel,
            "thread": names.derived_id("thr", user_id, chosen),
            "lease_key": names.sub_agent(user_id, chosen),
            "depth": 1,
            "limit": self._limit,
            "actor": actor,
            "data": jsonb({"sub_agent_id": chosen, "type": type, "channel_id": channel}),
        }
        try:
            rows = await self._db.within(self._spawn(params, fence))
        except UniqueViolation:
            return await self._of_channel(user_id, channel, type)
        if rows:
            self._db.notifier.event(user_id, rows[0]["seq"])
        try:
            return await self.get(user_id, chosen)
        except NotFound:
            raise TooMany(f"{self._limit} sub-agents are alive; stop one of them first") from None

    async def get(self, user_id: str, sub_agent_id: str) -> SubAgent:
        """Raises NotFound, also for somebody else's."""
        found = await self._db.one("get_sub_agent", SubAgent, user=user_id, id=sub_agent_id)
        if found is None:
            raise NotFound(f"there is no sub-agent {sub_agent_id}")
        return found

    async def of_lease(self, key: str) -> SubAgent | None:
        """The sub-agent whose lease this is."""
        return await self._db.one("sub_agent_of_lease", SubAgent, key=key)

    async def stop(self, user_id: str, sub_agent_id: str, *, actor: str) -> SubAgent:
        """No further turns; idempotent. Ending what runs is the caller's. Raises NotFound."""
        data = jsonb({"sub_agent_id": sub_agent_id})
        row = await self._db.one(
            "stop_sub_agent", dict, user=user_id, id=sub_agent_id, actor=actor, data=data
        )
        if row is not None:
            self._db.notifier.event(user_id, row["seq"])
        return await self.get(user_id, sub_agent_id)

    async def _of_channel(self, user_id: str, channel: str, type: str) -> SubAgent:
        found = await self._db.one("sub_agent_of_channel", SubAgent, user=user_id, channel=channel)
        if found is None or found.type != type:
            raise Conflict(f"the channel {channel!r} belongs to another sub-agent")
        return found

    async def _spawn(self, params: dict[str, Any], fence: Fence | None) -> list[Any]:
        async with self._db.transaction("spawn_sub_agent") as conn:
            if fence is not None:
                own = {"fence_key": fence.key, "fence_epoch": fence.epoch}
                if not await execute(conn, sql.texts()["lock_fence"], own):
                    raise Fenced(f"the lease {fence.key} has passed on from epoch {fence.epoch}")
            await execute(conn, sql.texts()["lock_stream"], params)
            return await execute(conn, sql.texts()["spawn_sub_agent"], params)

    async def list(self, user_id: str, *, limit: int, after: str | None = None) -> list[SubAgent]:
        """Ascending by id, from the one behind `after`."""
        return await self._db.all(
            "list_sub_agents", SubAgent, user=user_id, after=after or "", limit=limit
        )
