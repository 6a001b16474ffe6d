"""A service nobody uses is paused, then stopped; a use has it back, and is never overlooked."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable

import pytest

from growqr import names
from growqr.stacks import Reconciler, ServiceSpec
from growqr.store import Store, User
from tests.fakes.runtimes import MemoryRuntime, World
from tests.unit.stacks.conftest import age, journal, running, seen, spec_of, told, until

pytestmark = pytest.mark.anyio


@pytest.fixture
def runtime(world: World) -> MemoryRuntime:
    return MemoryRuntime(world, can_pause=True)


@pytest.fixture
async def asleep(
    store: Store, alice: User, reconciler: Reconciler, database_url: str, world: World
) -> str:
    """The name of a service that is paused."""
    await store.services.want(alice.id, "opencode", "ready")
    await reconciler.step(alice.id)
    await age(database_url, alice, used_at=601)
    await reconciler.step(alice.id)
    name = names.service("opencode", alice.id)
    assert world.services[name].paused
    return name


async def test_unused_it_is_paused_and_nothing_more_is_done(
    store: Store, alice: User, world: World, reconciler: Reconciler, asleep: str
) -> None:
    before = await seen(store, alice)
    assert (before.state, before.desired, before.generation) == ("paused", "ready", 1)
    assert await store.services.due(10) == []
    assert (await store.supervised.snapshot()).services == []

    await reconciler.step(alice.id)

    assert await seen(store, alice) == before
    assert (await told(store, alice)) == ["starting", "ready", "paused"]


@pytest.mark.parametrize("by", ["want", "touch"])
async def test_a_use_has_it_back_at_once_as_it_was(
    store: Store, alice: User, world: World, reconciler: Reconciler, asleep: str, by: str
) -> None:
    pid = world.services[asleep].pid

    async def ready() -> bool:
        return (await seen(store, alice)).state == "ready"

    async with running(reconciler):
        await until(lambda: _listening(store, alice, reconciler, world))
        began = time.monotonic()
        if by == "want":
            await store.services.want(alice.id, "opencode", "ready")
        else:
            await store.services.touch(alice.id, "opencode")
        await until(ready)
        took = time.monotonic() - began
    print(f"{by} → ready of a paused one: {took * 1000:.0f} ms")
    assert took < 0.45
    assert (world.services[asleep].pid, world.services[asleep].paused) == (pid, False)
    assert (await seen(store, alice)).generation == 1
    assert len(world.starts) == 1
    assert (await told(store, alice))[3:] == ["ready"]


async def _listening(store: Store, alice: User, reconciler: Reconciler, world: World) -> bool:
    """Whether the reconciler hears the runtime, as it does once all its loops run."""
    return bool(world.news)


async def test_paused_for_long_it_is_stopped(
    store: Store, alice: User, world: World, reconciler: Reconciler, asleep: str,
    database_url: str,
) -> None:  # fmt: skip
    await age(database_url, alice, updated_at=1801, used_at=1801)
    assert [due.user_id for due in await store.services.due(10)] == [alice.id]

    await reconciler.step(alice.id)

    service = await seen(store, alice)
    assert (service.state, service.desired) == ("stopped", "stopped")
    assert world.services == {}
    assert (await told(store, alice))[-2:] == ["paused", "stopped"]


async def test_without_time_for_pauses_it_is_stopped_at_once(
    store: Store, alice: User, runtime: MemoryRuntime, world: World, database_url: str
) -> None:
    reconciler = Reconciler(store, runtime, {"opencode": spec_of}, holder="here", paused=0)
    await store.services.want(alice.id, "opencode", "ready")
    await reconciler.step(alice.id)
    await age(database_url, alice, used_at=601)
    await reconciler.step(alice.id)

    assert (await seen(store, alice)).state == "stopped"
    assert world.services == {}


async def test_one_that_somebody_else_paused_goes_on(
    store: Store, alice: User, world: World, reconciler: Reconciler
) -> None:
    await store.services.want(alice.id, "opencode", "ready")
    name = names.service("opencode", alice.id)

    async def running_again() -> bool:
        return not world.services[name].paused

    async def ready() -> bool:
        return (await seen(store, alice)).state == "ready"

    async with running(reconciler):
        await until(ready)
        world.services[name].paused = True
        world.tell(name)
        await until(running_again)
        await until(ready)
    assert (await seen(store, alice)).generation == 1


async def test_one_that_somebody_else_unpaused_sleeps_on(
    store: Store, alice: User, world: World, reconciler: Reconciler, asleep: str
) -> None:
    world.services[asleep].paused = False
    await reconciler.step(alice.id)
    assert world.services[asleep].paused
    assert (await seen(store, alice)).state == "paused"


async def test_unwanted_while_it_sleeps_it_is_stopped(
    store: Store, alice: User, world: World, reconciler: Reconciler, asleep: str
) -> None:
    await store.services.want(alice.id, "opencode", "stopped")
    await reconciler.step(alice.id)
    assert (await seen(store, alice)).state == "stopped"
    assert world.services == {}


class Interrupting(MemoryRuntime):
    """Somebody uses the service just while it is put to sleep."""

    use: Callable[[], Awaitable[object]] | None = None

    async def stop(self, name: str, *, pause: bool = False) -> None:
        use, self.use = self.use, None
        if use:
            await use()
        await super().stop(name, pause=pause)


@pytest.mark.parametrize("can_pause", [True, False])
async def test_a_use_while_it_is_put_to_sleep_is_not_overlooked(
    store: Store, alice: User, world: World, database_url: str, can_pause: bool
) -> None:
    runtime = Interrupting(world, can_pause=can_pause)
    reconciler = Reconciler(store, runtime, {"opencode": spec_of}, holder="here")
    await store.services.want(alice.id, "opencode", "ready")
    await reconciler.step(alice.id)
    await age(database_url, alice, used_at=601)
    runtime.use = lambda: store.services.want(alice.id, "opencode", "ready")

    await reconciler.step(alice.id)
    assert [due.user_id for due in await store.services.due(10)] == [alice.id]
    await reconciler.step(alice.id)

    service = await seen(store, alice)
    assert (service.state, service.desired) == ("ready", "ready")
    assert not world.services[names.service("opencode", alice.id)].paused


async def test_one_in_which_a_sub_agent_works_never_sleeps(
    store: Store, alice: User, world: World, reconciler: Reconciler, database_url: str
) -> None:
    await store.services.want(alice.id, "opencode", "ready")
    await reconciler.step(alice.id)
    await age(database_url, alice, used_at=601)
    await at_work(store, alice)
    await reconciler.step(alice.id)
    assert (await seen(store, alice)).state == "ready"


async def at_work(store: Store, user: User) -> None:
    """A sub-agent of the user is in the middle of a turn."""
    from growqr.directory import Fence

    agent = await store.sub_agents.spawn(user.id, "coding", actor=user.id)
    await store.messages.accept(user.id, "work", thread_id=agent.thread_id)
    fence = Fence(agent.lease_key, 1)
    assert await store.leases.take(fence, holder="test", ttl=60)
    assert await store.turns.claim(fence, deadline=60)


def green(user_id: str, generation: int) -> ServiceSpec:
    return spec_of(user_id, generation, colour="green")


async def test_another_configuration_waits_for_the_work_under_way(
    store: Store, alice: User, world: World, runtime: MemoryRuntime, reconciler: Reconciler,
    database_url: str,
) -> None:  # fmt: skip
    await store.services.want(alice.id, "opencode", "ready")
    await reconciler.step(alice.id)
    await at_work(store, alice)
    other = Reconciler(store, runtime, {"opencode": green}, holder="there")

    await other.step(alice.id)
    assert (await seen(store, alice)).generation == 1
    [turn] = [
        turn for agent in await store.sub_agents.list(alice.id, limit=9)
        for turn in await store.turns.unfinished(agent.lease_key)
    ]  # fmt: skip
    await store.turns.give_up(turn.id, {"code": "x", "message": "over"})
    await other.step(alice.id)

    service = await seen(store, alice)
    assert (service.state, service.generation) == ("ready", 2)
    assert service.spec_sha == green(alice.id, 2).sha


async def test_a_replaced_folder_does_not_wait(
    store: Store, alice: User, world: World, reconciler: Reconciler
) -> None:
    await store.services.want(alice.id, "opencode", "ready")
    await reconciler.step(alice.id)
    await at_work(store, alice)
    world.services[names.service("opencode", alice.id)].replaced = True
    await reconciler.step(alice.id)
    assert (await seen(store, alice)).generation == 2
    assert (await seen(store, alice)).failures == 0


async def test_a_sleeping_one_of_another_configuration_is_made_anew_when_it_is_used(
    store: Store, alice: User, world: World, runtime: MemoryRuntime, asleep: str
) -> None:
    other = Reconciler(store, runtime, {"opencode": green}, holder="there")
    await other.step(alice.id)
    assert world.services[asleep].spec.env["COLOUR"] == "red"
    await store.services.touch(alice.id, "opencode")
    await other.step(alice.id)
    assert world.services[asleep].spec.env["COLOUR"] == "green"
    assert (await seen(store, alice)).generation == 2
    assert [event.type for event in await journal(store, alice)][-2:] == [
        "service.starting", "service.ready",
    ]  # fmt: skip


async def test_a_role_that_was_switched_off_is_put_away(
    store: Store, alice: User, runtime: MemoryRuntime, world: World, reconciler: Reconciler
) -> None:
    await store.services.want(alice.id, "opencode", "ready")
    await reconciler.step(alice.id)

    without = Reconciler(store, runtime, {}, holder="here", ttl=2.0)
    await without.step(alice.id)

    assert world.services == {}
    service = await seen(store, alice)
    assert (service.desired, service.state) == ("stopped", "stopped")
    assert await store.services.due(10) == []


async def test_one_that_somebody_removed_is_made_again_at_once(
    store: Store, alice: User, world: World, reconciler: Reconciler
) -> None:
    async def ready(generation: int) -> bool:
        service = await seen(store, alice)
        return (service.state, service.generation) == ("ready", generation)

    async with running(reconciler):
        await store.services.want(alice.id, "opencode", "ready")
        await until(lambda: ready(1))
        world.vanish(names.service("opencode", alice.id))
        await until(lambda: ready(2))
