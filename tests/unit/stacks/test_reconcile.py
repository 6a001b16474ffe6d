"""Whatever happened, the next steps bring a service to what is wanted, and the journal says so."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import psycopg
import pytest

from growqr import names
from growqr.directory import Fence
from growqr.errors import Fenced, InstanceError, SandboxRequired
from growqr.stacks import Reconciler, ServiceSpec, ServiceStatus
from growqr.store import Service, Store, User
from tests.fakes.runtimes import MemoryRuntime, World
from tests.unit.stacks.conftest import spec_of, until

pytestmark = pytest.mark.anyio


async def seen(store: Store, user: User) -> Service:
    service = await store.services.get(user.id, "opencode")
    assert service is not None
    return service


async def told(store: Store, user: User) -> list[str]:
    events = await store.events.after(user.id, 0)
    return [event.type.removeprefix("service.") for event in events]


async def age(url: str, user: User, **seconds: int) -> None:
    """Let columns of the user's service lie that many seconds further back."""
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as conn:
        for column, by in seconds.items():
            text = f"update service set {column} = {column} - make_interval(secs => {by})"
            await conn.execute(f"{text} where user_id = '{user.id}'".encode())


@asynccontextmanager
async def running(reconciler: Reconciler) -> AsyncIterator[None]:
    task = asyncio.create_task(reconciler.run())
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def test_wanted_it_becomes_ready_and_unwanted_it_ends(
    store: Store, alice: User, world: World, reconciler: Reconciler
) -> None:
    async with running(reconciler):
        await store.services.want(alice.id, "opencode", "ready")

        async def ready() -> bool:
            return (await seen(store, alice)).state == "ready"

        await until(ready)
        service = await seen(store, alice)
        name = names.service("opencode", alice.id)
        assert service.address == f"http://127.0.0.1:{world.services[name].pid}"
        assert (service.generation, service.failures) == (1, 0)
        assert service.spec_sha == spec_of(alice.id, 1).sha

        await store.services.want(alice.id, "opencode", "stopped")

        async def stopped() -> bool:
            return (await seen(store, alice)).state == "stopped"

        await until(stopped)

    assert world.services == {}
    assert (await seen(store, alice)).address is None
    assert await told(store, alice) == ["starting", "ready", "stopped"]


async def test_a_step_without_need_writes_nothing(
    store: Store, alice: User, world: World, reconciler: Reconciler
) -> None:
    await store.services.want(alice.id, "opencode", "ready")
    await reconciler.step(alice.id)
    before = await seen(store, alice)

    for _ in range(3):
        assert await reconciler.step(alice.id)

    assert await seen(store, alice) == before
    assert len(world.starts) == 1
    assert await store.services.due(10) == []


async def test_a_killed_one_is_started_again_at_once_with_a_new_generation(
    store: Store, alice: User, world: World, reconciler: Reconciler
) -> None:
    async with running(reconciler):
        await store.services.want(alice.id, "opencode", "ready")

        async def ready(generation: int) -> bool:
            service = await seen(store, alice)
            return (service.state, service.generation) == ("ready", generation)

        await until(lambda: ready(1))
        world.end(names.service("opencode", alice.id), "killed")
        await until(lambda: ready(2))

    events = await store.events.after(alice.id, 0)
    assert [event.type for event in events[2:]] == [
        "service.unhealthy", "service.starting", "service.ready",
    ]  # fmt: skip
    assert events[2].data["reason"] == "killed"
    assert (await seen(store, alice)).failures == 1


async def test_the_third_failure_pauses_and_each_pause_is_longer(
    store: Store, alice: User, runtime: MemoryRuntime, world: World, reconciler: Reconciler,
    database_url: str,
) -> None:  # fmt: skip
    runtime.wrong = "bad"
    await store.services.want(alice.id, "opencode", "ready")
    for _ in range(5):
        await reconciler.step(alice.id)

    service = await seen(store, alice)
    assert (service.state, service.failures) == ("backoff", 3)
    assert service.reason == "no such setting: colour"
    assert len(world.starts) == 3
    assert await store.services.due(10) == []
    pauses = []
    for _ in range(3):
        service = await seen(store, alice)
        assert service.retry_at is not None
        pauses.append(round((service.retry_at - service.updated_at).total_seconds()))
        await age(database_url, alice, retry_at=1000)
        assert [due.user_id for due in await store.services.due(10)] == [alice.id]
        await reconciler.step(alice.id)
    assert pauses == [60, 300, 900]

    runtime.wrong = None
    await store.services.want(alice.id, "opencode", "ready", again=True)
    await reconciler.step(alice.id)
    assert (await seen(store, alice)).state == "ready"


