"""Turns: claimed by the owner of a lease, ended once."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any, NamedTuple

from growqr import names
from growqr.directory import Fence, Lease
from growqr.errors import Conflict, NotFound
from growqr.events import EventType, NewEvent
from growqr.redaction import blanked
from growqr.states import StepState, TurnState, sources
from growqr.store import sql
from growqr.store.engine import Connection, Database, event_arrays, execute
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


WITHDRAWN = {"code": "withdrawn", "message": "the message was taken back"}
"""Why a turn never began; its message is not shown any more."""


class Turn(NamedTuple):
    """Everything done about one message; `epoch` is that of the owner who claimed it last.

    `seconds_left` until its deadline, by the database's clock when it was read.
    """

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
    waiting_since: datetime | None
    seconds_left: float | None


class Parent(NamedTuple):
    """A tool call whose result is the end of another turn."""

    id: str
    turn_id: str
    tool_use_id: str
    name: str
    open: bool
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

    async def named(self, user_id: str, turn_ids: Sequence[str]) -> list[Turn]:
        """Those of these turns that are the user's, the oldest first."""
        return await self._db.all("turns_named", Turn, user=user_id, turns=list(turn_ids))

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
        end = _End(turn_id, state, result=result, error=error, actor=fence.key)
        written = await self._db.fenced(
            fence,
            "finish_turn",
            after="lock_ending_turn",
            prepared=end.prepared,
            turn=turn_id,
            sources=sources(state),
        )
        return written.changed

    async def wait(self, fence: Fence, turn_id: str) -> bool:
        """Let the turn wait for what it asked and delegated; False: nothing is open, go on.

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
        end = _End(turn_id, TurnState.CANCELLED, actor=user_id)
        known = await self._end(user_id, end)
        turn = await self.get(user_id, turn_id)
        if not known and turn.state != TurnState.CANCELLED:
            raise Conflict(f"the turn {turn_id} is already {turn.state}")
        leases = await self._concerned(turn)
        for child in await self._db.all("child_turns", dict, turn=turn_id):
            with suppress(Conflict):  # it has just ended by itself
                leases += (await self.cancel(user_id, child["id"]))[1]
        return turn, leases

    async def cancel_all(self, user_id: str, lease_key: str | None = None) -> list[Lease]:
        """Ask for the end of every turn of one agent, or of all; the leases of whom to tell."""
        if lease_key is None:
            turns = await self._db.all("unfinished_of_user", Turn, user=user_id)
        else:
            turns = await self.unfinished(lease_key)
        leases: list[Lease] = []
        for turn in turns:
            leases += (await self.cancel(user_id, turn.id))[1]
        return leases

    async def withdraw(self, user_id: str, message_id: str) -> Turn:
        """Take a message back that nobody has begun with: it was never said.

        Raises NotFound, or Conflict when its turn has begun or ended.
        """
        row = await self._db.one("turn_of_message", dict, user=user_id, message=message_id)
        if row is None:
            raise NotFound(f"there is no message {message_id} of yours")
        gone = NewEvent(EventType.MESSAGE_WITHDRAWN, data={"message_id": message_id})
        end = _End(row["turn_id"], TurnState.CANCELLED, error=WITHDRAWN, actor=user_id, told=[gone])
        known = await self._end(user_id, end, unbegun=True)
        turn = await self.get(user_id, row["turn_id"])
        if not known and turn.error != WITHDRAWN:
            raise Conflict(f"the message is no longer queued: its turn {turn.id} is {turn.state}")
        return turn

    async def give_up(self, turn_id: str, error: dict[str, str]) -> list[Lease]:
        """End a turn as failed without its owner: its time is over, or it has none.

        `error`: code and message. Answers with the leases of all who should be told.
        """
        turn = await self.get(None, turn_id)
        end = _End(turn_id, TurnState.FAILED, error=error, actor="supervisor")
        if not await self._end(turn.user_id, end, force=True):
            return []
        return await self._concerned(turn)

    async def _end(
        self, user_id: str, end: _End, *, unbegun: bool = False, force: bool = False
    ) -> bool:
        """End the turn or ask for its end, from outside; False when it had ended before."""
        params = {"user": user_id, "turn": end.turn_id, "unbegun": unbegun, "force": force}
        params["actor"] = end.actor
        row = await self._db.within(self._ended(end, params))
        if row is not None and row["seq"] is not None:
            self._db.notifier.event(user_id, row["seq"])
        return row is not None

    async def _ended(self, end: _End, params: dict[str, Any]) -> dict[str, Any] | None:
        async with self._db.transaction("end_turn") as conn:
            await execute(conn, sql.texts()["lock_ending_turn"], params)
            events, ending = await end.prepared(conn)
            params |= ending | event_arrays(events)
            rows = await execute(conn, sql.texts()["end_turn"], params)
        return rows[0] if rows else None

    async def _concerned(self, turn: Turn) -> list[Lease]:
        """Leases of the turn's agent and of the one that waits for it."""
        parent = await self.parent(turn.id)
        keys = [turn.lease_key] + ([parent.lease_key] if parent else [])
        found = [await self._db.one("get_lease", Lease, key=key) for key in keys]
        return [lease or Lease(key, 0, live=False) for key, lease in zip(keys, found, strict=True)]


class _End:
    """The end of a turn: its events, and the result of the tool call that waits for it."""

    def __init__(
        self,
        turn_id: str,
        state: TurnState,
        *,
        actor: str,
        result: str | None = None,
        error: dict[str, Any] | None = None,
        told: Sequence[NewEvent] = (),
    ) -> None:
        self.turn_id, self.actor = turn_id, actor
        self._state, self._result, self._told = state, result, told
        self._error = blanked(error)

    async def prepared(self, conn: Connection) -> tuple[list[NewEvent], dict[str, Any]]:
        """Events and parameters, once the rows of this turn and its parent are locked."""
        data: dict[str, Any] = {"error": self._error} if self._error else {}
        if self._result is not None:
            data["text"] = self._result
        events = [*self._told, NewEvent(ENDS[self._state], data=data)]
        done = self._state == TurnState.COMPLETED
        why = self._error["message"] if self._error else f"the turn was {self._state}"
        answer = (self._result or "") if done else why
        found = await execute(conn, sql.texts()["parent_step"], {"turn": self.turn_id}, Parent)
        if found and found[0].open:
            events.append(_answered(found[0], answer, done=done))
        if names.is_sub_agent(self.actor):
            events.append(NewEvent(SUB_AGENT_ENDS[self._state], data=data))
        return events, {
            "state": self._state.value,
            "result": self._result,
            "error": jsonb(self._error),
            "interrupted": jsonb({"content": f"interrupted: {why}"}),
            "parent_state": (StepState.DONE if done else StepState.FAILED).value,
            "parent_output": jsonb({"content": answer}),
        }


def _answered(parent: Parent, answer: str, *, done: bool) -> NewEvent:
    told = {"tool_use_id": parent.tool_use_id, "name": parent.name, "output": answer}
    kind = EventType.TOOL_COMPLETED if done else EventType.TOOL_FAILED
    return NewEvent(kind, parent.thread_id, parent.turn_id, parent.id, data=told)
