"""Whose turn it is: every state that is not final has an owner and a deadline, in one table.

Pure: a snapshot goes in, what has to be done comes out. So nothing can hang for ever, whatever
signal was lost, and a test can try every state.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from growqr.directory import Fence, Lease
from growqr.states import TurnState
from growqr.store import DueTimer, OpenDecision, OpenLease, OpenService, OpenTurn, Snapshot


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds of patience.

    turn: a turn that may run, without an agent. grace: a turn beyond its own deadline, which its
    agent should have seen. start: an agent's start, until its epoch is burnt. hint: work that an
    awake agent seems not to know of. deaf: the same, of one that takes itself for idle, as its
    lease of more than `lease` seconds shows: it stands still, and loses nothing by being replaced.
    wait: a turn that waits for nothing. service: one that no host looks after.

    A start is burnt in the database, not by killing the actor: Ray ends a pending actor in
    milliseconds, but then lets its name be made again, and one that nobody can reach would still
    come late.
    """

    turn: float = 1800.0
    grace: float = 60.0
    start: float = 20.0
    hint: float = 1.0
    deaf: float = 5.0
    lease: float = 10.0
    wait: float = 5.0
    service: float = 300.0


class Watch(NamedTuple):
    """Be told of this owner's end."""

    fence: Fence


class Hint(NamedTuple):
    """Say again that there is work."""

    lease: Lease


class Release(NamedTuple):
    """Take the lease from an owner that hears nothing; it is fenced, should it live."""

    fence: Fence


class Start(NamedTuple):
    """Start the next epoch; `first`: from now on it is awaited."""

    lease: Lease
    first: bool


class Burn(NamedTuple):
    """Give up a start that did not come."""

    fence: Fence


class EndTurn(NamedTuple):
    """End a turn as failed."""

    turn_id: str
    code: str
    reason: str


class Requeue(NamedTuple):
    """Let a turn go on that waits for nothing."""

    turn_id: str


class Expire(NamedTuple):
    """Nobody has decided in time."""

    decision_id: str


class Fire(NamedTuple):
    """A timer's time has come."""

    user_id: str
    timer_id: str


class Abandon(NamedTuple):
    """Say that no host looks after a service."""

    user_id: str
    role: str
    reason: str


Remedy = Watch | Hint | Release | Start | Burn | EndTurn | Requeue | Expire | Fire | Abandon


class _Scene:
    """A snapshot with what its things need to know of each other."""

    def __init__(self, snapshot: Snapshot, limits: Limits) -> None:
        self.now, self.limits = snapshot.now, limits
        self.asked = {decision.turn_id for decision in snapshot.decisions}
        self.work: dict[str, list[OpenTurn]] = {}
        for turn in snapshot.turns:
            if turn.state != TurnState.WAITING:
                self.work.setdefault(turn.lease_key, []).append(turn)

    def age(self, then: datetime) -> float:
        """Seconds since then."""
        return (self.now - then).total_seconds()


def _queued(turn: OpenTurn, scene: _Scene) -> Iterator[Remedy]:
    if scene.age(turn.since) > scene.limits.turn:
        yield EndTurn(
            turn.id,
            "agent_unavailable",
            f"no agent took this up for {scene.limits.turn:g} s: its process does not start, or "
            "does not answer; `growqr doctor` and `growqr logs` say why",
        )


def _running(turn: OpenTurn, scene: _Scene) -> Iterator[Remedy]:
    late = (
        scene.age(turn.deadline_at)
        if turn.deadline_at
        else scene.age(turn.since) - scene.limits.turn
    )
    if late > scene.limits.grace:
        yield EndTurn(
            turn.id, "deadline", "its time is over, and its agent has not ended it: see the logs"
        )


def _waiting(turn: OpenTurn, scene: _Scene) -> Iterator[Remedy]:
    owned = turn.delegated or turn.id in scene.asked
    if not owned and scene.age(turn.since) > scene.limits.wait:
        yield Requeue(turn.id)


def _asked(decision: OpenDecision, scene: _Scene) -> Iterator[Remedy]:
    if scene.age(decision.expires_at) >= 0:
        yield Expire(decision.id)


def _timer(timer: DueTimer, scene: _Scene) -> Iterator[Remedy]:
    if scene.age(timer.due) >= 0:
        yield Fire(timer.user_id, timer.id)


def _service(service: OpenService, scene: _Scene) -> Iterator[Remedy]:
    if service.state not in _RESTS[service.desired] and (
        scene.age(service.since) > scene.limits.service
    ):
        yield Abandon(
            service.user_id,
            service.role,
            f"no host has looked after it for {scene.limits.service:g} s: is its node up?",
        )


