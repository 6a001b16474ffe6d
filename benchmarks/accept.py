"""Durable accept: POST message → 202, beside a bare commit of the same size."""

from __future__ import annotations

import asyncio

from benchmarks.commits import Commits
from benchmarks.figures import Figure, alternate, timed
from benchmarks.setting import Setting

ROUNDS, PEOPLE, EACH = 120, 16, 10


async def run(setting: Setting) -> list[Figure]:
    """One client, each turn ended before the next message; then many at once with their turns."""
    anna = setting.person()
    await anna.ask("hello")
    async with Commits(setting.database) as commits:

        async def accept() -> float:
            async with anna.events() as events:
                took = await timed(lambda: anna.say("hello"))
                await setting.until(events, "turn.completed")
            return took

        ours, floor = await alternate(ROUNDS, accept, lambda: timed(commits.turn))
    return [
        Figure("accept, 1 client", "ms", ours, "commit of event + state", floor),
        Figure(f"accept, {PEOPLE} clients with their turns", "ms", await _crowd(setting)),
    ]


async def _crowd(setting: Setting) -> list[float]:
    people = [setting.person() for _ in range(PEOPLE)]
    await asyncio.gather(*(person.ask("hello") for person in people))
    samples: list[float] = []

    async def talk(index: int) -> None:
        for _ in range(EACH):
            samples.append(await timed(lambda: people[index].say("hello")))

    await asyncio.gather(*(talk(index) for index in range(PEOPLE)))
    return samples
