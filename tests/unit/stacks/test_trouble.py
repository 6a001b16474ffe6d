"""Services that end by themselves, an engine that is away, folders that are full, long starts."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime

import pytest

from growqr import names
from growqr.directory import Fence, Lease
from growqr.errors import EngineUnavailable
from growqr.stacks import Reconciler, ServiceSpec, ServiceStatus
from growqr.stacks.base import Tell
from growqr.store import Store, User
from tests.fakes.runtimes import MemoryRuntime, World
from tests.unit.stacks.conftest import (
    age,
    gitea_of,
    journal,
    running,
    seen,
    spec_of,
    told,
    until,
)
from tests.unit.stacks.test_rest import at_work

pytestmark = pytest.mark.anyio


@pytest.fixture
async def ready(store: Store, alice: User, reconciler: Reconciler, database_url: str) -> str:
    """The name of a service that is ready, last used two minutes ago."""
    await store.services.want(alice.id, "opencode", "ready")
    await reconciler.step(alice.id)
    await age(database_url, alice, used_at=120)
    return names.service("opencode", alice.id)


async def test_last_words_of_any_kind_are_told_in_plain_text(
    store: Store, alice: User, world: World, reconciler: Reconciler, ready: str
) -> None:
    world.end(ready, "bad\0 \x1b]0;title\x07 \ud800 end")
    await reconciler.step(alice.id)

    assert (await seen(store, alice)).reason == "bad   ]0;title    end"


async def test_one_that_ends_unused_is_left_until_it_is_used(
    store: Store, alice: User, world: World, reconciler: Reconciler, ready: str
) -> None:
    world.end(ready, "killed (out of memory)")
    await reconciler.step(alice.id)

    service = await seen(store, alice)
    assert (service.state, service.desired, service.decision) == ("stopped", "ready", "leave")
    assert service.reason == "killed (out of memory)"
    assert world.services == {}
    assert (await told(store, alice))[2:] == ["unhealthy", "decided", "stopped"]
    assert await store.services.due(10) == []
    assert await store.services.users() == []
    assert (await store.supervised.snapshot()).services == []

    await store.services.want(alice.id, "opencode", "ready")
    await reconciler.step(alice.id)
    service = await seen(store, alice)
    assert (service.state, service.decision, service.generation) == ("ready", None, 2)


async def test_one_that_ends_at_work_is_started_again(
    store: Store, alice: User, world: World, reconciler: Reconciler, ready: str
) -> None:
    await at_work(store, alice)
    world.end(ready, "killed")
    await reconciler.step(alice.id)
    assert (await seen(store, alice)).state == "ready"
    decided = next(e for e in await journal(store, alice) if e.type == "service.decided")
    assert decided.data["decision"] == "restart"
    assert decided.actor == names.grow_agent(alice.id)


async def test_one_that_was_removed_is_decided_about_and_is_no_failure(
    store: Store, alice: User, world: World, reconciler: Reconciler, ready: str
) -> None:
    await at_work(store, alice)
    world.services.clear()
    await reconciler.step(alice.id)
    service = await seen(store, alice)
    assert (service.state, service.generation, service.failures) == ("ready", 2, 0)
    assert (await told(store, alice))[-4:] == ["unhealthy", "decided", "starting", "ready"]


async def test_one_that_answers_nothing_for_long_has_ended(
    store: Store, alice: User, world: World, reconciler: Reconciler, ready: str, database_url: str
) -> None:
    world.services[ready].deaf = True
    await reconciler.step(alice.id)
    assert (await seen(store, alice)).state == "unhealthy"
    assert (await seen(store, alice)).decision is None
    await age(database_url, alice, updated_at=16)
    await reconciler.step(alice.id)
    assert (await seen(store, alice)).decision == "leave"
    assert (await told(store, alice))[2:] == ["unhealthy", "decided", "stopped"]


async def awake(store: Store, user: User) -> Fence:
    """The user's Grow Agent as somebody who holds its lease."""
    fence = Fence(names.grow_agent(user.id), 1)
    assert await store.leases.take(fence, holder="test", ttl=60)
    return fence


