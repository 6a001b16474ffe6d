"""Turns: claimed by the owner of a lease, ended once."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime
from typing import Any, NamedTuple

from growqr import names
from growqr.directory import Fence, Lease
from growqr.errors import Conflict, NotFound
from growqr.events import EventType, NewEvent
from growqr.states import StepState, TurnState, sources
from growqr.store import sql
from growqr.store.engine import Database, event_arrays, execute
from growqr.store.jsonb import jsonb

ENDS = {
    TurnState.COMPLETED: EventType.TURN_COMPLETED,
    TurnState.FAILED: EventType.TURN_FAILED,
    TurnState.CANCELLED: EventType.TURN_CANCELLED,
}

SUB_AGENT_ENDS = {
    TurnState.COMPLETED: EventType.SUB_AGENT_COMPLETED,
    TurnState.FAILED: EventType.SUB_AGENT_FAILED,
    TurnState.CANCELLED: EventType.SUB_AGENT_FAILED,
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
    parent_step: str | None
    seq: int


class Parent(NamedTuple):
    """A tool call whose result is the end of another turn."""

    id: str
    turn_id: str
    tool_use_id: str
    name: str
    thread_id: str
    lease_key: str


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
        answer = result if state == TurnState.COMPLETED else why
        events, answered = await self._ending(turn_id, state, data, answer or "")
        if names.is_sub_agent(fence.key):
            events.append(NewEvent(SUB_AGENT_ENDS[state], data=data))
        written = await self._db.fenced(
            fence,
            "finish_turn",
            events,
            after="lock_ending_turn",
            turn=turn_id,
            state=state.value,
            result=result,
            error=jsonb(error),
            interrupted=jsonb({"content": f"interrupted: {why}"}),
            sources=sources(state),
            **answered,
        )
        return written.changed

    async def wait(self, fence: Fence, turn_id: str) -> bool:
        """Let the turn wait for its open tool calls; False: there is none any more, go on.

        Also True when it waited and that has ended since: it goes on by being claimed again.
        """
        event = NewEvent(EventType.TURN_WAITING)
        written = await self._db.fenced(
            fence, "wait_turn", [event], after="lock_turn", turn=turn_id
        )
        return written.changed or (await self.get(None, turn_id)).state != TurnState.RUNNING

    async def has_child(self, step_id: str) -> bool:
        """Whether a turn was queued whose end is this tool step's result."""
        return bool(await self._db.all("child_of_step", dict, step=step_id))

    async def parent(self, turn_id: str) -> Parent | None:
        """The tool call that waits for this turn's end."""
        return await self._db.one("parent_step", Parent, turn=turn_id)

    async def cancel(self, user_id: str, turn_id: str) -> tuple[Turn, list[Lease]]:
        """Ask for the end of a turn and of those it waits for; what does not run ends at once.

        Answers with the leases of all who should be told. Raises NotFound, or Conflict when the
        turn has already ended otherwise.
        """
        cancelled = await self._db.within(self._cancel(user_id, turn_id))
        turn = await self.get(user_id, turn_id)
        if cancelled is None and turn.state != TurnState.CANCELLED:
            raise Conflict(f"the turn {turn_id} is already {turn.state}")
        if cancelled is not None and cancelled["seq"] is not None:
            self._db.notifier.event(user_id, cancelled["seq"])
        parent = await self.parent(turn_id)
        leases = [await self._lease(turn.lease_key)]
        leases += [await self._lease(parent.lease_key)] if parent else []
        for child in await self._db.all("child_turns", dict, turn=turn_id):
            with suppress(Conflict):  # it has just ended by itself
                leases += (await self.cancel(user_id, child["id"]))[1]
        return turn, leases

    async def cancel_all(self, user_id: str, lease_key: str) -> list[Lease]:
        """Ask for the end of every turn of one agent; the leases of all who should be told."""
        leases: list[Lease] = []
        for turn in await self.unfinished(lease_key):
            leases += (await self.cancel(user_id, turn.id))[1]
        return leases

    async def _cancel(self, user_id: str, turn_id: str) -> dict[str, Any] | None:
        events, answered = await self._ending(turn_id, TurnState.CANCELLED, {}, "cancelled")
        params = {"user": user_id, "turn": turn_id, **answered, **event_arrays(events)}
        params["interrupted"] = jsonb({"content": "interrupted: the turn was cancelled"})
        async with self._db.transaction("cancel_turn") as conn:
            await execute(conn, sql.texts()["lock_ending_turn"], params)
            rows = await execute(conn, sql.texts()["cancel_turn"], params)
        return rows[0] if rows else None

    async def _ending(
        self, turn_id: str, state: TurnState, data: dict[str, Any], answer: str
    ) -> tuple[list[NewEvent], dict[str, Any]]:
        """Events of a turn's end, and what its parent's tool call is answered."""
        events = [NewEvent(ENDS[state], data=data)]
        done = state == TurnState.COMPLETED
        if parent := await self.parent(turn_id):
            told = {"tool_use_id": parent.tool_use_id, "name": parent.name, "output": answer}
            kind = EventType.TOOL_COMPLETED if done else EventType.TOOL_FAILED
            events.append(NewEvent(kind, parent.thread_id, parent.turn_id, parent.id, data=told))
        step = StepState.DONE if done else StepState.FAILED
        return events, {
            "parent_state": step.value,
            "parent_output": jsonb({"content": answer}),
        }

    async def _lease(self, key: str) -> Lease:
        lease = await self._db.one("get_lease", Lease, key=key)
        return lease or Lease(key, 0, live=False)
