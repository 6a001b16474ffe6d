"""Wake: message to a sleeping agent → its turn is claimed, and answered; the offline model takes
no time. Beside a bare actor's first answer, and the same without workers kept ready.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from pathlib import Path

from benchmarks import bare
from benchmarks.figures import Figure, alternate, timed
from benchmarks.instance import Instance, Person, until
from benchmarks.setting import Setting

ROUNDS = 10
PAUSE = 2.0
"""Seconds in which a process ends and a worker is made ready in its place."""


async def run(setting: Setting) -> list[Figure]:
    """The agent is put to sleep before each message; the bare actor is a new one each time."""
    warm = Sleeper(setting.person())
    await warm.person.ask("hello")
    claimed, floor = await alternate(ROUNDS, warm.wake, _bare)
    cold = await _without_warm_workers(setting)
    reference = "bare named actor, warm"
    return [
        Figure("wake, warm: message → turn claimed", "ms", claimed, reference, floor),
        Figure("wake, warm: message → model has answered", "ms", warm.answered[1:]),
        Figure("wake, cold: message → turn claimed", "ms", cold.claimed[1:]),
        Figure("wake, cold: message → model has answered", "ms", cold.answered[1:]),
    ]


class Sleeper:
    """A person whose agent sleeps between two messages."""

    def __init__(self, person: Person) -> None:
        self.person = person
        self.claimed: list[float] = []
        self.answered: list[float] = []

    async def wake(self) -> float:
        """Milliseconds from the message to its claim."""
        await self.person.request("POST", "/actors/me/stop")
        async with asyncio.timeout(60):
            while (await self.person.request("GET", "/actors/me"))["state"] != "asleep":
                await asyncio.sleep(0.05)
        await asyncio.sleep(PAUSE)
        async with self.person.events() as events:
            said = time.perf_counter()
            await self.person.say("hello")
            for kind, times in (("turn.started", self.claimed), ("turn.completed", self.answered)):
                await until(events, kind)
                times.append((time.perf_counter() - said) * 1e3)
        return self.claimed[-1]


async def _without_warm_workers(setting: Setting) -> Sleeper:
    with tempfile.TemporaryDirectory(prefix="gq-cold-") as folder:
        cold = Instance(Path(folder) / "d", GROWQR_WARM_WORKERS="0")
        await asyncio.to_thread(cold.up)
        try:
            sleeper = Sleeper(cold.person(setting.http))
            await sleeper.person.ask("hello")
            for _ in range(ROUNDS + 1):
                await sleeper.wake()
        finally:
            await asyncio.to_thread(cold.down)
    return sleeper


async def _bare() -> float:
    await asyncio.sleep(PAUSE)
    kept = []

    async def first() -> None:
        kept.append(bare.start())
        await kept[0].pid.remote()

    took = await timed(first)
    bare.end(kept[0])
    return took
