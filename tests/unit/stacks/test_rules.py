"""The rules by themselves: failures and their pauses to the second, rest, and ends."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from growqr.stacks import ServiceStatus, rules
from growqr.states import decide
from growqr.store import Service

NOW = datetime(2030, 1, 1, 12, tzinfo=UTC)


def ago(seconds: float) -> datetime:
    return NOW - timedelta(seconds=seconds)


def service(**changes: Any) -> Service:
    fine = Service(
        user_id="u_a", role="opencode", desired="ready", state="ready", generation=3,
        spec_sha="x", address=None, reason=None, failures=0, failed_at=[], retry_at=None,
        decision=None, used_at=ago(900), updated_at=ago(800),
    )  # fmt: skip
    return fine._replace(**changes)


@pytest.mark.parametrize(
    ("before", "failures", "pause"),
    [
        ([], 1, 0),
        ([599], 2, 0),
        ([599, 1], 3, 60),
        ([600, 1], 2, 0),
        ([1200, 601, 600], 1, 0),
    ],
)
def test_three_failures_within_ten_minutes_are_followed_by_a_pause(
    before: list[float], failures: int, pause: float
) -> None:
    seen = service(failures=len(before) - 1, failed_at=[ago(seconds) for seconds in before])
    counted = rules.strike(seen, NOW)
    assert (counted.failures, counted.pause) == (failures, pause)
    assert counted.failed_at[-1] == NOW
    assert all(then > ago(600) for then in counted.failed_at)


@pytest.mark.parametrize(
    ("failures", "last", "pause"),
    [
        (3, 60, 300),  # the try after the first pause
        (3, 659, 300),  # it did not last ten minutes after it
        (3, 660, 0),  # it did
        (4, 300, 900),
        (4, 899, 900),
        (4, 900, 0),
        (5, 900, 900),
        (9, 1499, 900),
        (9, 1500, 0),
    ],
)
def test_after_a_pause_each_failure_is_one_too_many_until_it_lasted(
    failures: int, last: float, pause: float
) -> None:
    seen = service(failures=failures, failed_at=[ago(last)])
    assert rules.strike(seen, NOW).pause == pause
    assert rules.lasted(seen, NOW) == (pause == 0)


def test_some_failures_are_followed_by_a_pause_at_once() -> None:
    assert rules.strike(service(), NOW, at_once=True)[0::2] == (3, 60)
    again = service(failures=3, failed_at=[ago(60)])
    assert rules.strike(again, NOW, at_once=True)[0::2] == (4, 300)


@pytest.mark.parametrize(
    ("retry_at", "busy", "decision"),
    [
        (None, True, "restart"),
        (None, False, "leave"),
        (ago(-60), True, "wait"),
        (ago(-60), False, "wait"),
        (ago(1), True, "restart"),
    ],
)
def test_what_becomes_of_one_that_ended(
    retry_at: datetime | None, busy: bool, decision: str
) -> None:
    said = decide(3, retry_at, busy=busy, now=NOW)
    assert said.decision == decision
    assert said.why
    assert decision != "wait" or said.why == "it failed 3 times: again at 12:01:00 UTC"


@pytest.mark.parametrize(
    ("seen", "used", "paused", "expected"),
    [
        (service(), True, 100, "none"),
        (service(), False, 100, "pause"),
        (service(), False, 0, "stop"),
        (service(state="paused", updated_at=ago(99)), False, 100, "paused"),
        (service(state="paused", updated_at=ago(100)), False, 100, "stop"),
        (service(state="paused", updated_at=ago(50), used_at=ago(40)), True, 100, "none"),
    ],
)
def test_how_deep_it_rests(seen: Service, used: bool, paused: float, expected: str) -> None:
    assert rules.rest(seen, used=used, now=NOW, paused=paused) == expected


@pytest.mark.parametrize(
    ("state", "actual", "generation", "ended"),
    [
        ("ready", "exited", 3, True),
        ("unhealthy", "exited", 3, True),
        ("paused", "exited", 3, True),
        ("ready", "absent", 0, True),
        ("ready", "exited", 2, False),  # what is left of an earlier one
        ("starting", "exited", 3, False),  # it never was well
        ("unhealthy", "absent", 0, False),  # its start failed
        ("ready", "ready", 3, False),
    ],
)
def test_only_one_that_was_well_can_end(
    state: str, actual: Any, generation: int, ended: bool
) -> None:
    status = ServiceStatus("growqr-opencode-u_a", actual, generation=generation)
    assert (rules.ended(service(state=state), status) is not None) == ended