def _awake(lease: OpenLease, scene: _Scene) -> Iterator[Remedy]:
    fence, work = Fence(lease.key, lease.epoch), scene.work.get(lease.key, [])
    unheard = max((scene.age(t.since) for t in work if t.state == TurnState.QUEUED), default=0.0)
    idle = lease.until is not None and -scene.age(lease.until) > scene.limits.lease
    if idle and unheard > scene.limits.deaf:
        yield Release(fence)
        return
    begun = [turn for turn in work if turn.state == TurnState.RUNNING]
    if unheard > scene.limits.hint or any(
        t.cancel_requested or t.epoch < lease.epoch for t in begun
    ):
        yield Hint(Lease(*fence, live=True))
    yield Watch(fence)


def _asleep(lease: OpenLease, scene: _Scene) -> Iterator[Remedy]:
    work = scene.work.get(lease.key)
    if not work:
        return
    awaited = lease.start_since
    if awaited is not None and awaited < min(turn.since for turn in work):
        awaited = None  # it was awaited for work that is no more
    if awaited is not None and scene.age(awaited) > scene.limits.start:
        yield Burn(Fence(lease.key, lease.epoch + 1))
    else:
        yield Start(Lease(lease.key, lease.epoch, live=False), first=awaited is None)


class Rule(NamedTuple):
    """Who moves a thing on by itself, until when, and what happens then (None: with its owner)."""

    owner: str
    deadline: str
    look: Callable[[Any, _Scene], Iterator[Remedy]] | None = None


_HOST = Rule("Host", "service seconds after the last wish, sight or pause", _service)

RULES: dict[tuple[str, str], Rule] = {
    ("decision", "open"): Rule("a person", "expires_at", _asked),
    ("timer", "set"): Rule("Supervisor", "due", _timer),
    ("turn", "queued"): Rule("its agent, or the turn before it", "turn seconds once free", _queued),
    ("turn", "running"): Rule("its agent", "deadline_at and grace seconds", _running),
    ("turn", "waiting approval"): Rule("its decision", "that one's", _waiting),
    ("turn", "waiting answer"): Rule("its decision", "that one's", _waiting),
    ("turn", "waiting budget"): Rule("its decision", "that one's", _waiting),
    ("turn", "waiting sub_agent"): Rule("the sub-agent's turn", "that one's", _waiting),
    ("step", "intent"): Rule("its turn", "that one's: no step outlives its turn"),
    ("lease", "live"): Rule("its holder", "expires_at; its process's end; deaf seconds", _awake),
    ("lease", "over"): Rule("the start of its next epoch", "start seconds", _asleep),
    ("ended service", "undecided"): Rule("the Grow Agent, for a second; then Host", "its state's"),
    ("memory_commit", "pending"): Rule("Host", "none: readable at once, projected when it can be"),
    **{
        ("service", state): _HOST
        for state in (
            "absent", "starting", "ready", "unhealthy", "stopping", "stopped", "paused", "backoff"
        )
    },
}  # fmt: skip
"""(thing, state) → its rule. A state that is not here is final; a service's may be, too."""

_RESTS = {
    "ready": frozenset({"ready", "failed"}),
    "stopped": frozenset({"stopped", "absent", "paused", "failed"}),
}
"""Where a service may stay, by what is desired of it; `failed` says why."""


def remedies(snapshot: Snapshot, limits: Limits | None = None) -> list[Remedy]:
    """What is to be done now about everything whose owner or whose time is gone.

    Asking again before it was done gives the same answer; nothing is done about what goes well.
    """
    scene = _Scene(snapshot, limits or Limits())
    found: list[Remedy] = []
    for name, thing in _things(snapshot):
        if look := RULES[name].look:
            found += look(thing, scene)
    return found


def _things(snapshot: Snapshot) -> Iterator[tuple[tuple[str, str], Any]]:
    for decision in snapshot.decisions:
        yield ("decision", "open"), decision
    for timer in snapshot.timers:
        yield ("timer", "set"), timer
    for turn in snapshot.turns:
        waits = f"waiting {turn.waiting or 'sub_agent'}"
        yield ("turn", waits if turn.state == TurnState.WAITING else turn.state), turn
    for service in snapshot.services:
        if service.state != "failed":
            yield ("service", service.state), service
    for lease in snapshot.leases:
        yield ("lease", "live" if lease.until else "over"), lease