async def test_an_awake_agent_is_asked_and_its_word_is_done(
    store: Store, alice: User, runtime: MemoryRuntime, world: World
) -> None:
    agent = await awake(store, alice)

    async def wake(lease: Lease) -> None:
        assert (lease.key, lease.live) == (agent.key, True)
        for service in await store.services.undecided(alice.id):
            await store.services.decide(agent, service, "restart", why="I need it", by="agent")

    reconciler = Reconciler(store, runtime, {"opencode": spec_of}, holder="here", wake=wake)

    async def state(generation: int) -> bool:
        service = await seen(store, alice)
        return (service.state, service.generation) == ("ready", generation)

    async with running(reconciler):
        await store.services.want(alice.id, "opencode", "ready")
        await until(lambda: state(1))
        began = time.monotonic()
        world.end(names.service("opencode", alice.id), "killed")
        await until(lambda: state(2))
    print(f"killed, decided by the agent, ready: {(time.monotonic() - began) * 1000:.0f} ms")
    [decided] = [e for e in await journal(store, alice) if e.type == "service.decided"]
    assert decided.actor == agent.key
    assert decided.data["by"] == "agent"


@pytest.mark.parametrize("hangs", [False, True])
async def test_a_deaf_agent_delays_nothing_for_more_than_a_second(
    store: Store, alice: User, runtime: MemoryRuntime, world: World, hangs: bool
) -> None:
    agent = await awake(store, alice)
    woken: list[Lease] = []

    async def wake(lease: Lease) -> None:
        woken.append(lease)
        if hangs:
            await asyncio.Event().wait()

    reconciler = Reconciler(store, runtime, {"opencode": spec_of}, holder="here", wake=wake)

    async def is_ready() -> bool:
        return (await seen(store, alice)).state == "ready"

    async def decided() -> bool:
        return "decided" in await told(store, alice)

    async with running(reconciler):
        await store.services.want(alice.id, "opencode", "ready")
        await until(is_ready)
        began = time.monotonic()
        world.end(names.service("opencode", alice.id), "killed")
        await until(decided)
        took = time.monotonic() - began
    print(f"killed, decided for a deaf agent: {took * 1000:.0f} ms")
    assert woken
    assert 0.9 < took < 2
    [event] = [e for e in await journal(store, alice) if e.type == "service.decided"]
    assert (event.actor, event.data["by"]) == (agent.key, "host")


async def test_it_is_decided_once(store: Store, alice: User, world: World, ready: str) -> None:
    stack = await store.leases.acquire(names.stack(alice.id), user_id=alice.id, holder="h", ttl=9)
    assert stack
    agent = await awake(store, alice)
    await store.services.observe(
        stack, await seen(store, alice), state="unhealthy", reason="killed", decision="open"
    )
    [question] = await store.services.undecided(alice.id)

    said = await asyncio.gather(
        store.services.decide(agent, question, "restart", why="mine", by="agent"),
        store.services.decide(stack, question, "leave", why="theirs", by="host"),
    )

    assert sorted(said) == [False, True]
    assert (await told(store, alice)).count("decided") == 1


async def test_a_use_that_comes_first_keeps_the_question_open(
    store: Store, alice: User, ready: str
) -> None:
    stack = await store.leases.acquire(names.stack(alice.id), user_id=alice.id, holder="h", ttl=9)
    assert stack
    await store.services.observe(
        stack, await seen(store, alice), state="unhealthy", reason="killed", decision="open"
    )
    [question] = await store.services.undecided(alice.id)
    await store.services.want(alice.id, "opencode", "ready")
    assert not await store.services.decide(stack, question, "leave", why="unused", by="host")
    assert (await seen(store, alice)).decision == "open"


async def test_an_engine_that_is_away_is_said_once_and_is_nobodys_failure(
    store: Store, alice: User, world: World, reconciler: Reconciler, ready: str
) -> None:
    world.away = "the container engine does not answer"
    for _ in range(4):
        await reconciler.step(alice.id)
    service = await seen(store, alice)
    assert (service.state, service.reason, service.failures) == ("unhealthy", world.away, 0)
    assert [due.user_id for due in await store.services.due(10)] == [alice.id]
    assert (await told(store, alice))[2:] == ["unhealthy"]

    world.away = None
    await reconciler.step(alice.id)
    assert (await seen(store, alice)).state == "ready"
    assert len(world.starts) == 1


async def test_after_an_outage_of_the_engine_a_service_has_its_patience_again(
    store: Store, alice: User, world: World, reconciler: Reconciler, ready: str, database_url: str
) -> None:
    world.away = "away"
    await reconciler.step(alice.id)
    await age(database_url, alice, updated_at=100)
    world.away = None
    world.services[ready].deaf = True
    await reconciler.step(alice.id)
    assert (await seen(store, alice)).decision is None
    world.services[ready].deaf = False
    await reconciler.step(alice.id)
    assert ((await seen(store, alice)).state, len(world.starts)) == ("ready", 1)


