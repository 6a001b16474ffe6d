"""Whatever happened, the next steps bring a service to what is wanted, and the journal says so."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from growqr import names
from growqr.directory import Fence
from growqr.errors import Fenced, InstanceError, SandboxRequired
from growqr.stacks import Reconciler, ServiceSpec, ServiceStatus
from growqr.stacks.base import Tell
from growqr.store import Store, User
from tests.fakes.runtimes import MemoryRuntime, World
from tests.unit.stacks.conftest import age, journal, running, seen, spec_of, told, until

pytestmark = pytest.mark.anyio


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

    assert (await told(store, alice))[2:] == ["unhealthy", "decided", "starting", "ready"]
    ended, decided = (await journal(store, alice))[2:4]
    assert ended.data["reason"] == "killed"
    assert decided.actor == names.grow_agent(alice.id)
    assert decided.data == {
        "role": "opencode", "generation": 1, "decision": "restart", "why": "it is in use",
        "by": "host",
    }  # fmt: skip
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


async def test_three_failures_within_ten_minutes_pause_and_not_those_further_apart(
    store: Store, alice: User, world: World, reconciler: Reconciler, database_url: str
) -> None:
    """However long it was well in between: what counts is when it failed."""
    await store.services.want(alice.id, "opencode", "ready")
    for expected, gap in ((1, 301), (2, 301), (2, 301), (2, 0), (3, 0)):
        await reconciler.step(alice.id)
        assert (await seen(store, alice)).state == "ready"
        world.end(names.service("opencode", alice.id), "killed")
        await reconciler.step(alice.id)
        service = await seen(store, alice)
        assert service.failures == expected
        await age(database_url, alice, failed_at=gap)
    assert (service.state, service.decision) == ("backoff", "wait")
    assert service.retry_at is not None
    assert 50 < (service.retry_at - service.failed_at[-1]).total_seconds() < 61
    [*_, decided, backoff] = await journal(store, alice)
    assert decided.data["decision"] == "wait"
    assert decided.data["why"].startswith("it failed 3 times: again at ")
    assert backoff.type == "service.backoff"


async def test_once_it_lasted_ten_minutes_after_a_pause_all_is_forgiven(
    store: Store, alice: User, runtime: MemoryRuntime, reconciler: Reconciler, database_url: str
) -> None:
    runtime.wrong = "bad"
    await store.services.want(alice.id, "opencode", "ready")
    for _ in range(3):
        await reconciler.step(alice.id)
    runtime.wrong = None
    await age(database_url, alice, retry_at=61, failed_at=61)
    await reconciler.step(alice.id)
    assert ((await seen(store, alice)).state, (await seen(store, alice)).failures) == ("ready", 3)

    await age(database_url, alice, failed_at=600)
    await reconciler.step(alice.id)

    service = await seen(store, alice)
    assert (service.state, service.failures, service.failed_at) == ("ready", 0, [])


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
        async def ensure(self, spec: ServiceSpec, *, tell: Tell | None = None) -> ServiceStatus:
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
        async def ensure(self, spec: ServiceSpec, *, tell: Tell | None = None) -> ServiceStatus:
            inside.set()
            await asyncio.sleep(30)
            return await super().ensure(spec, tell=tell)

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


async def test_a_service_nobody_knows_is_removed_after_a_grace(
    store: Store, alice: User, world: World, reconciler: Reconciler,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr("growqr.stacks.reconcile.GRACE", 0.5)
    monkeypatch.setattr("growqr.stacks.reconcile._ROUND", 0.1)
    await store.services.want(alice.id, "opencode", "ready")
    await reconciler.step(alice.id)
    orphan: Any = spec_of("u_gone", 1)
    await MemoryRuntime(world).ensure(orphan)
    told_at = asyncio.get_running_loop().time()

    async def gone() -> bool:
        return orphan.name not in world.services

    async with running(reconciler):
        await until(gone)
        assert asyncio.get_running_loop().time() - told_at > 0.5
        await reconciler.step(alice.id)

    assert list(world.services) == [names.service("opencode", alice.id)]
    assert (await seen(store, alice)).generation == 1


async def test_one_that_was_known_in_time_is_not_removed(
    store: Store, alice: User, world: World, reconciler: Reconciler,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """It was there before its row could be seen."""
    monkeypatch.setattr("growqr.stacks.reconcile.GRACE", 0.3)
    monkeypatch.setattr("growqr.stacks.reconcile._ROUND", 0.1)
    await MemoryRuntime(world).ensure(spec_of(alice.id, 0))
    async with running(reconciler):
        await asyncio.sleep(0.15)
        await store.services.want(alice.id, "opencode", "ready")

        async def ready() -> bool:
            return (await seen(store, alice)).state == "ready"

        await until(ready)
    assert len(world.services) == 1


class Hanging(MemoryRuntime):
    """Once, a stop never comes back."""

    hung = False

    async def stop(self, name: str, *, pause: bool = False) -> None:
        if not self.hung:
            self.hung = True
            await asyncio.Event().wait()
        await super().stop(name, pause=pause)


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
