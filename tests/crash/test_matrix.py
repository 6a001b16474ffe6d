"""The crash matrix: a real `kill -9` before and after every commit, and nothing lost or doubled."""

from __future__ import annotations

import statistics
from pathlib import Path

import pytest

from tests.crash import cases
from tests.crash.conftest import Deaths
from tests.crash.matrix import CASES, EXEMPT, WHENS, Case, writing_statements
from tests.crash.scene import Scene

README = Path(__file__).parents[2] / "README.md"

FAIL_OVER = 5.0
"""Seconds from an agent's death to its successor's first event, in the middle of all cases."""


def named(case: Case, when: str) -> str:
    return f"{case.statement}.{when}" + (f" {case.label}" if case.label else "")


def test_every_statement_that_writes_has_a_case_or_a_reason():
    known = {case.statement for case in CASES}
    assert not known & EXEMPT.keys()
    assert writing_statements() == known | EXEMPT.keys()


def test_every_point_is_in_the_readme():
    table = README.read_text(encoding="utf-8").partition("### Crash points")[2]
    assert not [case.statement for case in CASES if f"`{case.statement}`" not in table]


@pytest.mark.parametrize(
    ("case", "when"),
    [pytest.param(case, when, id=named(case, when)) for case in CASES for when in WHENS],
)
def test_a_death(deaths: Deaths, case: Case, when: str):
    deaths.of(case, when)


def test_an_agent_that_dies_at_the_same_point_each_time_is_given_up(scene: Scene):
    cases.poison(scene, "begin_model_step.after")


def test_successors_are_there_in_seconds(scene: Scene):
    took = [seconds for seconds, _ in scene.took]
    if took:  # else no agent's death was among the chosen cases
        assert statistics.median(took) <= FAIL_OVER
        assert max(took) <= 3 * FAIL_OVER, max(scene.took)
