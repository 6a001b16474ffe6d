"""Turns: what was done about a message, step by step."""

from __future__ import annotations

from fastapi import APIRouter

from growqr.api.auth import Caller, OnceDoor
from growqr.api.context import Here
from growqr.api.inputs import known_id
from growqr.api.views import TurnView, turn_view

router = APIRouter(prefix="/turns", tags=["turns"], route_class=OnceDoor)


@router.get("/{turn_id}")
async def read_turn(here: Here, caller: Caller, turn_id: str) -> TurnView:
    """A turn with its steps, outcome and usage."""
    known_id(turn_id, "trn", "turn")
    return await turn_view(here.store, await here.store.turns.get(caller.user_id, turn_id))


@router.post("/{turn_id}/cancel", status_code=202)
async def cancel_turn(here: Here, caller: Caller, turn_id: str) -> TurnView:
    """End a turn: at once while it is queued, else after its current step."""
    known_id(turn_id, "trn", "turn")
    turn, leases = await here.store.turns.cancel(caller.user_id, turn_id)
    for lease in leases:
        here.wake(lease)
    return await turn_view(here.store, turn)
