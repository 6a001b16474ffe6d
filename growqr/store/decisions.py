"""What a turn waits for a person to decide: asked once, answered once, by whoever comes first."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal, NamedTuple

from growqr import names
from growqr.directory import Fence, Lease
from growqr.errors import AlreadyDecided, NotFound
from growqr.events import EventType, NewEvent
from growqr.states import DecisionState, StepState
from growqr.store import sql
from growqr.store.audit import Act
from growqr.store.engine import Database, event_arrays, execute
from growqr.store.jsonb import jsonb
from growqr.store.steps import Step
from growqr.store.turns import Turn

DecisionKind = Literal["approval", "question", "budget"]

REQUESTS: dict[str, EventType] = {
    "approval": EventType.APPROVAL_REQUESTED,
    "question": EventType.QUESTION_REQUESTED,
    "budget": EventType.BUDGET_EXCEEDED,
}

RESOLUTIONS: dict[str, EventType] = {
    "approval": EventType.APPROVAL_RESOLVED,
    "question": EventType.QUESTION_RESOLVED,
    "budget": EventType.BUDGET_RESOLVED,
}

NOBODY = "nobody answered in time"
"""What is told where a question's time is over."""


class Decision(NamedTuple):
    """One thing asked of a person; `asked` holds exactly what, `options` what may be said."""

    id: str
    user_id: str
    thread_id: str
    turn_id: str
    step_id: str | None
    kind: str
    asked: dict[str, Any]
    options: list[str]
    state: str
    answer: str | None
    answered_by: str | None
    created_at: datetime
    expires_at: datetime
    answered_at: datetime | None
    used_at: datetime | None


