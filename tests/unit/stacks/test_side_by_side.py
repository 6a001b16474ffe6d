"""What takes long for one service or user keeps no other waiting, and no hint is lost over it."""

from __future__ import annotations

import asyncio
import time

import pytest

from growqr import names
from growqr.stacks import Reconciler, ServiceSpec, ServiceStatus
from growqr.stacks.base import Tell
from growqr.store import Store, User
from tests.fakes.runtimes import MemoryRuntime, World
from tests.unit.stacks.conftest import gitea_of, journal, running, seen, spec_of, until

pytestmark = pytest.mark.anyio

BOTH = {"opencode": spec_of, "gitea": gitea_of}


class Slow(MemoryRuntime):
    """A Gitea starts when it is let."""

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.let, self.starting = asyncio.Event(), 0

    async def ensure(self, spec: ServiceSpec, *, tell: Tell | None = None) -> ServiceStatus:
        if spec.role == "gitea":
            self.starting += 1
            await self.let.wait()
        return await super().ensure(spec, tell=tell)


async def states(store: Store, user: User) -> dict[str, str]:
    return {service.role: service.state for service in await store.services.of(user.id)}


async def test_while_one_starts_for_long_the_other_is_looked_after(
    store: Store, alice: User, world: World
) -> None:
    slow = Slow(world)
    reconciler = Reconciler(store, slow, BOTH, holder="here", ttl=2.0)
    async with running(reconciler):
        await store.services.want(alice.id, "gitea", "ready")
        await store.services.want(alice.id, "opencode", "ready")

        async def ready(generation: int) -> bool:
            service = await seen(store, alice)
            return (service.state, service.generation) == ("ready", generation)

        await until(lambda: ready(1))
        world.end(names.service("opencode", alice.id), "killed")
        ended = time.monotonic()
        await until(lambda: ready(2))
        assert time.monotonic() - ended < 2
        assert "service.decided" in {event.type for event in await journal(store, alice)}

        await store.services.want(alice.id, "opencode", "stopped")

        async def now(**wanted: str) -> bool:
            return await states(store, alice) == wanted

        await until(lambda: now(opencode="stopped", gitea="starting"), 2)
        slow.let.set()
        await until(lambda: now(opencode="stopped", gitea="ready"))
    assert slow.starting == 1


async def test_a_start_that_nobody_wants_any_more_is_given_up(
    store: Store, alice: User, world: World
) -> None:
    slow = Slow(world)
    reconciler = Reconciler(store, slow, BOTH, holder="here", ttl=2.0)

    async def now(**wanted: str) -> bool:
        return await states(store, alice) == wanted

    async def starting() -> bool:
        return slow.starting == 1

    async with running(reconciler):
        await store.services.want(alice.id, "gitea", "ready")
        await until(starting)
        await store.services.want(alice.id, "gitea", "stopped")
        await until(lambda: now(gitea="stopped"), 2)

        await store.services.want(alice.id, "gitea", "ready")
        slow.let.set()
        await until(lambda: now(gitea="ready"))
    service = await store.services.get(alice.id, "gitea")
    assert service
    assert (service.failures, len(world.starts)) == (0, 1)


async def test_a_wish_that_is_said_again_disturbs_no_start(
    store: Store, alice: User, world: World
) -> None:
    slow = Slow(world)
    reconciler = Reconciler(store, slow, BOTH, holder="here", ttl=2.0)

    async def starting() -> bool:
        return slow.starting == 1

    async with running(reconciler):
        await store.services.want(alice.id, "gitea", "ready")
        await until(starting)
        for _ in range(3):
            await store.services.want(alice.id, "gitea", "ready")
            await asyncio.sleep(0.1)
        slow.let.set()

        async def ready() -> bool:
            return await states(store, alice) == {"gitea": "ready"}

        await until(ready)
    assert slow.starting == 1


async def test_many_long_starts_keep_no_other_user_waiting(
    store: Store, alice: User, world: World
) -> None:
    slow = Slow(world)
    many = [f"u_many{number}" for number in range(12)]
    reconciler = Reconciler(store, slow, BOTH, holder="here", ttl=2.0)
    async with running(reconciler):
        for user_id in many:
            await store.users.ensure(user_id, issuer="here", subject=user_id, name=user_id)
            await store.services.want(user_id, "gitea", "ready")

        async def all_starting() -> bool:
            return slow.starting == len(many)

        await until(all_starting)
        await store.services.want(alice.id, "opencode", "ready")

        async def ready() -> bool:
            return (await seen(store, alice)).state == "ready"

        await until(ready, 2)


async def test_a_hint_survives_a_lease_that_somebody_else_has(
    store: Store, alice: User, world: World, reconciler: Reconciler
) -> None:
    """As of a Host that died in mid-look: nothing in the row says that there is something to do."""
    await store.services.want(alice.id, "opencode", "ready")
    await reconciler.step(alice.id)
    world.end(names.service("opencode", alice.id), "killed")
    dead = await store.leases.acquire(
        names.stack(alice.id), user_id=alice.id, holder="dead", ttl=1.0
    )
    assert dead

    async def again() -> bool:
        return (await seen(store, alice)).generation == 2

    async with running(reconciler):
        await until(again, 6)


async def test_a_deaf_service_delays_no_news_of_others(
    store: Store, alice: User, bob: User, world: World
) -> None:
    class Asked(MemoryRuntime):
        async def status(self, name: str) -> ServiceStatus:
            known = self.world.services.get(name)
            if known and known.deaf:
                await asyncio.sleep(3)
            return await super().status(name)

    reconciler = Reconciler(store, Asked(world), BOTH, holder="here", ttl=2.0)
    async with running(reconciler):
        for user in (alice, bob):
            await store.services.want(user.id, "opencode", "ready")

        async def ready(user: User, generation: int) -> bool:
            service = await seen(store, user)
            return (service.state, service.generation) == ("ready", generation)

        await until(lambda: ready(alice, 1))
        await until(lambda: ready(bob, 1))
        world.services[names.service("opencode", alice.id)].deaf = True
        world.tell(names.service("opencode", alice.id))
        world.end(names.service("opencode", bob.id), "killed")
        await until(lambda: ready(bob, 2), 2)