async def test_a_start_that_meets_no_engine_is_made_when_it_is_back(
    store: Store, alice: User, world: World, reconciler: Reconciler
) -> None:
    world.away = "away"
    await store.services.want(alice.id, "opencode", "ready")
    async with running(reconciler):

        async def state(wanted: str) -> bool:
            return (await seen(store, alice)).state == wanted

        await until(lambda: state("unhealthy"))
        world.away = None
        await until(lambda: state("ready"))
    assert (await seen(store, alice)).failures == 0


async def test_an_engine_that_goes_away_during_a_start_takes_no_generation_back(
    store: Store, alice: User, world: World
) -> None:
    class Vanishing(MemoryRuntime):
        async def ensure(self, spec: ServiceSpec, *, tell: Tell | None = None) -> ServiceStatus:
            raise EngineUnavailable("away")

    reconciler = Reconciler(store, Vanishing(world), {"opencode": spec_of}, holder="here")
    await store.services.want(alice.id, "opencode", "ready")
    for generation in (1, 2):
        await reconciler.step(alice.id)
        service = await seen(store, alice)
        assert (service.state, service.reason) == ("unhealthy", "away")
        assert (service.generation, service.failures) == (generation, 0)


async def test_full_folders_stop_it_and_say_so(
    store: Store, alice: User, runtime: MemoryRuntime, world: World, database_url: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr("growqr.stacks.reconcile.MEASURE_EVERY", 0.1)
    full: str | None = None

    async def weigh(user_id: str) -> str | None:
        assert user_id == alice.id
        return full

    reconciler = Reconciler(store, runtime, {"opencode": spec_of}, holder="here", measure=weigh)

    async def state(wanted: str) -> bool:
        return (await seen(store, alice)).state == wanted

    async with running(reconciler):
        await store.services.want(alice.id, "opencode", "ready")
        await until(lambda: state("ready"))
        full = "its folders hold 12 MiB, 10 are allowed: raise GROWQR_SERVICE_DISK"
        await until(lambda: state("failed"))
        assert world.services == {}
        service = await seen(store, alice)
        assert (service.reason, service.failures) == (full, 3)
        assert service.retry_at is not None
        assert 50 < (service.retry_at - datetime.now(UTC)).total_seconds() <= 60
        [*_, event] = await journal(store, alice)
        assert (event.type, event.data["reason"]) == ("service.failed", full)
        full = None
        await age(database_url, alice, retry_at=61)
        await until(lambda: state("ready"))


async def test_a_long_start_says_what_it_does_but_not_too_often(
    store: Store, alice: User, runtime: MemoryRuntime, reconciler: Reconciler,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr("growqr.stacks.progress.INTERVAL", 0.2)
    runtime.pulling = [f"image: {percent} %" for percent in range(0, 100, 10)]
    await store.services.want(alice.id, "opencode", "ready")
    await reconciler.step(alice.id)

    events = await journal(store, alice)
    texts = [e.data["reason"] for e in events if "reason" in e.data]
    assert 1 <= len(texts) <= 4
    assert set(texts) <= set(runtime.pulling)
    assert {e.type for e in events[:-1]} == {"service.starting"}
    service = await seen(store, alice)
    assert (service.state, service.reason) == ("ready", None)


async def test_two_services_of_a_user_start_side_by_side(
    store: Store, alice: User, world: World
) -> None:
    runtime = MemoryRuntime(world)
    runtime.pulling = ["slowly"] * 4
    both = {"opencode": spec_of, "gitea": gitea_of}
    reconciler = Reconciler(store, runtime, both, holder="here")
    await store.services.want(alice.id, "opencode", "ready")
    await store.services.want(alice.id, "gitea", "ready")
    began = time.monotonic()
    await reconciler.step(alice.id)
    assert time.monotonic() - began < 0.38, "one after the other they take 0.4 s"
    assert {s.state for s in await store.services.of(alice.id)} == {"ready"}


async def test_a_gitea_is_in_use_while_it_is_touched(
    store: Store, alice: User, database_url: str
) -> None:
    await store.services.want(alice.id, "gitea", "ready")
    await at_work(store, alice)
    await age(database_url, alice, used_at=601)
    assert not await store.services.in_use(alice.id, "gitea", within=600)
    await store.services.touch(alice.id, "gitea")
    assert await store.services.in_use(alice.id, "gitea", within=600)
