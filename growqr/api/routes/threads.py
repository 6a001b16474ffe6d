"""Threads: conversations, their messages and their events."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request

from growqr.api.auth import Caller, OnceDoor, asked
from growqr.api.context import Here
from growqr.api.conversation import MessagePage, Order, read_page
from growqr.api.feed import SIZE
from growqr.api.inputs import (
    Cursor,
    Limit,
    NewThread,
    ThreadChange,
    Words,
    known_id,
    make_cursor,
    read_cursor,
)
from growqr.api.paging import paged
from growqr.api.resume import After
from growqr.api.stream import EventStream
from growqr.api.views import EventView, Page, ThreadView
from growqr.errors import Invalid
from growqr.store import Origin

router = APIRouter(prefix="/threads", tags=["threads"], route_class=OnceDoor)

InOrder = Annotated[Order, Query(description="What comes first; a cursor is for its order.")]


@router.get("")
async def list_threads(
    here: Here,
    caller: Caller,
    limit: Limit = 50,
    cursor: Cursor = None,
    q: Words | None = None,
    archived: bool | None = None,
) -> Page[ThreadView]:
    """Your threads, oldest first; all, or those that are or are not archived.

    `q`: those with the words in the title or in what was said.
    """
    after = read_cursor("thread", cursor, str)
    rows = await here.store.threads.list(
        caller.user_id, limit=limit + 1, after=after, words=q, archived=archived
    )
    return paged("thread", rows, limit, ThreadView.of, lambda row: row.id)


@router.post("", status_code=201)
async def create_thread(
    here: Here, caller: Caller, body: NewThread, request: Request
) -> ThreadView:
    """Begin a side conversation."""
    asked(caller, body)
    origin: Origin = "web" if caller.kind == "sign_in" else "api"
    conn = getattr(request.state, "conn", None)
    return ThreadView.of(
        await here.store.threads.create(caller.user_id, body.title, origin=origin, conn=conn)
    )


@router.get("/{thread_id}")
async def read_thread(here: Here, caller: Caller, thread_id: str) -> ThreadView:
    """One thread."""
    known_id(thread_id, "thr", "thread")
    return ThreadView.of(await here.store.threads.get(caller.user_id, thread_id))


@router.patch("/{thread_id}")
async def change_thread(
    here: Here, caller: Caller, thread_id: str, body: ThreadChange
) -> ThreadView:
    """Give a thread another title, or put it away; it can be had back and read as before."""
    user_id = asked(caller, body)
    known_id(thread_id, "thr", "thread")
    if body.title is None and body.archived is None:
        raise Invalid("say `title` or `archived`")
    return ThreadView.of(
        await here.store.threads.change(
            user_id, thread_id, actor=caller.user_id, title=body.title, archived=body.archived
        )
    )


@router.get("/{thread_id}/messages")
async def list_messages(
    here: Here,
    caller: Caller,
    thread_id: str,
    limit: Limit = 50,
    cursor: Cursor = None,
    order: InOrder = "oldest",
) -> MessagePage:
    """Messages of a thread, oldest first, or newest first; none that were withdrawn.

    `seq` is the event for which all pages of this list stand: a stream that begins behind it
    misses nothing and repeats nothing. `turns` and `decisions` are those of these messages.
    """
    known_id(thread_id, "thr", "thread")
    return await read_page(here, caller.user_id, thread_id, order, limit, cursor)


@router.get("/{thread_id}/events", response_class=EventStream, status_code=200)
async def stream_thread(here: Here, caller: Caller, thread_id: str, after: After) -> EventStream:
    """The events of one thread, live. Numbers have holes: they count all events of the user.

    All else is as in the stream of everything, `event: reset` too.
    """
    known_id(thread_id, "thr", "thread")
    await here.store.threads.get(caller.user_id, thread_id)
    return EventStream(here.hub, caller, after, thread_id)


@router.get("/{thread_id}/journal")
async def list_events(
    here: Here, caller: Caller, thread_id: str, limit: Limit = 50, cursor: Cursor = None
) -> Page[EventView]:
    """What happened in a thread, oldest first, as far as it is kept.

    A page may be short where events are large; only a page without `next_cursor` is the last.
    """
    known_id(thread_id, "thr", "thread")
    after = read_cursor("event", cursor, int) or 0
    await here.store.threads.get(caller.user_id, thread_id)
    events = await here.store.events.after(
        caller.user_id, after, thread_id=thread_id, limit=limit, size=SIZE
    )
    more = make_cursor("event", events[-1].seq) if events else None
    return Page(data=[EventView.of(event) for event in events], next_cursor=more)
