"""Pages of a list: one row more than asked for tells that there is another page."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from growqr.api.inputs import CursorKind, make_cursor
from growqr.api.views import Page

R = TypeVar("R")
V = TypeVar("V")


def paged(
    kind: CursorKind,
    rows: Sequence[R],
    limit: int,
    view: Callable[[R], V],
    place: Callable[[R], str | int],
) -> Page[V]:
    """The first `limit` of at most `limit` + 1 rows; `place` is where the next page goes on."""
    more = make_cursor(kind, place(rows[limit - 1])) if len(rows) > limit else None
    return Page(data=[view(row) for row in rows[:limit]], next_cursor=more)