class Decisions:
    """Approvals, questions and budgets of users."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def get(self, user_id: str | None, decision_id: str) -> Decision:
        """Raises NotFound, also for somebody else's; None as user: anybody's."""
        found = await self._db.one("get_decision", Decision, user=user_id, decision=decision_id)
        if found is None:
            raise NotFound(f"there is nothing to decide named {decision_id}")
        return found

    async def of_turns(self, user_id: str, turn_ids: Sequence[str]) -> list[Decision]:
        """All that was asked in these turns, decided or not, oldest first."""
        return await self._db.all(
            "decisions_of_turns", Decision, user=user_id, turns=list(turn_ids)
        )

    async def list(
        self,
        user_id: str,
        kinds: Sequence[DecisionKind],
        *,
        limit: int,
        after: str | None = None,
        ended: bool = False,
    ) -> list[Decision]:
        """What is open, oldest first, behind the id `after`; `ended`: also what was decided."""
        which = "all_decisions" if ended else "open_decisions"
        return await self._db.all(
            which, Decision, user=user_id, kinds=list(kinds), limit=limit, after=after or ""
        )

    async def about(self, step_id: str) -> Decision | None:
        """The newest decision about a tool call."""
        return await self._db.one("decision_of_step", Decision, step=step_id)

    async def ask(
        self,
        fence: Fence,
        turn: Turn,
        kind: DecisionKind,
        asked: dict[str, Any],
        *,
        key: object,
        expiry: float,
        step_id: str | None = None,
        options: Sequence[str] = (),
    ) -> Decision:
        """Ask, once for the same `key` of a turn; the turn then has to wait.

        `expiry`: seconds until it is decided by nobody. Raises Fenced.
        """
        decision = names.derived_id("dec", turn.id, kind, key)
        await self._db.fenced(
            fence,
            "ask",
            [NewEvent(REQUESTS[kind], data={"asked": asked, "options": list(options)})],
            decision=decision,
            turn=turn.id,
            thread=turn.thread_id,
            step=step_id,
            kind=kind,
            asked=jsonb(asked),
            options=jsonb(list(options)),
            expiry=expiry,
        )
        return await self.get(None, decision)

    async def ask_about_unknown(
        self, fence: Fence, turn: Turn, step: Step, told: str, *, expiry: float
    ) -> bool:
        """Set an interrupted call `unknown` and ask whether to make it again. Raises Fenced.

        `told` is what the model hears of it if nobody says so.
        """
        asked = {"reason": "unknown", "name": step.name, "input": step.input, "text": told}
        gone = {"tool_use_id": step.tool_use_id, "name": step.name, "output": told}
        options = ["approve", "deny"]
        written = await self._db.fenced(
            fence,
            "ask_about_unknown",
            [
                NewEvent(EventType.TOOL_UNKNOWN, data=gone),
                NewEvent(EventType.APPROVAL_REQUESTED, data={"asked": asked, "options": options}),
            ],
            decision=names.derived_id("dec", step.id, step.epoch),
            turn=turn.id,
            thread=turn.thread_id,
            step=step.id,
            asked=jsonb(asked),
            options=jsonb(options),
            output=jsonb({"content": told}),
            expiry=expiry,
        )
        return written.changed

    async def repeat_tool(
        self, fence: Fence, turn: Turn, step: Step, decision_id: str | None = None
    ) -> bool:
        """Claim a call again: it did not happen, or the decision allows it once more."""
        data = {"tool_use_id": step.tool_use_id, "name": step.name, "input": step.input}
        written = await self._db.fenced(
            fence,
            "repeat_tool",
            [NewEvent(EventType.TOOL_STARTED, data=data)],
            step=step.id,
            turn=turn.id,
            thread=turn.thread_id,
            decision=decision_id,
        )
        return written.changed

    async def resolve(
        self,
        decision: Decision,
        state: DecisionState,
        answer: str | None,
        by: str,
        act: Act | None = None,
    ) -> tuple[Decision, Lease | None]:
        """Decide; the lease is that of the agent that may go on.

        The same answer again is answered as the first time, without a lease. `act`: from where,
        for the audit log. Raises AlreadyDecided when it was decided otherwise or its time is over.
        """
        lease = await self._decide(decision, state, answer, by, act)
        now = await self.get(decision.user_id, decision.id)
        if lease is None and (now.state, now.answer) != (state.value, answer):
            over = now.state if now.state != DecisionState.OPEN else "expired"
            raise AlreadyDecided(f"{decision.id} is already {over}", {"state": over})
        return now, lease

    async def expire(self, decision_id: str) -> Lease | None:
        """Its time is over: the turn goes on without an answer. None: it was decided before."""
        decision = await self.get(None, decision_id)
        return await self._decide(decision, DecisionState.EXPIRED, None, "expiry")

    async def _decide(
        self,
        decision: Decision,
        state: DecisionState,
        answer: str | None,
        by: str,
        act: Act | None = None,
    ) -> Lease | None:
        events, result = _resolved(decision, state, answer, by)
        params = {
            "decision": decision.id,
            "user": decision.user_id,
            "state": state.value,
            "answer": answer,
            "by": by,
            "step_state": (StepState.DONE if answer is not None else StepState.FAILED).value,
            "output": jsonb({"content": result}),
            **event_arrays(events),
            **(act or Act(by, "own")).noted(f"decision.{state.value}", **_about(decision)),
        }
        row = await self._db.within(self._written(params))
        if row is None:
            return None
        self._db.notifier.event(row["user_id"], row["seq"])
        return Lease(row["key"], row["epoch"], row["live"])

    async def _written(self, params: dict[str, Any]) -> dict[str, Any] | None:
        async with self._db.transaction("decide") as conn:
            await execute(conn, sql.texts()["lock_decided"], params)
            rows = await execute(conn, sql.texts()["decide"], params)
        return rows[0] if rows else None


_AT_STAKE = frozenset({"name", "scope", "unit"})


def _about(decision: Decision) -> dict[str, Any]:
    """What the audit log keeps of it: what was at stake, and nothing that was said."""
    told = {key: value for key, value in decision.asked.items() if key in _AT_STAKE}
    return {"kind": decision.kind, "turn": decision.turn_id, **told}


def _resolved(
    decision: Decision, state: DecisionState, answer: str | None, by: str
) -> tuple[list[NewEvent], str]:
    """The events of an answer, and what the tool call that asked is given."""
    told = {"decision_id": decision.id, "decision": state.value, "answer": answer, "by": by}
    events = [NewEvent(RESOLUTIONS[decision.kind], data=told)]
    result = NOBODY if answer is None else answer
    if decision.kind == "question":
        kind = EventType.TOOL_FAILED if answer is None else EventType.TOOL_COMPLETED
        call = {"tool_use_id": decision.asked.get("tool_use_id"), "name": "ask_user"}
        events.append(NewEvent(kind, data=call | {"output": result}))
    return events, result
