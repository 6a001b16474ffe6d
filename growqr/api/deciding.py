"""What waits for a person to decide, as answers show it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel
from starlette.requests import Request

from growqr.api.admission import act, refused
from growqr.api.context import Context
from growqr.api.inputs import known_id, read_cursor
from growqr.api.paging import paged
from growqr.api.views import Page
from growqr.errors import Forbidden, NotFound
from growqr.identity import Access, Principal
from growqr.states import DecisionState
from growqr.store import BudgetLimits, Decision, DecisionKind

State = Literal["open", "all"]


class DecisionView(BaseModel):
    """One thing asked. `asked` says exactly what: `text`, and more by `kind`.

    An approval of an interrupted tool call has its `name` and `input`, a budget its `scope`,
    `unit`, `limit` and `spent`.
    """

    id: str
    kind: DecisionKind
    thread_id: str
    turn_id: str
    step_id: str | None
    asked: dict[str, Any]
    options: list[str]
    state: DecisionState
    answer: str | None
    answered_by: str | None
    created_at: datetime
    expires_at: datetime
    answered_at: datetime | None

    @classmethod
    def of(cls, decision: Decision) -> DecisionView:
        return cls.model_validate(decision._asdict())


async def listed(
    here: Context,
    user_id: str,
    kinds: Sequence[DecisionKind],
    state: State,
    limit: int,
    cursor: str | None,
) -> Page[DecisionView]:
    """A page of what is open, or of all, oldest first."""
    after = read_cursor("decision", cursor, str)
    rows = await here.store.decisions.list(
        user_id, kinds, limit=limit + 1, after=after, ended=state == "all"
    )
    return paged("decision", rows, limit, DecisionView.of, lambda row: row.id)


async def resolved(
    here: Context,
    request: Request,
    caller: Principal,
    decision_id: str,
    kinds: Sequence[DecisionKind],
    state: DecisionState,
    answer: str | None,
) -> DecisionView:
    """Decide, and let the turn go on. Raises NotFound, AlreadyDecided, or Forbidden for more budget
    than whoever asks may allow."""
    known_id(decision_id, "dec", "decision")
    asked = await here.store.decisions.get(caller.user_id, decision_id)
    if asked.kind not in kinds:
        raise NotFound(f"there is nothing of that kind named {decision_id}")
    if asked.kind == "budget" and state == DecisionState.APPROVED:
        why = await _too_much(here, caller)
        if why is not None:
            raise refused(here, request, caller, Access("decisions", "write"), why)
    decision, lease = await here.store.decisions.resolve(
        asked, state, answer, caller.user_id, act(here, request, caller)
    )
    if lease is not None:
        here.wake(lease)
    return DecisionView.of(decision)


async def _too_much(here: Context, caller: Principal) -> Forbidden | None:
    """Why this caller may not allow more, None: they may."""
    if caller.api_key:
        return Forbidden(
            "an API key allows no more budget; sign in as a person", {"rule": "no_keys_here"}
        )
    spent = await here.store.budgets.spent(caller.user_id, BudgetLimits.of(here.settings))
    over = next((one for one in spent if one.hard and one.over), None)
    return over and Forbidden(
        f"{over}: ask one to raise `day_{over.unit}` of {caller.user_id} (PATCH /admin/users/…)",
        {"rule": "hard_cap"},
    )