async def test_failures_of_long_ago_do_not_count(
    store: Store, alice: User, world: World, reconciler: Reconciler, database_url: str
) -> None:
    await store.services.want(alice.id, "opencode", "ready")
    await reconciler.step(alice.id)
    for expected in (1, 2, 1):
        if expected == 1:
            await age(database_url, alice, updated_at=601)
        world.end(names.service("opencode", alice.id), "killed")
        await reconciler.step(alice.id)
        assert (await seen(store, alice)).failures == expected
        await reconciler.step(alice.id)


async def test_one_that_never_gets_ready_is_not_left_running(
    store: Store, alice: User, runtime: MemoryRuntime, world: World, reconciler: Reconciler
) -> None:
    runtime.wrong = "never"
    await store.services.want(alice.id, "opencode", "ready")

    await reconciler.step(alice.id)

    assert world.services == {}
    assert (await seen(store, alice)).reason == "not ready after 0.05 s"


async def test_a_new_reconciler_adopts_what_runs(
    store: Store, alice: User, world: World, reconciler: Reconciler
) -> None:
    await store.services.want(alice.id, "opencode", "ready")
    await reconciler.step(alice.id)

    other = Reconciler(store, MemoryRuntime(world), {"opencode": spec_of}, holder="there")
    assert await other.step(alice.id)

    assert len(world.starts) == 1
    assert (await seen(store, alice)).generation == 1


async def test_another_spec_makes_it_anew(
    store: Store, alice: User, world: World, reconciler: Reconciler
) -> None:
    await store.services.want(alice.id, "opencode", "ready")
    await reconciler.step(alice.id)

    def green(user_id: str, generation: int) -> ServiceSpec:
        return spec_of(user_id, generation, colour="green")

    other = Reconciler(store, MemoryRuntime(world), {"opencode": green}, holder="there")
    await other.step(alice.id)

    assert [spec.env["COLOUR"] for spec in world.starts] == ["red", "green"]
    service = await seen(store, alice)
    assert (service.state, service.generation) == ("ready", 2)
    assert service.spec_sha == green(alice.id, 2).sha


async def test_one_unused_for_long_is_stopped_and_the_next_use_starts_it(
    store: Store, alice: User, world: World, reconciler: Reconciler, database_url: str
) -> None:
    await store.services.want(alice.id, "opencode", "ready")
    await reconciler.step(alice.id)
    await age(database_url, alice, used_at=601)
    await store.services.touch(alice.id, "opencode")
    await reconciler.step(alice.id)
    assert len(world.services) == 1

    await age(database_url, alice, used_at=601)
    assert [due.user_id for due in await store.services.due(10)] == [alice.id]
    await reconciler.step(alice.id)

    service = await seen(store, alice)
    assert (service.state, service.desired) == ("stopped", "stopped")
    assert world.services == {}
    await store.services.want(alice.id, "opencode", "ready")
    await reconciler.step(alice.id)
    assert (await seen(store, alice)).generation == 2


async def test_what_is_missing_on_the_machine_is_said_and_tried_again(
    store: Store, alice: User, runtime: MemoryRuntime, database_url: str
) -> None:
    there = False

    def spec(user_id: str, generation: int) -> ServiceSpec:
        if not there:
            raise InstanceError("opencode not found: run `growqr up`")
        return spec_of(user_id, generation)

    reconciler = Reconciler(store, runtime, {"opencode": spec}, holder="here")
    await store.services.want(alice.id, "opencode", "ready")
    await reconciler.step(alice.id)
    service = await seen(store, alice)
    assert (service.state, service.reason) == ("failed", "opencode not found: run `growqr up`")
    assert service.generation == 0

    there = True
    await age(database_url, alice, retry_at=61)
    await reconciler.step(alice.id)
    assert (await seen(store, alice)).state == "ready"


