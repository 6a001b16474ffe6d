"""What counts as a failure of a service, and what a wish forgives while something is under way."""

from __future__ import annotations

import pytest

from growqr import names
from growqr.stacks import Reconciler, ServiceSpec, ServiceStatus
from growqr.stacks.base import Tell
from growqr.store import Store, User
from tests.fakes.runtimes import MemoryRuntime, World
from tests.unit.stacks.conftest import age, running, seen, spec_of, told, until

pytestmark = pytest.mark.anyio


async def test_an_ended_one_of_an_earlier_generation_is_no_failure_of_the_next(
    store: Store, alice: User, world: World, runtime: MemoryRuntime, reconciler: Reconciler
) -> None:
    """The engine went away between the store's word for a new generation and its start."""
    await store.services.want(alice.id, "opencode", "ready")
    await reconciler.step(alice.id)
    world.end(names.service("opencode", alice.id), "killed")
    await store.services.want(alice.id, "opencode", "ready", anew=True)

    await reconciler.step(alice.id)

    service = await seen(store, alice)
    assert (service.state, service.failures) == ("ready", 0)
    assert await told(store, alice) == ["starting", "ready"] * 2


async def test_a_wish_during_a_failing_start_forgives_what_was_before_it(
    store: Store, alice: User, world: World
) -> None:
    class Wished(MemoryRuntime):
        async def ensure(self, spec: ServiceSpec, *, tell: Tell | None = None) -> ServiceStatus:
            status = await super().ensure(spec, tell=tell)
            if len(world.starts) == 3:
                await store.services.want(alice.id, "opencode", "ready", again=True)
            return status

    reconciler = Reconciler(store, Wished(world, "bad"), {"opencode": spec_of}, holder="here")
    await store.services.want(alice.id, "opencode", "ready")
    for _ in range(3):
        await reconciler.step(alice.id)

    service = await seen(store, alice)
    assert (service.state, service.failures, service.retry_at) == ("unhealthy", 1, None)


async def test_a_wish_during_a_start_that_comes_to_be_well_forgives_all(
    store: Store, alice: User, world: World
) -> None:
    class Wished(MemoryRuntime):
        async def ensure(self, spec: ServiceSpec, *, tell: Tell | None = None) -> ServiceStatus:
            status = await super().ensure(spec, tell=tell)
            if status.state == "ready":
                await store.services.want(alice.id, "opencode", "ready", again=True)
            return status

    runtime = Wished(world, "bad")
    reconciler = Reconciler(store, runtime, {"opencode": spec_of}, holder="here")
    await store.services.want(alice.id, "opencode", "ready")
    await reconciler.step(alice.id)
    runtime.wrong = None
    await reconciler.step(alice.id)

    service = await seen(store, alice)
    assert (service.state, service.failures, service.failed_at) == ("ready", 0, [])


async def test_after_the_instance_ended_all_of_them_nothing_lies_and_a_use_starts_one(
    store: Store, alice: User, bob: User, world: World, runtime: MemoryRuntime,
    reconciler: Reconciler, database_url: str,
) -> None:  # fmt: skip
    """As after `growqr down` with containers: its rows say what was."""
    runtime.can_pause = True
    for user in (alice, bob):
        await store.services.want(user.id, "opencode", "ready")
        await reconciler.step(user.id)
        await age(database_url, user, used_at=601)
    await reconciler.step(bob.id)
    assert ((await seen(store, bob)).state, (await seen(store, alice)).state) == ("paused", "ready")
    world.services.clear()

    async def all_told() -> bool:
        states = {(await seen(store, user)).state for user in (alice, bob)}
        return states == {"stopped"}

    up = Reconciler(store, MemoryRuntime(world), {"opencode": spec_of}, holder="up", ttl=2.0)
    async with running(up):
        await until(all_told, 3)
        for user in (alice, bob):
            await store.services.want(user.id, "opencode", "ready")

        async def all_ready() -> bool:
            found = [await seen(store, user) for user in (alice, bob)]
            return {(one.state, one.generation, one.failures) for one in found} == {("ready", 2, 0)}

        await until(all_ready, 3)
