"""One LISTEN connection that comes back by itself, also from a server that is only silent."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

import psycopg
from psycopg import sql

from growqr.store.engine import Connection, cut_after

PROBE = 10.0
"""Seconds without a notification after which the connection is asked whether it lives."""

ANSWER = 2.0
"""Seconds for every word that the server owes."""

_PAUSE, _LONGEST = 0.1, 2.0


async def listen(
    url: str, *channels: str, probe: float = PROBE, answer: float = ANSWER
) -> AsyncGenerator[tuple[str, str], None]:
    """(channel, payload) as they come, for ever; ("", "") each time after (re)connecting.

    What was notified while the connection was away is lost: the reader polls after ("", "").
    After `probe` seconds of silence the server has `answer` seconds to show that it lives.
    """
    pause = _PAUSE
    while True:
        try:
            conn = await _connected(url, channels, answer)
        except (psycopg.Error, OSError, TimeoutError):
            await asyncio.sleep(pause)
            pause = min(pause * 2, _LONGEST)
            continue
        try:
            yield "", ""
            while True:
                async for note in conn.notifies(timeout=probe):
                    yield note.channel, note.payload
                # Not a cancellation: psycopg would wait for a frozen server to agree to it.
                with cut_after(conn, answer):
                    await conn.execute("select 1")
                pause = _PAUSE
        except (psycopg.Error, OSError):
            await asyncio.sleep(pause)
            pause = min(pause * 2, _LONGEST)
        finally:
            await conn.close()


async def _connected(url: str, channels: tuple[str, ...], answer: float) -> Connection:
    async with asyncio.timeout(2 * answer):
        conn = await psycopg.AsyncConnection.connect(
            url, autocommit=True, connect_timeout=2, application_name="growqr listen"
        )
    try:
        with cut_after(conn, answer):
            for channel in channels:
                await conn.execute(sql.SQL("listen {}").format(sql.Identifier(channel)))
    except BaseException:
        await conn.close()
        raise
    return conn
