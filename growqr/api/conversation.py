"""A page of a thread: what was said, how each turn of it stands, and what was asked of a person."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel

from growqr.api.context import Context
from growqr.api.deciding import DecisionView
from growqr.api.inputs import MAX_SEQ, make_cursor, read_cursor
from growqr.api.views import MessageView, Page
from growqr.errors import Invalid
from growqr.states import TurnState
from growqr.store import Turn

Order = Literal["oldest", "newest"]
_SIGNS = {"oldest": "", "newest": "-"}


class TurnBrief(BaseModel):
    """How a turn stands, without its steps."""

    id: str
    state: TurnState
    waiting: str | None
    error: dict[str, Any] | None
    started_at: datetime | None
    finished_at: datetime | None

    @classmethod
    def of(cls, turn: Turn) -> TurnBrief:
        return cls.model_validate(turn._asdict())


class MessagePage(Page[MessageView]):
    """Messages, the event they stand for, and the turns they belong to as these stand now.

    `decisions` are all that was asked in these turns, open or not.
    """

    seq: int
    turns: list[TurnBrief]
    decisions: list[DecisionView]


async def read_page(
    here: Context, user_id: str, thread_id: str, order: Order, limit: int, cursor: str | None
) -> MessagePage:
    """One page, all of one moment. Raises NotFound, or Invalid for a cursor of another list."""
    place, stand = _read_place(cursor, order)
    store = here.store
    async with store.snapshot():
        await store.threads.get(user_id, thread_id)
        _, last = await store.events.bounds(user_id)
        asked = {"after": place or 0} if order == "oldest" else {"before": place}
        rows = await store.messages.list(user_id, thread_id, limit=limit + 1, **asked)
        seq = last if stand is None else min(stand, last)
        rows = [row for row in rows if row.seq <= seq]
        if order == "newest":
            rows.reverse()
        shown = rows[:limit]
        of = list({row.turn_id for row in shown})
        turns = await store.turns.named(user_id, of)
        decisions = await store.decisions.of_turns(user_id, of)
    more = f"{_SIGNS[order]}{rows[limit - 1].seq}.{seq}" if len(rows) > limit else None
    return MessagePage(
        data=[MessageView.of(row) for row in shown],
        next_cursor=make_cursor("message", more) if more else None,
        seq=seq,
        turns=[TurnBrief.of(turn) for turn in turns],
        decisions=[DecisionView.of(one) for one in decisions],
    )


def _read_place(cursor: str | None, order: Order) -> tuple[int | None, int | None]:
    """(seq of the last message given, event the pages stand for). Raises Invalid."""
    if cursor is None:
        return None, None
    text: str = read_cursor("message", cursor, str)
    parts = text.removeprefix(_SIGNS[order]).split(".")
    if (
        not text.startswith(_SIGNS[order])
        or len(parts) != 2
        or not all(seq.isascii() and seq.isdigit() for seq in parts)
    ):
        raise Invalid("the cursor is not one of this list", {"code": "bad_cursor"})
    place, stand = (min(int(seq), MAX_SEQ) for seq in parts)
    return place, stand