async def test_no_walls_is_a_failure_with_its_remedy(
    store: Store, alice: User, world: World
) -> None:
    class Refusing(MemoryRuntime):
        async def ensure(self, spec: ServiceSpec) -> ServiceStatus:
            raise SandboxRequired("install bubblewrap")

    reconciler = Reconciler(store, Refusing(world), {"opencode": spec_of}, holder="here")
    await store.services.want(alice.id, "opencode", "ready")
    await reconciler.step(alice.id)

    assert (await seen(store, alice)).reason == "install bubblewrap"
    assert (await told(store, alice))[-1] == "failed"


async def test_two_reconcilers_never_work_on_one_user(
    store: Store, alice: User, world: World, reconciler: Reconciler
) -> None:
    await store.services.want(alice.id, "opencode", "ready")
    other = Reconciler(store, MemoryRuntime(world), {"opencode": spec_of}, holder="there")

    did = await asyncio.gather(reconciler.step(alice.id), other.step(alice.id))

    assert len(world.starts) == 1
    assert any(did)


async def test_a_lost_lease_ends_the_step_before_its_next_effect(
    store: Store, alice: User, world: World
) -> None:
    inside = asyncio.Event()

    class Stuck(MemoryRuntime):
        async def ensure(self, spec: ServiceSpec) -> ServiceStatus:
            inside.set()
            await asyncio.sleep(30)
            return await super().ensure(spec)

    reconciler = Reconciler(store, Stuck(world), {"opencode": spec_of}, holder="here", ttl=0.6)
    await store.services.want(alice.id, "opencode", "ready")
    step = asyncio.create_task(reconciler.step(alice.id))
    await asyncio.wait_for(inside.wait(), 5)
    key = names.stack(alice.id)
    lease = await store.leases.get(key)
    assert lease is not None
    await store.leases.release(Fence(key, lease.epoch))
    assert await store.leases.acquire(key, user_id=alice.id, holder="there", ttl=30)

    with pytest.raises(Fenced):
        await asyncio.wait_for(step, 5)
    assert world.starts == []


async def test_a_stale_owner_observes_nothing(store: Store, alice: User) -> None:
    wanted = await store.services.want(alice.id, "opencode", "ready")
    key = names.stack(alice.id)
    old = await store.leases.acquire(key, user_id=alice.id, holder="old", ttl=5)
    assert old is not None
    await store.leases.release(old)
    assert await store.leases.acquire(key, user_id=alice.id, holder="new", ttl=5)

    with pytest.raises(Fenced):
        await store.services.observe(old, wanted, state="ready")

    assert (await seen(store, alice)).state == "absent"
    assert await told(store, alice) == []


async def test_a_service_nobody_knows_is_removed(
    store: Store, world: World, reconciler: Reconciler
) -> None:
    spec: Any = spec_of("u_gone", 1)
    await MemoryRuntime(world).ensure(spec)

    async def gone() -> bool:
        return world.services == {}

    async with running(reconciler):
        await until(gone)


class Hanging(MemoryRuntime):
    """Once, a stop never comes back."""

    hung = False

    async def stop(self, name: str) -> None:
        if not self.hung:
            self.hung = True
            await asyncio.Event().wait()
        await super().stop(name)


async def test_a_runtime_that_hangs_is_asked_again(
    store: Store, alice: User, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("growqr.stacks.reconcile.STEP", 0.5)
    hanging = Hanging(world)
    reconciler = Reconciler(store, hanging, {"opencode": spec_of}, holder="here", ttl=2.0)
    async with running(reconciler):
        await store.services.want(alice.id, "opencode", "ready")

        async def state(wanted: str) -> bool:
            return (await seen(store, alice)).state == wanted

        await until(lambda: state("ready"))
        await store.services.want(alice.id, "opencode", "stopped")
        await until(lambda: state("stopped"))
    assert hanging.hung
    assert world.services == {}
