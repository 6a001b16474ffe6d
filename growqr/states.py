"""Transition tables. A state changes only along an arrow; the SQL CHECKs hold the same names.

And what becomes of a service that ended by itself: a question to agents, who load no services.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Literal, NamedTuple

from growqr.errors import Conflict


class TurnState(StrEnum):
    """Where a turn stands. `waiting` says for whom in its own column."""

    QUEUED = "queued"
    RUNNING = "running"
    WAITING = "waiting"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"


class StepState(StrEnum):
    """Where a step stands. `unknown`: an unsafe effect may or may not have happened."""

    INTENT = "intent"
    DONE = "done"
    FAILED = "failed"
    UNKNOWN = "unknown"


class DecisionState(StrEnum):
    """Where a decision stands. `closed`: its turn ended before anybody answered."""

    OPEN = "open"
    APPROVED = "approved"
    DENIED = "denied"
    ANSWERED = "answered"
    EXPIRED = "expired"
    CLOSED = "closed"


class AgentState(StrEnum):
    """Computed from the lease and the queue, never stored."""

    AWAKE = "awake"
    WAKING = "waking"
    ASLEEP = "asleep"


TURN_MOVES: dict[TurnState, frozenset[TurnState]] = {
    TurnState.QUEUED: frozenset({TurnState.RUNNING, TurnState.CANCELLED, TurnState.FAILED}),
    TurnState.RUNNING: frozenset(
        {TurnState.WAITING, TurnState.COMPLETED, TurnState.FAILED, TurnState.CANCELLED}
    ),
    TurnState.WAITING: frozenset({TurnState.QUEUED, TurnState.FAILED, TurnState.CANCELLED}),
    TurnState.COMPLETED: frozenset(),
    TurnState.FAILED: frozenset(),
    TurnState.CANCELLED: frozenset(),
}

STEP_MOVES: dict[StepState, frozenset[StepState]] = {
    StepState.INTENT: frozenset({StepState.DONE, StepState.FAILED, StepState.UNKNOWN}),
    StepState.DONE: frozenset(),
    StepState.FAILED: frozenset(),
    StepState.UNKNOWN: frozenset({StepState.INTENT}),  # once a person has said: do it again
}


DECISION_MOVES: dict[DecisionState, frozenset[DecisionState]] = {
    DecisionState.OPEN: frozenset(set(DecisionState) - {DecisionState.OPEN}),
    **{state: frozenset() for state in DecisionState if state != DecisionState.OPEN},
}


def sources(target: TurnState) -> list[str]:
    """The states a turn may come from to reach `target`; SQL updates take them as parameter."""
    return [state.value for state, targets in TURN_MOVES.items() if target in targets]


def agent_state(*, live: bool, work: bool) -> AgentState:
    """What to show for an agent: lease live, unfinished turns present."""
    if live:
        return AgentState.AWAKE
    return AgentState.WAKING if work else AgentState.ASLEEP


def move(current: TurnState, target: TurnState) -> TurnState:
    """`target`, or Conflict naming both states when there is no arrow between them."""
    if target not in TURN_MOVES[current]:
        raise Conflict(f"a turn that is {current} cannot become {target}")
    return target


class Verdict(NamedTuple):
    """What becomes of a service that ended by itself, and why."""

    decision: Literal["restart", "wait", "leave"]
    why: str


def decide(failures: int, retry_at: datetime | None, *, busy: bool, now: datetime) -> Verdict:
    """What becomes of a service after so many failures, with no try before `retry_at`.

    busy: somebody uses it, or waits for it.
    """
    if retry_at is not None and retry_at > now:
        return Verdict("wait", f"it failed {failures} times: again at {retry_at:%H:%M:%S} UTC")
    if busy:
        return Verdict("restart", "it is in use")
    return Verdict("leave", "nobody uses it: the next use starts it")
