"""Fan-out: commit → byte at a client's socket, beside NOTIFY → LISTEN of the database alone."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import psycopg

from benchmarks.figures import Figure
from benchmarks.instance import Person
from benchmarks.setting import Setting

ROUNDS = 40


async def run(setting: Setting) -> list[Figure]:
    """1 user with 1 stream, 10 users with 10 each: commits side by side, every delivery counted."""
    floor = await _notify(setting.database)
    figures = []
    for users, each in ((1, 1), (10, 10)):
        delays = await _deliveries(setting, users, each)
        name = f"commit → byte, {users * each} clients"
        figures.append(Figure(name, "ms", delays, "NOTIFY → LISTEN", floor))
    return figures


async def _deliveries(setting: Setting, users: int, each: int) -> list[float]:
    people = [setting.person() for _ in range(users)]
    committed: dict[tuple[str, int], float] = {}
    seen: list[tuple[str, int, float]] = []
    async with AsyncExitStack() as stack:
        readers = []
        for person in people:
            await person.request("GET", "/users/me")
            for _ in range(each):
                events = await stack.enter_async_context(person.events())

                async def read(
                    person: Person = person, events: AsyncIterator[dict[str, Any]] = events
                ) -> None:
                    async for event in events:
                        if event["type"] == "message.created":
                            seen.append((person.user_id, event["seq"], time.perf_counter()))

                readers.append(asyncio.create_task(read()))
        for number in range(ROUNDS):
            await asyncio.gather(*(_commit(setting, person, committed) for person in people))
            async with asyncio.timeout(30):
                while len(seen) < (number + 1) * users * each:
                    await asyncio.sleep(0.005)
        for reader in readers:
            reader.cancel()
        await asyncio.gather(*readers, return_exceptions=True)
    return [(at - committed[user, seq]) * 1e3 for user, seq, at in seen if (user, seq) in committed]


async def _commit(
    setting: Setting, person: Person, committed: dict[tuple[str, int], float]
) -> None:
    """A message that no agent is told of, and that is taken back before one finds it."""
    accepted = await setting.store.messages.accept(person.user_id, "hello")
    committed[person.user_id, accepted.seq] = time.perf_counter()
    await setting.store.turns.cancel(person.user_id, accepted.turn_id)


async def _notify(url: str) -> list[float]:
    async with (
        await psycopg.AsyncConnection.connect(url, autocommit=True) as listener,
        await psycopg.AsyncConnection.connect(url, autocommit=True) as speaker,
    ):
        await listener.execute("listen bench_floor")
        delays = []
        for _ in range(200):
            began = time.perf_counter()
            await speaker.execute("notify bench_floor, 'x'")
            async for _told in listener.notifies(timeout=5, stop_after=1):
                delays.append((time.perf_counter() - began) * 1e3)
        return delays
