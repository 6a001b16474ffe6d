"""One LISTEN connection that comes back by itself."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import psycopg
from psycopg import sql

PROBE = 10.0
"""Seconds without a notification after which the connection is asked whether it lives."""


async def listen(url: str, *channels: str) -> AsyncIterator[tuple[str, str]]:
    """(channel, payload) as they come, for ever; ("", "") each time after (re)connecting.

    What was notified while the connection was away is lost: the reader polls after ("", "").
    """
    delay = 0.1
    while True:
        try:
            conn = await psycopg.AsyncConnection.connect(
                url, autocommit=True, connect_timeout=2, application_name="growqr listen"
            )
        except psycopg.Error:
            await asyncio.sleep(delay)
            delay = min(delay * 2, 2.0)
            continue
        delay = 0.1
        try:
            for channel in channels:
                await conn.execute(sql.SQL("listen {}").format(sql.Identifier(channel)))
            yield "", ""
            while True:
                async for note in conn.notifies(timeout=PROBE):
                    yield note.channel, note.payload
                async with asyncio.timeout(2.0):
                    await conn.execute("select 1")
        except (psycopg.Error, TimeoutError):
            pass
        finally:
            await conn.close()
