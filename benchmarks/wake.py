"""Wake: message to a sleeping agent → its turn is claimed, beside a bare actor's first answer."""

from __future__ import annotations

import asyncio

from benchmarks import bare
from benchmarks.figures import Figure, alternate, timed
from benchmarks.setting import Setting

ROUNDS = 7


async def run(setting: Setting) -> list[Figure]:
    """The agent is put to sleep before each message; the bare actor is a new one each time."""
    anna = setting.person()
    await anna.ask("hello")

    async def wake() -> float:
        await anna.request("POST", "/actors/me/stop")
        async with asyncio.timeout(60):
            while (await anna.request("GET", "/actors/me"))["state"] != "asleep":
                await asyncio.sleep(0.05)
        await asyncio.sleep(1)  # its process ends, a fresh worker may be made
        async with anna.events() as events:

            async def woken() -> None:
                await anna.say("hello")
                await setting.until(events, "turn.started")

            took = await timed(woken)
            await setting.until(events, "turn.completed")
        return took

    async def cold() -> float:
        await asyncio.sleep(1)
        kept = []

        async def first() -> None:
            kept.append(bare.start())
            await kept[0].pid.remote()

        took = await timed(first)
        bare.end(kept[0])
        return took

    ours, floor = await alternate(ROUNDS, wake, cold)
    return [Figure("wake: message → turn claimed", "ms", ours, "bare named actor, cold", floor)]
