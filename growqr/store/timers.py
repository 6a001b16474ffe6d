"""Timers: a message to be, at its time. It comes once, whatever dies, or not at all."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from growqr import names
from growqr.directory import Fence, Lease
from growqr.errors import Fenced, Invalid, NotFound, TooLarge, TooMany
from growqr.store import sql
from growqr.store.engine import Connection, Database, execute
from growqr.store.jsonb import jsonb, storable

LIMIT = 100
"""Timers of one user."""

FARTHEST = timedelta(days=366)
MAX_TEXT = 200_000
"""Bytes in UTF-8, as of any message."""

_SKEW = timedelta(minutes=1)
"""What is due a little before now was meant for now: it comes at once."""


class Timer(NamedTuple):
    """At `due`, `text` is said in the thread as by the user."""

    id: str
    user_id: str
    thread_id: str
    due: datetime
    text: str
    created_at: datetime
    api_key: str | None = None


class Timers:
    """The timers of each user."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def set(
        self,
        user_id: str,
        text: str,
        *,
        at: datetime | None = None,
        seconds: float | None = None,
        thread_id: str | None = None,
        operation_id: str | None = None,
        actor: str | None = None,
        fence: Fence | None = None,
        api_key: str | None = None,
        turn_id: str | None = None,
    ) -> Timer:
        """A timer `at` a time or in so many `seconds`; `thread_id` None is the master thread.

        The same `operation_id` sets one, also once it has fired. What comes of it counts for the
        `api_key` it is set with, or for that of the turn `turn_id` which sets it. Raises Invalid
        unless exactly one time is given and lies within a year, TooLarge, TooMany at the limit,
        NotFound for a thread that is not the user's, Fenced.
        """
        timer = names.new_id("tmr")
        if operation_id is not None:
            timer = names.derived_id("tmr", user_id, operation_id)
        params = {
            "timer": timer, "user": user_id, "thread": thread_id, "message": _message(timer),
            "at": at, "seconds": seconds, "text": storable(text), "actor": actor or user_id,
            "api_key": api_key, "turn": turn_id,
        }  # fmt: skip
        row = await self._db.within(self._set(params, fence))
        if (seq := row.pop("seq", None)) is not None:
            self._db.notifier.event(user_id, seq)
        return Timer(**row)

    async def remove(self, user_id: str, timer_id: str, *, actor: str | None = None) -> Timer:
        """It will not come. Raises NotFound, also when it came already."""
        params = {"timer": timer_id, "user": user_id, "actor": actor or user_id}
        rows = await self._db.within(self._remove(params))
        if not rows:
            raise NotFound(f"there is no timer {timer_id}")
        self._db.notifier.event(user_id, rows[0].pop("seq"))
        return Timer(**rows[0])

    async def fire(self, user_id: str, timer_id: str) -> Lease | None:
        """Make a due timer the message it was set for, once; the lease of who has to answer.

        None: it is not due, was removed, or another one fired it.
        """
        row = await self._db.within(self._fire(user_id, timer_id))
        if row is None:
            return None
        self._db.notifier.event(user_id, row["seq"])
        return Lease(row["key"], row["epoch"], row["live"])

    async def _set(self, params: dict[str, Any], fence: Fence | None) -> dict[str, Any]:
        async with self._db.transaction("set_timer") as conn:
            if fence is not None:
                own = {"fence_key": fence.key, "fence_epoch": fence.epoch}
                if not await execute(conn, sql.texts()["lock_fence"], own):
                    raise Fenced(f"the lease {fence.key} has passed on from epoch {fence.epoch}")
            await execute(conn, sql.texts()["lock_stream"], params)
            if known := await execute(conn, sql.texts()["known_timer"], params):
                return dict(known[0])
            _check(params)
            [count] = await execute(conn, sql.texts()["count_timers"], params)
            if count["timers"] >= LIMIT:
                raise TooMany(f"{LIMIT} timers are set; remove one of them first")
            made = await execute(conn, sql.texts()["set_timer"], params)
        if not made:
            raise NotFound(f"there is no thread {params['thread'] or 'master'}")
        return dict(made[0])

    async def _remove(self, params: dict[str, Any]) -> list[dict[str, Any]]:
        async with self._db.transaction("remove_timer") as conn:
            await execute(conn, sql.texts()["lock_stream"], params)
            return await execute(conn, sql.texts()["remove_timer"], params)

    async def _fire(self, user_id: str, timer_id: str) -> dict[str, Any] | None:
        own = {"timer": timer_id, "user": user_id}
        async with self._db.transaction("fire_timer") as conn:
            await execute(conn, sql.texts()["lock_stream"], own)
            taken = await execute(conn, sql.texts()["take_timer"], own, Timer)
            return await _said(conn, taken[0]) if taken else None

    async def list(
        self, user_id: str, *, limit: int, after: tuple[datetime, str] | None = None
    ) -> list[Timer]:
        """The next ones first, from the one behind (due, id) `after`."""
        due, last = after or (datetime.min.replace(tzinfo=UTC), "")
        return await self._db.all(
            "list_timers", Timer, user=user_id, due=due, after=last, limit=limit
        )


async def _said(conn: Connection, timer: Timer) -> dict[str, Any]:
    """The timer's message, queued turn and events; the lease, and the last event's number."""
    message, turn = _message(timer.id), names.new_id("trn")
    content = [{"type": "text", "text": timer.text}]
    told = {"message_id": message, "role": "user", "content": content, "timer_id": timer.id}
    place = {"user": timer.user_id, "thread": timer.thread_id, "turn": turn}
    said = {
        "message": message, "content": jsonb(content), "event": jsonb(told),
        "lease_key": names.grow_agent(timer.user_id), "parent_step": None,
        "client_key": None, "body_sha": None, "fence_key": None, "fence_epoch": None,
        "api_key": timer.api_key,
    }  # fmt: skip
    [accepted] = await execute(conn, sql.texts()["accept_message"], place | said)
    fired = {
        "actor": names.SUPERVISOR,
        "data": jsonb({"timer_id": timer.id, "message_id": message}),
    }
    [last] = await execute(conn, sql.texts()["fire_timer"], place | fired)
    return dict(accepted) | {"seq": last["seq"]}


def _message(timer_id: str) -> str:
    """The id of the message a timer becomes: by it a repeat knows that it has fired."""
    return names.derived_id("msg", timer_id)


def _check(params: dict[str, Any]) -> None:
    at, seconds = params["at"], params["seconds"]
    if (at is None) == (seconds is None):
        raise Invalid("say when: either a time or a number of seconds")
    if at is not None and at.tzinfo is None:
        raise Invalid("the time needs an offset from UTC, as in 2030-01-31T09:00:00+01:00")
    ahead = at - datetime.now(UTC) if at else timedelta(seconds=min(seconds, 1e9))
    if not -_SKEW <= ahead <= FARTHEST:
        raise Invalid("a timer is due within a year from now")
    if not params["text"].strip():
        raise Invalid("a timer needs a text to say")
    if len(params["text"].encode()) > MAX_TEXT:
        raise TooLarge(f"the text is larger than {MAX_TEXT} bytes")
