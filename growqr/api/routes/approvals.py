"""Approvals: what your agent may not do before you say so, budgets among it."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from fastapi import APIRouter, Query, Request
from pydantic import StringConstraints

from growqr.api.auth import Caller, OnceDoor
from growqr.api.context import Here
from growqr.api.deciding import DecisionView, State, listed, resolved
from growqr.api.inputs import Body, Cursor, FullText, Limit
from growqr.api.views import Page
from growqr.states import DecisionState
from growqr.store import DecisionKind

router = APIRouter(prefix="/approvals", tags=["decisions"], route_class=OnceDoor)

KINDS: Final[tuple[DecisionKind, ...]] = ("approval", "budget")
STATES = {"approve": DecisionState.APPROVED, "deny": DecisionState.DENIED}


class Verdict(Body):
    """Yes or no; the agent is told the note."""

    decision: Literal["approve", "deny"]
    note: Annotated[FullText | None, StringConstraints(max_length=10_000)] = None


@router.get("")
async def list_approvals(
    here: Here,
    caller: Caller,
    state: Annotated[State, Query(description="`all`: also what was decided.")] = "open",
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Page[DecisionView]:
    """What waits for your yes or no, oldest first."""
    return await listed(here, caller.user_id, KINDS, state, limit, cursor)


@router.post("/{decision_id}")
async def decide(
    here: Here, request: Request, caller: Caller, decision_id: str, body: Verdict
) -> DecisionView:
    """Approve or deny. The first answer counts; another one is a 409 `already_decided`.

    An approved tool call is made once more; an approved budget is granted once more, by a person,
    and on a day up to the hard cap.
    """
    state = STATES[body.decision]
    return await resolved(here, request, caller, decision_id, KINDS, state, body.note)
