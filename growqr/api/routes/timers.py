"""Timers: what shall be said in a thread of yours, and when."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Header
from pydantic import AliasChoices, BaseModel, Field

from growqr.api.auth import Caller, OnceDoor, asked
from growqr.api.context import Here
from growqr.api.idempotency import KEY_HEADER, check_key
from growqr.api.inputs import (
    Body,
    Cursor,
    FullText,
    Limit,
    Text,
    known_id,
    read_cursor,
)
from growqr.api.paging import paged
from growqr.api.views import Page
from growqr.errors import Invalid
from growqr.store import Timer

router = APIRouter(prefix="/timers", tags=["timers"], route_class=OnceDoor)


class NewTimer(Body):
    """A message to be: `at` a time, or in so many `seconds`; both at most a year ahead."""

    text: FullText
    at: datetime | None = None
    seconds: Annotated[float | None, Field(ge=0, le=366 * 86_400)] = None
    thread_id: Annotated[
        Text | None, Field(validation_alias=AliasChoices("thread_id", "threadId"))
    ] = None


class TimerView(BaseModel):
    """A message that comes at `due`."""

    id: str
    thread_id: str
    due: datetime
    text: str
    created_at: datetime

    @classmethod
    def of(cls, timer: Timer) -> TimerView:
        return cls.model_validate(timer._asdict())


@router.get("")
async def list_timers(
    here: Here, caller: Caller, limit: Limit = 50, cursor: Cursor = None
) -> Page[TimerView]:
    """What is set and has not come yet, the next first."""
    after = _read(read_cursor("timer", cursor, str))
    rows = await here.store.timers.list(caller.user_id, limit=limit + 1, after=after)
    return paged("timer", rows, limit, TimerView.of, _place)


@router.post("", status_code=201)
async def set_timer(
    here: Here,
    caller: Caller,
    body: NewTimer,
    key: Annotated[str | None, Header(alias=KEY_HEADER, include_in_schema=False)] = None,
) -> TimerView:
    """Have something said in a thread later, as by you: the agent answers it then."""
    asked(caller, body)
    if body.thread_id is not None:
        known_id(body.thread_id, "thr", "thread")
    timer = await here.store.timers.set(
        caller.user_id,
        body.text,
        at=body.at,
        seconds=body.seconds,
        thread_id=body.thread_id,
        operation_id=f"request {key}" if check_key(key) else None,
        api_key=caller.api_key,
    )
    return TimerView.of(timer)


@router.delete("/{timer_id}")
async def remove_timer(here: Here, caller: Caller, timer_id: str) -> TimerView:
    """It will not come."""
    known_id(timer_id, "tmr", "timer")
    return TimerView.of(await here.store.timers.remove(caller.user_id, timer_id))


def _place(timer: Timer) -> str:
    """Where a page ends; `_read` takes it apart."""
    return f"{timer.due.astimezone(UTC).isoformat()} {timer.id}"


def _read(last: str | None) -> tuple[datetime, str] | None:
    if last is None:
        return None
    due, _, timer_id = last.partition(" ")
    try:
        moment = datetime.fromisoformat(due)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise Invalid("the cursor is not one of this list", {"code": "bad_cursor"})
    return moment, timer_id
