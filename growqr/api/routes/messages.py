"""Messages: the one write that must never be lost. Its key is kept with the message itself."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Header

from growqr.api.auth import Caller, Door, Owner, asked
from growqr.api.context import Here
from growqr.api.idempotency import KEY_HEADER, check_key
from growqr.api.inputs import NewMessage, known_id
from growqr.api.views import AcceptedView, TurnView, turn_view

router = APIRouter(tags=["actors"], route_class=Door)


@router.post("/actors/{user}/message", status_code=202)
async def send_message(
    here: Here,
    owner: Owner,
    caller: Caller,
    body: NewMessage,
    key: Annotated[str | None, Header(alias=KEY_HEADER, include_in_schema=False)] = None,
) -> AcceptedView:
    """Say something to your agent. From the 202 on it is answered, whatever dies.

    The same `Idempotency-Key` with the same body is the same message.
    """
    asked(caller, body)
    if body.thread_id is not None:
        known_id(body.thread_id, "thr", "thread")
    accepted = await here.store.messages.accept(
        owner, body.text, thread_id=body.thread_id, client_key=check_key(key),
        api_key=caller.api_key,
    )  # fmt: skip
    here.wake(accepted.lease)
    return AcceptedView(
        message_id=accepted.message_id,
        turn_id=accepted.turn_id,
        thread_id=accepted.thread_id,
        seq=accepted.seq,
    )


@router.delete("/messages/{message_id}")
async def withdraw_message(here: Here, caller: Caller, message_id: str) -> TurnView:
    """Take a queued message back: it was never said. May be repeated.

    Once its turn has begun it is a 409, so that nothing under way is ended by it: cancel the turn.
    """
    known_id(message_id, "msg", "message")
    turn = await here.store.turns.withdraw(caller.user_id, message_id)
    return await turn_view(here.store, turn)
