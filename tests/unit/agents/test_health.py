"""The pure rules: nothing outlives its time without a remedy, nothing healthy is disturbed."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeVar

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from growqr.agents.health import (
    RULES,
    Abandon,
    Burn,
    EndTurn,
    Expire,
    Fire,
    Hint,
    Limits,
    Release,
    Remedy,
    Requeue,
    Start,
    Watch,
    remedies,
)
from growqr.states import DECISION_MOVES, STEP_MOVES, TURN_MOVES
from growqr.store import DueTimer, OpenDecision, OpenLease, OpenService, OpenTurn, Snapshot

T = TypeVar("T")

NOW = datetime(2030, 1, 1, tzinfo=UTC)
LIMITS = Limits(turn=100, grace=10, start=20, hint=1, deaf=5, lease=10, wait=5, service=50)
SCHEMA = (Path(__file__).parents[3] / "schema.sql").read_text()
KEYS = ["grow-agent:u_a", "sub-agent:u_a:coding-1", "grow-agent:u_b"]
SERVICE_STATES = ["absent", "starting", "ready", "unhealthy", "stopping", "stopped", "paused",
                  "backoff", "failed"]  # fmt: skip


def checked(table: str, column: str) -> set[str]:
    """The values that the CHECK of a column allows."""
    body = re.search(rf"create table {table} \((.*?)\n\)", SCHEMA, re.DOTALL)
    assert body
    values = re.search(rf"check\s*\({column} in\s*\((.*?)\)", body[1], re.DOTALL)
    assert values, f"{table}.{column} has no check"
    return set(re.findall(r"'(\w+)'", values[1]))


def ruled(noun: str) -> set[str]:
    return {state for thing, state in RULES if thing == noun}


def test_every_state_that_is_not_final_has_an_owner_and_a_deadline():
    waits = {f"waiting {kind}" for kind in checked("turn", "waiting")}
    open_turns = {state.value for state, targets in TURN_MOVES.items() if targets} - {"waiting"}
    assert ruled("turn") == open_turns | waits
    # `unknown` may be begun again, but only by a person: the decision about it is the open thing.
    assert ruled("step") == {state.value for state in STEP_MOVES} - {"done", "failed", "unknown"}
    assert ruled("decision") == {state.value for state, to in DECISION_MOVES.items() if to}
    assert ruled("service") == checked("service", "state") - {"failed"}
    assert {
        ("lease", "live"),
        ("lease", "over"),
        ("timer", "set"),
        ("memory_commit", "pending"),
        ("ended service", "undecided"),
    } < (RULES.keys())
    assert all(rule.owner and rule.deadline for rule in RULES.values())


def test_the_states_of_code_and_schema_are_the_same():
    assert {state.value for state in TURN_MOVES} == checked("turn", "state")
    assert {state.value for state in STEP_MOVES} == checked("step", "state")
    assert {state.value for state in DECISION_MOVES} == checked("decision", "state")
    assert set(SERVICE_STATES) == checked("service", "state")


ages = st.integers(-5, 300)


def ago(seconds: float) -> datetime:
    return NOW - timedelta(seconds=seconds)


def key_of(remedy: Remedy) -> str | None:
    """Whose lease it is about."""
    match remedy:
        case Hint(lease) | Start(lease, _):
            return lease.key
        case Watch(fence) | Release(fence) | Burn(fence):
            return fence.key
    return None


def age(then: datetime) -> float:
    return (NOW - then).total_seconds()


kinds = st.sampled_from(["approval", "answer", "budget", "sub_agent"])
keys, moments = st.sampled_from(KEYS), ages.map(ago)
turns = st.one_of(
    st.builds(OpenTurn, st.just(""), keys, st.just("queued"), st.none(), st.just(0),
              st.just(False), st.none(), moments, st.just(False)),
    st.builds(OpenTurn, st.just(""), keys, st.just("running"), st.none(), st.integers(0, 3),
              st.booleans(), st.none() | moments, moments, st.just(False)),
    st.builds(OpenTurn, st.just(""), keys, st.just("waiting"), kinds, st.just(1),
              st.just(False), st.none() | moments, moments, st.booleans()),
)  # fmt: skip
until = st.none() | st.integers(1, 60).map(lambda seconds: ago(-seconds))
leases = st.builds(OpenLease, st.just(""), st.integers(1, 3), until, st.none() | moments)
decisions = st.builds(
    OpenDecision, st.just(""), st.sampled_from(["trn_0", "trn_1", "trn_9"]), moments
)
timers = st.builds(DueTimer, st.just(""), st.just("u_a"), moments)
services = st.builds(
    OpenService, st.just(""), st.just("opencode"), st.sampled_from(["ready", "stopped"]),
    st.sampled_from(SERVICE_STATES), moments,
)  # fmt: skip


def numbered(
    prefix: str, things: st.SearchStrategy[T], most: int = 4
) -> st.SearchStrategy[list[T]]:
    """A few of them, each with an id of its own as its first field."""
    return st.lists(things, max_size=most).map(
        lambda found: [type(x)(f"{prefix}_{n}", *x[1:]) for n, x in enumerate(found)]
    )


snapshots = st.builds(
    Snapshot,
    st.just(NOW),
    st.tuples(leases, leases, leases).map(
        lambda three: [x._replace(key=key) for x, key in zip(three, KEYS, strict=True)]
    ),
    numbered("trn", turns),
    numbered("dec", decisions, 2),
    numbered("tmr", timers, 2),
    numbered("u", services, 2),
)

MANY = settings(
    database=None,
    max_examples=100,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)


@MANY
@given(snapshots)
def test_whatever_is_beyond_its_time_gets_a_remedy_and_nothing_else_does(snapshot: Snapshot):
    """Each remedy is derived here anew, thing by thing, from who owns it and until when."""
    expected: set[object] = set()
    asked = {decision.turn_id for decision in snapshot.decisions}
    for decision in snapshot.decisions:
        if age(decision.expires_at) >= 0:
            expected.add(Expire(decision.id))
    for timer in snapshot.timers:
        if age(timer.due) >= 0:
            expected.add(Fire(timer.user_id, timer.id))
    for turn in snapshot.turns:
        match turn.state:
            case "queued" if age(turn.since) > 100:
                expected.add((turn.id, "agent_unavailable"))
            case "running" if age(turn.deadline_at or turn.since + timedelta(seconds=100)) > 10:
                expected.add((turn.id, "deadline"))
            case "waiting" if turn.id not in asked and not turn.delegated and age(turn.since) > 5:
                expected.add(Requeue(turn.id))
    for service in snapshot.services:
        good = {"ready": {"ready"}, "stopped": {"stopped", "absent", "paused"}}[service.desired]
        if service.state not in good | {"failed"} and age(service.since) > 50:
            expected.add((service.user_id, service.role))
    got: set[object] = set()
    for remedy in remedies(snapshot, LIMITS):
        match remedy:
            case EndTurn(turn_id, code, reason):
                assert reason
                got.add((turn_id, code))
            case Abandon(user_id, role, _):
                got.add((user_id, role))
            case Expire() | Fire() | Requeue():
                got.add(remedy)
    assert got == expected


@MANY
@given(snapshots)
def test_every_agent_with_work_is_awake_started_or_given_up(snapshot: Snapshot):
    found = remedies(snapshot, LIMITS)
    for lease in snapshot.leases:
        work = [t for t in snapshot.turns if t.lease_key == lease.key and t.state != "waiting"]
        mine = [remedy for remedy in found if key_of(remedy) == lease.key]
        if lease.until:
            oldest = max((age(turn.since) for turn in work if turn.state == "queued"), default=0)
            lost = [turn for turn in work if turn.state == "running"]
            unheard = oldest > 1 or any(t.cancel_requested or t.epoch < lease.epoch for t in lost)
            if age(lease.until) < -10 and oldest > 5:
                assert {type(remedy) for remedy in mine} == {Release}
            else:
                assert {type(remedy) for remedy in mine} == ({Watch, Hint} if unheard else {Watch})
        elif work:
            [remedy] = mine
            fresh = lease.start_since is None or lease.start_since < min(t.since for t in work)
            if not fresh and age(lease.start_since) > 20:
                assert remedy.fence.epoch == lease.epoch + 1
            else:
                assert (remedy.lease.epoch, remedy.first) == (lease.epoch, fresh)
        else:
            assert mine == [], "an agent that sleeps is left alone"


@MANY
@given(snapshots)
def test_asked_again_it_says_the_same_and_what_was_done_is_not_asked_again(snapshot: Snapshot):
    found = remedies(snapshot, LIMITS)
    assert remedies(snapshot, LIMITS) == found
    done = {remedy[0] for remedy in found if isinstance(remedy, EndTurn | Requeue | Expire)}
    fired = {remedy.timer_id for remedy in found if isinstance(remedy, Fire)}
    after = snapshot._replace(
        turns=[turn for turn in snapshot.turns if turn.id not in done],
        decisions=[decision for decision in snapshot.decisions if decision.id not in done],
        timers=[timer for timer in snapshot.timers if timer.id not in fired],
        services=[],
    )
    again = remedies(after, LIMITS)
    turned = {decision.turn_id for decision in snapshot.decisions if decision.id in done}
    for remedy in again:
        assert not isinstance(remedy, EndTurn | Expire | Fire)
        assert not isinstance(remedy, Requeue) or remedy.turn_id in turned


def test_nothing_goes_on_and_nothing_is_done():
    assert remedies(Snapshot(NOW)) == []


@pytest.mark.parametrize("start_since", [None, ago(500)], ids=["never", "for work that is gone"])
def test_a_start_gets_its_whole_time(start_since: datetime | None):
    """What was awaited for a turn that was cancelled does not count for the next one."""
    lease = OpenLease(KEYS[0], 4, None, start_since)
    turn = OpenTurn("trn_1", KEYS[0], "queued", None, 0, False, None, ago(3), False)
    [remedy] = remedies(Snapshot(NOW, [lease], [turn]))
    assert isinstance(remedy, Start)
    assert remedy.first
