"""Connections, deadlines and the fenced write. Nothing above this file knows psycopg."""

from __future__ import annotations

import asyncio
import os
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from contextvars import ContextVar
from typing import Any, NamedTuple, TypeVar, cast
from weakref import WeakKeyDictionary

import psycopg
from psycopg.rows import class_row, dict_row
from psycopg_pool import AsyncConnectionPool, PoolClosed, PoolTimeout

from growqr import failpoints
from growqr.directory import Fence
from growqr.errors import Fenced, StoreUnavailable
from growqr.events import NewEvent
from growqr.redaction import unsaid
from growqr.store import sql
from growqr.store.jsonb import jsonb
from growqr.store.notifier import Notifier

DEADLINE = 2.5
"""Seconds any call of the store may take, waiting for a connection included."""

Connection = psycopg.AsyncConnection[Any]
T = TypeVar("T")

_snapshot: ContextVar[dict[Database, Connection] | None] = ContextVar("snapshot", default=None)

Prepared = Callable[[Connection], Awaitable[tuple[list[NewEvent], dict[str, Any]]]]
"""Events and parameters of a write, read under the locks of its transaction."""


class Written(NamedTuple):
    """What a fenced write did: `changed` is False when its condition no longer held."""

    changed: bool
    seq: int | None
    turn_id: str | None
    step_id: str | None
    note: dict[str, Any]


class Database:
    """A small pool that opens connections when needed and closes them when idle.

    Every call ends within DEADLINE: with its result, or with StoreUnavailable. A call that was
    begun is not torn by the caller's cancellation; it ends in the background.
    """

    def __init__(
        self, url: str, max_connections: int, *, max_idle: float = 60.0, name: str = "growqr"
    ) -> None:
        self.url = url
        self._pool = AsyncConnectionPool(
            url,
            open=False,
            min_size=0,
            max_size=max_connections,
            max_idle=max_idle,
            timeout=DEADLINE,
            # Short, so that after an outage the next caller tries at once, not after a backoff.
            reconnect_timeout=0.5,
            check=_alive,
            kwargs={"autocommit": True, "connect_timeout": 2, "application_name": name},
        )
        self._running: set[asyncio.Task[Any]] = set()
        self.notifier = Notifier(self._notify)

    async def open(self) -> None:
        """Make the pool usable; connects to nothing yet."""
        await self._pool.open()

    async def close(self) -> None:
        """Send what is left to notify, then close every connection."""
        await self.notifier.close()
        await self._pool.close(timeout=1.0)

    async def one(self, name: str, into: type[T], /, **params: Any) -> T | None:
        """The first row of the named query as `into`, or None."""
        rows = await self.all(name, into, **params)
        return rows[0] if rows else None

    async def all(self, name: str, into: type[T], /, **params: Any) -> list[T]:
        """All rows of the named query; `into` is a NamedTuple, or dict."""
        return await self.within(self._rows(name, into, params))

    async def fenced(
        self,
        fence: Fence,
        name: str,
        events: Sequence[NewEvent] = (),
        /,
        *,
        after: str | None = None,
        prepared: Prepared | None = None,
        **params: Any,
    ) -> Written:
        """The named change with its events, as owner of `fence`; raises Fenced when stale.

        `after` names a statement that locks a row first, so that the change sees what whoever
        held that row before has committed: one statement alone sees the state before its wait.
        `prepared` then gives the events and further parameters, read under that lock.
        """
        params |= {"fence_key": fence.key, "fence_epoch": fence.epoch, **event_arrays(events)}
        if after:
            run = self._run_after(after, name, params, prepared)
        else:
            run = self._run(sql.fenced(name), params)
        failpoints.reach(f"{name}.before")
        row = (await self.within(run))[0]
        failpoints.reach(f"{name}.after")
        if not row["held"]:
            raise Fenced(f"the lease {fence.key} has passed on from epoch {fence.epoch}")
        if row["seq"] is not None and (events or prepared):
            self.notifier.event(row["user_id"], row["seq"])
        changed = row["note"] is not None
        return Written(changed, row["seq"], row["turn_id"], row["step_id"], row["note"] or {})

    @asynccontextmanager
    async def transaction(self, name: str) -> AsyncIterator[Connection]:
        """A connection inside one transaction: committed at the end, rolled back on an error.

        It is cut after DEADLINE, so that no lock is held for longer. `name` is that of the
        statement it is made for.
        """
        async with self._transaction() as conn:
            yield conn
            failpoints.reach(f"{name}.before")
        failpoints.reach(f"{name}.after")

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator[None]:
        """What is read inside is one state of the database; nothing can be written."""
        async with self._transaction() as conn:
            await execute(conn, sql.texts()["snapshot"], {})
            reading = {self: conn}
            outer = _snapshot.set(reading)
            try:
                yield
            finally:
                reading.clear()  # tasks begun inside have inherited it
                _snapshot.reset(outer)

    async def within(self, call: Coroutine[Any, Any, T]) -> T:
        """The result of `call`, or StoreUnavailable at the deadline; it then ends unheard."""
        task = asyncio.ensure_future(call)
        self._running.add(task)
        task.add_done_callback(self._ended)
        done, _ = await asyncio.wait({task}, timeout=DEADLINE)
        if done and not task.cancelled():
            return task.result()
        if done:  # not the caller's cancellation: nobody else may take it for one
            raise StoreUnavailable("the call was cut off with its connection")
        raise StoreUnavailable(f"the database did not answer within {DEADLINE:g} s")

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._running.discard(task)
        if not task.cancelled():
            task.exception()  # whoever asked may have gone: then nobody needs to know

    @asynccontextmanager
    async def _transaction(self) -> AsyncIterator[Connection]:
        with _translated():
            async with self._connection() as conn, conn.transaction():
                yield conn

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[Connection]:
        """A connection for as long as one call may take, whoever still waits for it."""
        async with self._pool.connection() as conn:
            with cut_after(conn, DEADLINE):
                yield conn

    async def _rows(self, name: str, into: type[T], params: dict[str, Any]) -> list[T]:
        failpoints.reach(f"{name}.before")
        rows = await self._run(sql.texts()[name], params, into)
        failpoints.reach(f"{name}.after")
        return cast("list[T]", rows)

    async def _run(self, text: str, params: dict[str, Any], into: type[Any] = dict) -> list[Any]:
        with _translated():
            if conn := (_snapshot.get() or {}).get(self):
                return await execute(conn, text, params, into)
            async with self._connection() as conn:
                return await execute(conn, text, params, into)

    async def _run_after(
        self, lock: str, name: str, params: dict[str, Any], prepared: Prepared | None
    ) -> list[Any]:
        async with self._transaction() as conn:
            await execute(conn, sql.texts()["lock_fence"], params)
            await execute(conn, sql.texts()[lock], params)
            if prepared:
                events, more = await prepared(conn)
                params |= more | event_arrays(events)
            return await execute(conn, sql.fenced(name), params)

    async def _notify(self, channels: list[str], payloads: list[str]) -> None:
        await self.all("notify", dict, channels=channels, payloads=payloads)


