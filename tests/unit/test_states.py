"""Transition tables, and that the database knows the same names."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from growqr.errors import Conflict
from growqr.states import (
    STEP_MOVES,
    TURN_MOVES,
    AgentState,
    StepState,
    TurnState,
    agent_state,
    move,
    sources,
)

SCHEMA = (Path(__file__).parents[2] / "schema.sql").read_text()


def checked(table: str, column: str) -> set[str]:
    """The values that the CHECK of a column allows."""
    body = re.search(rf"create table {table} \((.*?)\n\)", SCHEMA, re.DOTALL)
    assert body, f"schema.sql has no table {table}"
    values = re.search(rf"check\s*\({column} in\s*\((.*?)\)", body[1], re.DOTALL)
    assert values, f"{table}.{column} has no check"
    return set(re.findall(r"'(\w+)'", values[1]))


def test_the_database_knows_the_same_states() -> None:
    assert checked("turn", "state") == set(TurnState)
    assert checked("step", "state") == set(StepState)


def test_every_state_has_its_line_in_the_table() -> None:
    assert set(TURN_MOVES) == set(TurnState)
    assert set(STEP_MOVES) == set(StepState)


@pytest.mark.parametrize("state", list(TurnState))
def test_every_turn_comes_to_an_end(state: TurnState) -> None:
    reached, edge = {state}, {state}
    while edge:
        edge = {target for one in edge for target in TURN_MOVES[one]} - reached
        reached |= edge
    assert any(not TURN_MOVES[one] for one in reached)


@pytest.mark.parametrize("state", list(TurnState))
def test_only_arrows_can_be_followed(state: TurnState) -> None:
    for target in TurnState:
        if target in TURN_MOVES[state]:
            assert move(state, target) == target
        else:
            with pytest.raises(Conflict, match=f"{state}.*{target}"):
                move(state, target)


def test_what_has_ended_stays_so() -> None:
    ends = {state for state, targets in TURN_MOVES.items() if not targets}
    assert ends == {TurnState.COMPLETED, TurnState.FAILED, TurnState.CANCELLED}


@pytest.mark.parametrize("target", list(TurnState))
def test_sources_are_the_table_read_backwards(target: TurnState) -> None:
    assert set(sources(target)) == {s.value for s in TurnState if target in TURN_MOVES[s]}


def test_an_agents_state_follows_from_lease_and_work() -> None:
    assert agent_state(live=True, work=True) == AgentState.AWAKE
    assert agent_state(live=True, work=False) == AgentState.AWAKE
    assert agent_state(live=False, work=True) == AgentState.WAKING
    assert agent_state(live=False, work=False) == AgentState.ASLEEP
