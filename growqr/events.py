"""Event types and their envelope: one wire format for journal, SSE, UI and tests."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, NamedTuple


class EventType(StrEnum):
    """Durable events, `noun.verb`. Everything a client may rely on seeing exactly once."""

    THREAD_CREATED = "thread.created"
    THREAD_CHANGED = "thread.changed"
    MESSAGE_CREATED = "message.created"
    MESSAGE_WITHDRAWN = "message.withdrawn"
    TURN_STARTED = "turn.started"
    TURN_WAITING = "turn.waiting"
    TURN_COMPLETED = "turn.completed"
    TURN_FAILED = "turn.failed"
    TURN_CANCELLED = "turn.cancelled"
    TOOL_REQUESTED = "tool.requested"
    TOOL_STARTED = "tool.started"
    TOOL_COMPLETED = "tool.completed"
    TOOL_FAILED = "tool.failed"
    TOOL_UNKNOWN = "tool.unknown"
    APPROVAL_REQUESTED = "approval.requested"
    APPROVAL_RESOLVED = "approval.resolved"
    QUESTION_REQUESTED = "question.requested"
    QUESTION_RESOLVED = "question.resolved"
    BUDGET_EXCEEDED = "budget.exceeded"
    BUDGET_RESOLVED = "budget.resolved"
    TIMER_SET = "timer.set"
    TIMER_FIRED = "timer.fired"
    TIMER_REMOVED = "timer.removed"
    MEMORY_COMMITTED = "memory.committed"
    SUB_AGENT_SPAWNED = "sub_agent.spawned"
    SUB_AGENT_STARTED = "sub_agent.started"
    SUB_AGENT_PROGRESS = "sub_agent.progress"
    SUB_AGENT_COMPLETED = "sub_agent.completed"
    SUB_AGENT_FAILED = "sub_agent.failed"
    SUB_AGENT_STOPPED = "sub_agent.stopped"
    SERVICE_STARTING = "service.starting"
    SERVICE_READY = "service.ready"
    SERVICE_UNHEALTHY = "service.unhealthy"
    SERVICE_DECIDED = "service.decided"
    SERVICE_PAUSED = "service.paused"
    SERVICE_STOPPED = "service.stopped"
    SERVICE_BACKOFF = "service.backoff"
    SERVICE_FAILED = "service.failed"


TURN_ENDS = frozenset({EventType.TURN_COMPLETED, EventType.TURN_FAILED, EventType.TURN_CANCELLED})


@dataclass(frozen=True, slots=True)
class NewEvent:
    """An event before it has its number; `data` is JSON-safe.

    Thread, turn, step and actor are those of the write that carries it, unless they are given.
    """

    type: EventType
    thread_id: str | None = None
    turn_id: str | None = None
    step_id: str | None = None
    actor: str | None = None
    data: dict[str, Any] = field(default_factory=dict)


class Event(NamedTuple):
    """A journaled event. `seq` counts 1, 2, 3 … per user, without a gap."""

    seq: int
    type: str
    time: datetime
    thread_id: str | None
    turn_id: str | None
    step_id: str | None
    actor: str | None
    data: dict[str, Any]

    def envelope(self) -> dict[str, Any]:
        """The JSON object sent to clients."""
        return self._asdict() | {"time": self.time.astimezone(UTC).isoformat()}


@dataclass(frozen=True, slots=True)
class Delta:
    """A piece of a reply while it is being written. Never journaled; losing it loses nothing.

    `offset` counts the characters of this step sent before it; a client drops its draft when
    `epoch` changes, because a successor writes the reply anew.
    """

    user_id: str
    thread_id: str
    turn_id: str
    step_id: str
    epoch: int
    offset: int
    text: str
    kind: str = "text"
