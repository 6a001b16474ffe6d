"""growqr stacks over a real store, with a Host's reconciler that carries the wishes out."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from typer.testing import CliRunner

from growqr import names
from growqr.cli import app, stack_wishes
from growqr.errors import GrowqrError
from growqr.stacks import Reconciler
from growqr.store import Store, User
from tests.fakes.runtimes import MemoryRuntime, World
from tests.unit.stacks.conftest import running, seen, spec_of, until

pytestmark = pytest.mark.anyio

Growqr = Callable[..., Awaitable[Result]]


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def growqr(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Growqr:
    """`growqr stacks …` in a thread, beside the Host."""
    monkeypatch.setenv("DATABASE_URL", database_url)
    monkeypatch.setenv("GROWQR_DATA", str(tmp_path))
    monkeypatch.chdir(tmp_path)

    async def run(*args: str) -> Result:
        return await asyncio.to_thread(CliRunner().invoke, app, ["stacks", *args])

    return run


@pytest.fixture
async def host(store: Store, world: World) -> AsyncIterator[None]:
    specs = {"opencode": spec_of}
    async with running(Reconciler(store, MemoryRuntime(world), specs, holder="here", ttl=2.0)):
        yield


@pytest.fixture
async def service(store: Store, alice: User, host: None) -> str:
    """Her OpenCode, ready; its name."""
    await store.services.want(alice.id, "opencode", "ready")

    async def ready() -> bool:
        return (await seen(store, alice)).state == "ready"

    await until(ready)
    return names.service("opencode", alice.id)


def answered(result: Result) -> Any:
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


async def test_ls_shows_all_or_one_users(growqr: Growqr, service: str, alice: User, bob: User):
    [row] = answered(await growqr("ls", "--json", "--user", alice.id))
    assert (row["user_id"], row["state"], row["generation"]) == (alice.id, "ready", 1)
    assert answered(await growqr("ls", "--json", "--user", bob.id)) == []
    lines = (await growqr("ls")).output.splitlines()
    assert any(alice.id[:6] in line and "ready" in line for line in lines)


@pytest.mark.parametrize("by", ["id", "name", "service"])
async def test_inspect_shows_the_row_and_its_last_events(
    growqr: Growqr, service: str, alice: User, by: str
):
    name = {"id": alice.id, "name": alice.name, "service": service}[by]
    [found] = answered(await growqr("inspect", name, "--json"))
    assert (found["role"], found["desired"], found["state"]) == ("opencode", "ready", "ready")
    assert {"address", "reason", "retry_at", "failures", "decision", "used_at"} <= found.keys()
    assert [e["type"] for e in found["events"]] == ["service.ready", "service.starting"]
    shown = (await growqr("inspect", name)).output
    assert service in shown
    assert re.search(r"state +ready", shown)
    assert "service.starting" in shown


async def logged(store: Store) -> tuple[str, str, str, str]:
    """What the audit log has of the newest wish."""
    entry = (await store.audit.list(limit=9, what="stack."))[0]
    return entry.actor, entry.action, entry.subject, entry.facts["role"]


async def test_restart_begins_another_generation_and_waits_for_it(
    growqr: Growqr, service: str, alice: User, world: World, store: Store
):
    before = world.services[service]
    [row] = answered(await growqr("restart", alice.id, "opencode", "--json"))
    assert row["state"] == "ready"
    assert row["generation"] > before.spec.generation
    assert world.services[service].pid != before.pid
    assert world.services[service].spec.generation == row["generation"]
    assert await logged(store) == ("operator", "stack.restarted", alice.id, "opencode")
    assert "restarted: ready at http" in (await growqr("restart", alice.id)).output


async def test_restart_says_why_it_could_not(
    growqr: Growqr, service: str, alice: User, world: World, monkeypatch: pytest.MonkeyPatch
):
    async def broken(self: MemoryRuntime, spec: Any, **_: Any) -> None:
        raise OSError("no such image")

    monkeypatch.setattr(MemoryRuntime, "ensure", broken)
    monkeypatch.setattr(stack_wishes, "PATIENCE", 5.0)
    result = await growqr("restart", alice.id)
    assert isinstance(result.exception, GrowqrError)
    assert "no such image" in result.exception.message
    assert f"growqr stacks inspect {alice.id}" in result.exception.message


async def test_rm_ends_it_and_says_where_the_data_are(
    growqr: Growqr, service: str, alice: User, world: World, tmp_path: Path, store: Store
):
    result = await growqr("rm", alice.id)
    assert result.exit_code == 0, result.output
    assert await logged(store) == ("operator", "stack.removed", alice.id, "opencode")
    assert service not in world.services
    assert f"data stays in {tmp_path / 'users' / alice.id}" in result.output


async def test_gc_removes_what_nobody_knows(
    growqr: Growqr, service: str, bob: User, world: World, store: Store
):
    stray = spec_of(bob.id, 1)
    await MemoryRuntime(world).ensure(stray)
    world.tell(stray.name)
    assert (await growqr("gc")).exit_code == 0

    async def gone() -> bool:
        world.tell(stray.name)
        return stray.name not in world.services

    await until(gone)
    assert service in world.services, "what somebody wants stays"


async def test_a_wish_need_not_be_waited_for(growqr: Growqr, store: Store, alice: User):
    await store.services.want(alice.id, "opencode", "ready")  # and there is no Host
    result = await growqr("rm", alice.id, "--no-wait")
    assert result.exit_code == 0, result.output
    assert "to be removed" in result.output
    assert (await seen(store, alice)).desired == "stopped"


async def test_what_no_host_does_is_told_in_time(
    growqr: Growqr, store: Store, alice: User, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(stack_wishes, "PATIENCE", 0.5)
    await store.services.want(alice.id, "opencode", "ready")
    result = await growqr("restart", alice.id)
    assert isinstance(result.exception, GrowqrError)
    assert f"opencode of {alice.id} is absent" in result.exception.message


async def test_who_is_meant_must_be_clear(growqr: Growqr, alice: User):
    assert isinstance((await growqr("inspect", "No One!")).exception, GrowqrError)
    assert "no services" in str((await growqr("inspect", alice.id)).exception)
    assert "not 'nginx'" in str((await growqr("restart", alice.id, "nginx")).exception)