async def execute(
    conn: Connection, text: str, params: dict[str, Any], into: type[Any] = dict
) -> list[Any]:
    """All rows of one statement on this connection, [] for statements without rows."""
    factory = dict_row if into is dict else class_row(into)
    async with conn.cursor(row_factory=factory) as cursor:
        await cursor.execute(text.encode(), params)
        _last_used[conn] = time.monotonic()
        return await cursor.fetchall() if cursor.description else []


def event_arrays(events: Sequence[NewEvent]) -> dict[str, Any]:
    """Events as the parallel arrays that a statement unnests.

    Why something failed may quote servers, programs and addresses: the fields that tell it are
    blanked (`unsaid`), here, for every event passes here. What user, model and tools said is theirs
    and stays as it was: a transcript with holes would be another one.
    """
    return {
        "types": [event.type.value for event in events],
        "threads": [event.thread_id for event in events],
        "turns": [event.turn_id for event in events],
        "steps": [event.step_id for event in events],
        "actors": [event.actor for event in events],
        "datas": [jsonb(unsaid(event.data)) for event in events],
    }


_last_used: WeakKeyDictionary[Connection, float] = WeakKeyDictionary()


async def _alive(conn: Connection) -> None:
    """A connection unused for a second is asked first, so that an outage costs no caller."""
    if time.monotonic() - _last_used.get(conn, 0.0) > 1.0:
        with cut_after(conn, 1.0):
            await AsyncConnectionPool.check_connection(conn)


@contextmanager
def cut_after(conn: Connection, seconds: float) -> Iterator[None]:
    """End the connection, and with it what is asked of it, when this takes longer."""
    late = asyncio.get_running_loop().call_later(seconds, _cut, conn)
    try:
        yield
    finally:
        late.cancel()


def _cut(conn: Connection) -> None:
    """End the connection below psycopg, which would wait for a frozen server's farewell."""
    with suppress(OSError, psycopg.Error), socket.socket(fileno=os.dup(conn.fileno())) as wire:
        wire.shutdown(socket.SHUT_RDWR)


@contextmanager
def _translated() -> Iterator[None]:
    """Driver errors that mean "the database is away" become StoreUnavailable."""
    try:
        yield
    except (psycopg.Error, PoolTimeout, PoolClosed, OSError) as error:
        if isinstance(error, psycopg.Error) and not _is_away(error):
            raise
        raise StoreUnavailable(f"the database is away: {_reason(error)}") from error


def _is_away(error: psycopg.Error) -> bool:
    """Lost connections also show as errors of no class of their own, without a code."""
    if isinstance(error, psycopg.OperationalError | psycopg.InterfaceError):
        return True
    return type(error) is psycopg.DatabaseError and error.sqlstate is None


def _reason(error: BaseException) -> str:
    text = str(error).strip()
    return text.splitlines()[0] if text else type(error).__name__
