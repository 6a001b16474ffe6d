"""Questions your agent asks you."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import APIRouter, Query, Request

from growqr.api.auth import Caller, OnceDoor
from growqr.api.context import Here
from growqr.api.deciding import DecisionView, State, listed, resolved
from growqr.api.inputs import Body, Cursor, FullText, Limit
from growqr.api.views import Page
from growqr.states import DecisionState
from growqr.store import DecisionKind

router = APIRouter(prefix="/questions", tags=["decisions"], route_class=OnceDoor)

KINDS: Final[tuple[DecisionKind, ...]] = ("question",)


class Answer(Body):
    """One of the options, or your own words."""

    answer: FullText


@router.get("")
async def list_questions(
    here: Here,
    caller: Caller,
    state: Annotated[State, Query(description="`all`: also what was answered.")] = "open",
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Page[DecisionView]:
    """What your agent wants to know, oldest first."""
    return await listed(here, caller.user_id, KINDS, state, limit, cursor)


@router.post("/{decision_id}")
async def answer(
    here: Here, request: Request, caller: Caller, decision_id: str, body: Answer
) -> DecisionView:
    """Answer. The first answer counts; another one is a 409 `already_decided`."""
    state = DecisionState.ANSWERED
    return await resolved(here, request, caller, decision_id, KINDS, state, body.answer)
