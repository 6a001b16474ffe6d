"""Turns: claimed by the owner of a lease, ended once."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple

from growqr.directory import Fence, Lease
from growqr.errors import Conflict, NotFound
from growqr.events import EventType, NewEvent
from growqr.states import TurnState, sources
from growqr.store.engine import Database
from growqr.store.jsonb import jsonb

ENDS = {
    TurnState.COMPLETED: EventType.TURN_COMPLETED,
    TurnState.FAILED: EventType.TURN_FAILED,
    TurnState.CANCELLED: EventType.TURN_CANCELLED,
}


class Turn(NamedTuple):
    """Everything done about one message; `epoch` is that of the owner who claimed it last."""

    id: str
    user_id: str
    thread_id: str
    lease_key: str
    state: str
    waiting: str | None
    epoch: int
    claims: int
    cancel_requested: bool
    result: str | None
    error: dict[str, Any] | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    deadline_at: datetime | None


class Turns:
    """The queue of each agent."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def get(self, user_id: str | None, turn_id: str) -> Turn:
        """Raises NotFound, also for somebody else's turn; None as user: anybody's."""
        turn = await self._db.one("get_turn", Turn, user=user_id, turn=turn_id)
        if turn is None:
            raise NotFound(f"there is no turn {turn_id}")
        return turn

    async def unfinished(self, lease_key: str) -> list[Turn]:
        """Turns of an agent that have not ended, oldest first."""
        return await self._db.all("unfinished_turns", Turn, key=lease_key)

    async def claim(self, fence: Fence, *, deadline: float) -> Turn | None:
        """The next turn this owner may work on, now running under its epoch; None: no work.

        `deadline`: seconds from the first claim until the turn must have ended.
        """
        event = NewEvent(EventType.TURN_STARTED)
        written = await self._db.fenced(fence, "claim_turn", [event], deadline=deadline)
        return await self.get(None, str(written.turn_id)) if written.changed else None

    async def finish(
        self,
        fence: Fence,
        turn_id: str,
        state: TurnState,
        *,
        result: str | None = None,
        error: dict[str, Any] | None = None,
    ) -> bool:
        """End the turn, once; False when it had ended before."""
        data: dict[str, Any] = {"error": error} if error else {}
        if result is not None:
            data["text"] = result
        why = error["message"] if error else f"the turn was {state} before this was done"
        written = await self._db.fenced(
            fence,
            "finish_turn",
            [NewEvent(ENDS[state], data=data)],
            turn=turn_id,
            state=state.value,
            result=result,
            error=jsonb(error),
            interrupted=jsonb({"content": f"interrupted: {why}"}),
            sources=sources(state),
        )
        return written.changed

    async def cancel(self, user_id: str, turn_id: str) -> tuple[Turn, Lease]:
        """Ask for the end of a turn; a queued one ends at once. Answers with the agent's lease.

        Raises NotFound, or Conflict when the turn has already ended otherwise.
        """
        row = await self._db.one("cancel_turn", dict, user=user_id, turn=turn_id)
        turn = await self.get(user_id, turn_id)
        if row is None and turn.state != TurnState.CANCELLED:
            raise Conflict(f"the turn {turn_id} is already {turn.state}")
        if row is not None and row["seq"] is not None:
            self._db.notifier.event(user_id, row["seq"])
        lease = await self._db.one("get_lease", Lease, key=turn.lease_key)
        return turn, lease or Lease(turn.lease_key, 0, live=False)
