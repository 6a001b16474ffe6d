"""Wishes and ends in the midst of starts and stops, with two hosts at it: one does each thing, and
once it is quiet all is as it is wanted.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from growqr import names
from growqr.errors import EngineUnavailable
from growqr.stacks import Reconciler, ServiceSpec, ServiceStatus
from growqr.stacks.base import Tell
from growqr.store import Store, User
from tests.fakes.runtimes import MemoryRuntime, World
from tests.unit.stacks.conftest import gitea_of, journal, running, spec_of, until

pytestmark = pytest.mark.anyio

BOTH = {"opencode": spec_of, "gitea": gitea_of}
STORY = 5.0
"""Seconds of trouble."""


class Leisurely(MemoryRuntime):
    """Takes its time for everything, and the engine is away now and then."""

    def __init__(self, world: World, dice: random.Random) -> None:
        super().__init__(world, can_pause=True)
        self.dice, self.slow = dice, True
        self.busy: set[str] = set()
        self.clashes: list[str] = []

    @asynccontextmanager
    async def alone(self, name: str, most: float) -> AsyncIterator[None]:
        if name in self.busy:
            self.clashes.append(name)
        self.busy.add(name)
        try:
            if self.slow:
                await asyncio.sleep(self.dice.random() * most)
                if self.dice.random() < 0.05:
                    raise EngineUnavailable("for a moment")
            yield
        finally:
            self.busy.discard(name)

    async def ensure(self, spec: ServiceSpec, *, tell: Tell | None = None) -> ServiceStatus:
        async with self.alone(spec.name, 1.0):
            return await super().ensure(spec, tell=tell)

    async def stop(self, name: str, *, pause: bool = False) -> None:
        async with self.alone(name, 0.3):
            await super().stop(name, pause=pause)


async def befall(store: Store, user: User, world: World, dice: random.Random) -> None:
    role = dice.choice(["opencode", "gitea"])
    name = names.service(role, user.id)
    match dice.choice(["ready", "ready", "stopped", "touch", "end", "vanish"]):
        case "touch":
            await store.services.touch(user.id, role)
        case "end" if name in world.services:
            world.end(name, "killed")
        case "vanish" if name in world.services:
            world.vanish(name)
        case "stopped":
            await store.services.want(user.id, role, "stopped")
        case _:
            again, anew = dice.random() < 0.5, dice.random() < 0.2
            await store.services.want(user.id, role, "ready", again=again, anew=anew)


async def test_it_is_as_it_was_wanted_last(store: Store, alice: User) -> None:
    dice, world = random.Random(5), World()
    runtime = Leisurely(world, dice)
    here, there = (Reconciler(store, runtime, BOTH, holder=h, ttl=1.0) for h in ("here", "there"))
    async with running(here), running(there):
        end = time.monotonic() + STORY
        while time.monotonic() < end:
            await befall(store, alice, world, dice)
            await asyncio.sleep(dice.random() * 0.2)
        runtime.slow = False
        await store.services.want(alice.id, "opencode", "ready", again=True)
        await store.services.want(alice.id, "gitea", "stopped")

        async def well() -> bool:
            found = {service.role: service for service in await store.services.of(alice.id)}
            running = world.services.get(names.service("opencode", alice.id))
            return (
                (found["opencode"].state, found["gitea"].state) == ("ready", "stopped")
                and running is not None
                and running.ended is None
                and running.spec.generation == found["opencode"].generation
                and len(world.services) == 1
            )

        await until(well)
    assert runtime.clashes == [], "two at once worked on one service"
    for role in BOTH:
        starts = [spec.generation for spec in world.starts if spec.role == role]
        assert starts == sorted(set(starts)), "a generation is started once"
    told = await journal(store, alice)
    assert [event.seq for event in told] == list(range(1, len(told) + 1))
