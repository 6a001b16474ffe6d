"""Anything may happen to a service, its engine and its reconciler, in any order; then it is quiet,
and a few looks later everything is as it is wanted.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace

import pytest

from growqr import names
from growqr.directory import Lease
from growqr.errors import EngineUnavailable
from growqr.stacks import Reconciler, ServiceSpec, ServiceStatus
from growqr.stacks.base import Tell
from growqr.store import Service, Store, User
from tests.fakes.runtimes import MemoryRuntime, Running, World
from tests.unit.stacks.conftest import age, journal, seen, spec_of
from tests.unit.stacks.test_trouble import awake

pytestmark = pytest.mark.anyio

LOOKS = 6
"""Looks until all must be well: an end, a decision, a start, and as many to spare."""


class Crash(Exception):
    """The reconciler's process ends here."""


class Faulty(MemoryRuntime):
    """Before or after any call the engine may vanish for a moment, or the caller die."""

    def __init__(self, world: World, dice: random.Random, *, can_pause: bool) -> None:
        super().__init__(world, can_pause=can_pause)
        self.dice, self.faults = dice, 0.0

    def fault(self) -> None:
        if self.dice.random() < self.faults:
            raise self.dice.choice([Crash("here"), EngineUnavailable("for a moment")])

    async def ensure(self, spec: ServiceSpec, *, tell: Tell | None = None) -> ServiceStatus:
        self.fault()
        status = await super().ensure(spec, tell=tell)
        self.fault()
        return status

    async def status(self, name: str) -> ServiceStatus:
        self.fault()
        return await super().status(name)

    async def stop(self, name: str, *, pause: bool = False) -> None:
        self.fault()
        await super().stop(name, pause=pause)
        self.fault()


class Story:
    """One user's service and everything that can befall it."""

    def __init__(self, store: Store, user: User, url: str, dice: random.Random) -> None:
        self.store, self.user, self.url, self.dice = store, user, url, dice
        self.world, self.colour = World(), "red"
        self.runtime = Faulty(self.world, dice, can_pause=dice.random() < 0.7)
        self.name = names.service("opencode", user.id)
        self.here, self.there = self.reconciler("here"), self.reconciler("there")
        self.generations = [0]

    def reconciler(self, holder: str) -> Reconciler:
        specs = {"opencode": self.spec}
        return Reconciler(self.store, self.runtime, specs, holder=holder, wake=self.unheard)

    async def unheard(self, lease: Lease) -> None:
        """The Grow Agent is awake, and decides nothing."""

    def spec(self, user_id: str, generation: int) -> ServiceSpec:
        return spec_of(user_id, generation, colour=self.colour)

    async def look(self) -> Service:
        try:
            await self.dice.choice([self.here, self.there]).step(self.user.id)
        except (Crash, EngineUnavailable):
            pass
        service = await seen(self.store, self.user)
        self.generations.append(service.generation)
        return service

    async def befall(self) -> None:
        """One thing happens; the next look may be far away."""
        running = self.world.services.get(self.name)
        happenings: list[Callable[[Running], object]] = [
            lambda it: self.world.end(self.name, "killed"),
            lambda it: self.world.services.pop(self.name),
            lambda it: setattr(it, "paused", True),
            lambda it: setattr(it, "paused", False),
            lambda it: setattr(it, "deaf", True),
            lambda it: setattr(it, "deaf", False),
            lambda it: setattr(it, "replaced", True),
            lambda it: setattr(it, "ready", False),
            lambda it: setattr(it, "spec", replace(it.spec, generation=77, workdir=it.spec.home)),
        ]
        if running and self.dice.random() < 0.5:
            self.dice.choice(happenings)(running)
            return
        services = self.store.services
        match self.dice.choice(
            ["want", "unwant", "touch", "age", "away", "bad", "colour", "again"]
        ):
            case "want" | "again" as how:
                await services.want(self.user.id, "opencode", "ready", again=how == "again")
            case "unwant":
                await services.want(self.user.id, "opencode", "stopped")
            case "touch":
                await services.touch(self.user.id, "opencode")
            case "age":
                columns = ["used_at", "updated_at", "retry_at", "failed_at"]
                column, by = self.dice.choice(columns), self.dice.choice([20, 70, 700, 2000])
                await age(self.url, self.user, **{column: by})
            case "away":
                self.world.away = None if self.world.away else "away"
            case "bad":
                self.runtime.wrong = self.dice.choice([None, "bad", "never", "old"])
            case "colour":
                self.colour = self.dice.choice(["red", "green"])

    def quiet(self) -> None:
        self.runtime.faults, self.world.away, self.runtime.wrong = 0.0, None, None
        if running := self.world.services.get(self.name):
            running.deaf = False


@pytest.mark.parametrize("seed", range(5))
async def test_after_any_trouble_it_is_as_it_is_wanted(
    store: Store, alice: User, database_url: str, seed: int
) -> None:
    dice = random.Random(seed)
    story = Story(store, alice, database_url, dice)
    await store.services.want(alice.id, "opencode", "ready")
    if seed % 2:
        await awake(store, alice)
    for wanted in ("ready", "stopped", "ready"):
        story.runtime.faults = 0.1
        for _ in range(15):
            await story.befall()
            await story.look()
        story.quiet()
        await store.services.want(alice.id, "opencode", wanted, again=True)
        for _ in range(LOOKS):
            service = await story.look()
            if service.decision == "open":  # the agent had its second
                await age(database_url, alice, updated_at=2)

        running = story.world.services.get(story.name)
        assert service.state == wanted, service
        if wanted == "stopped":
            assert running is None
        else:
            assert running is not None
            assert (running.paused, running.ended, running.ready) == (False, None, True)
            assert running.spec.generation == service.generation
            assert running.spec.sha == service.spec_sha
            assert running.spec.sha == story.spec(alice.id, service.generation).sha
        assert await store.services.due(10) == []
        assert (await store.supervised.snapshot()).services == []

    assert story.generations == sorted(story.generations)
    told = await journal(store, alice)
    assert [event.seq for event in told] == list(range(1, len(told) + 1))
    agent = names.grow_agent(alice.id)
    assert {e.actor for e in told if e.type == "service.decided"} <= {agent}
    starts = [spec.generation for spec in story.world.starts]
    assert starts == sorted(set(starts)), "a generation is started once"
