"""A runtime behind the broker over a real unix socket: the same promises, and what it refuses."""

from __future__ import annotations

import asyncio
import json
import stat
from contextlib import aclosing
from dataclasses import replace

import aiohttp
import pytest

from growqr.config import Settings
from growqr.errors import (
    EngineUnavailable,
    GrowqrError,
    ImageMissing,
    InstanceError,
    NoRoom,
    SandboxRequired,
)
from growqr.stacks.broker.client import BrokerRuntime
from growqr.stacks.broker.server import serving
from tests.fakes.runtimes import MemoryRuntime
from tests.unit.stacks.broker.conftest import NAME, Engine, service

pytestmark = pytest.mark.anyio


async def test_the_five_verbs_work_as_without_it(
    settings: Settings, engine: Engine, runtime: BrokerRuntime
) -> None:
    spec = service(settings)
    assert (await runtime.status(spec.name)).state == "absent"

    statuses = await asyncio.gather(*(runtime.ensure(spec) for _ in range(4)))

    assert statuses == [await MemoryRuntime(engine.world).status(spec.name)] * 4
    assert (statuses[0].state, statuses[0].spec_sha) == ("ready", spec.sha)
    assert engine.world.starts == [spec]  # it arrived as it was sent, secrets included
    assert await runtime.status(spec.name) == statuses[0]
    changed = await runtime.ensure(replace(spec, generation=2))
    assert (changed.generation, changed.pid) == (2, (statuses[0].pid or 0) + 1)
    await runtime.stop(spec.name, pause=True)
    await runtime.ensure(spec)
    await runtime.stop(spec.name)
    assert engine.pauses == [True, False]
    await runtime.ensure(spec)
    await runtime.remove(spec.name)
    assert (await runtime.status(spec.name)).state == "absent"
    await runtime.remove(spec.name)


async def test_a_gitea_passes_too_and_its_commands_run(
    settings: Settings, runtime: BrokerRuntime
) -> None:
    spec = service(settings, role="gitea")
    assert (await runtime.ensure(spec)).state == "ready"

    ran = await runtime.run(spec.name, ("gitea", "admin", "user", "list"), timeout=5)

    assert ran == (3, "growqr-gitea-u_alice list 5", "few words")


async def test_what_takes_long_is_told(settings: Settings, runtime: BrokerRuntime) -> None:
    heard: list[str] = []
    await runtime.ensure(service(settings), tell=heard.append)
    assert heard == ["pulling 1 of 2", "pulling 2 of 2"]


async def test_news_arrive_and_are_asked_for_again_after_the_broker_was_away(
    settings: Settings, engine: Engine
) -> None:
    assert settings.broker is not None
    runtime = BrokerRuntime(settings.broker)
    async with aclosing(runtime.events()) as news, asyncio.timeout(20):  # type: ignore[type-var]
        await engine.ensure(service(settings))
        waiting = asyncio.create_task(anext(news))  # type: ignore[arg-type]
        async with serving(settings, engine):
            assert await waiting == NAME
            engine.world.end(NAME, "killed")
            assert await anext(news) == NAME
        waiting = asyncio.create_task(anext(news))  # type: ignore[arg-type]
        async with serving(settings, engine):
            assert await waiting == NAME
    await runtime.close()


async def test_who_hangs_up_ends_a_start_and_the_news(
    settings: Settings, engine: Engine, runtime: BrokerRuntime
) -> None:
    endless = replace(service(settings), env={"MODE": "never"}, start_timeout=500.0)
    start = asyncio.create_task(runtime.ensure(endless))
    while not engine.world.starts:
        await asyncio.sleep(0.01)

    start.cancel()

    async with asyncio.timeout(10):
        await engine.ended.wait()
        engine.ended.clear()
        async with aclosing(runtime.events()) as news:  # type: ignore[type-var]
            assert await anext(news) == NAME
        await engine.ended.wait()


@pytest.mark.parametrize(
    "error",
    [NoRoom("full", {"setting": "GROWQR_SUBNETS"}), ImageMissing("x"), InstanceError("why"),
     EngineUnavailable("gone"), SandboxRequired("no walls")],
)  # fmt: skip
async def test_errors_come_back_as_they_were(
    settings: Settings, engine: Engine, runtime: BrokerRuntime, error: GrowqrError
) -> None:
    engine.fails = error
    for call in (runtime.ensure(service(settings)), runtime.status(NAME), runtime.stop(NAME)):
        with pytest.raises(type(error)) as raised:
            await call
        assert type(raised.value) is type(error)
        assert (raised.value.message, raised.value.detail) == (error.message, error.detail)


async def test_what_nobody_expected_says_no_more_than_its_kind(
    settings: Settings, engine: Engine, runtime: BrokerRuntime
) -> None:
    engine.fails = KeyError("s3cret")
    for call in (runtime.ensure(service(settings)), runtime.status(NAME)):
        with pytest.raises(GrowqrError, match="the broker failed: KeyError") as raised:
            await call
        assert "s3cret" not in str(raised.value.detail)
    engine.fails = None
    assert (await runtime.ensure(service(settings))).state == "ready"


async def test_without_a_broker_the_engine_is_away_until_there_is_one(
    settings: Settings, engine: Engine
) -> None:
    assert settings.broker is not None
    runtime = BrokerRuntime(settings.broker)
    for call in (runtime.status(NAME), runtime.ensure(service(settings)), runtime.remove(NAME)):
        with pytest.raises(EngineUnavailable, match="start it: `growqr broker`"):
            await call
    async with serving(settings, engine):
        assert (await runtime.ensure(service(settings))).state == "ready"
    await runtime.close()


@pytest.mark.parametrize(
    ("verb", "body", "code"),
    [("ensure", b"", "invalid"), ("ensure", b"[]", "invalid"), ("status", b"x", "bad_request"),
     ("status", b"[1]", "bad_request"), ("status", b"{}", "invalid"),
     ("stop", b'{"name": ["growqr-gitea-u_a"]}', "invalid"), ("create", b"{}", "not_found"),
     ("status", b"[" * 100_000, "bad_request"), ("ensure", b'"' + b"x" * 600_000, "bad_request"),
     ("run", b'{"name": "growqr-gitea-u_a", "argv": "gitea admin", "timeout": 1}', "invalid")],
)  # fmt: skip
async def test_what_is_no_question_is_answered_as_such(
    settings: Settings, engine: Engine, broker: None, verb: str, body: bytes, code: str
) -> None:
    async with (
        aiohttp.ClientSession(connector=aiohttp.UnixConnector(str(settings.broker))) as http,
        http.post(f"http://broker/{verb}", data=body) as reply,
    ):
        assert (400 <= reply.status < 500, (await reply.json())["code"]) == (True, code)
    assert engine.touched == []


async def test_a_field_of_another_type_is_named_and_its_value_is_not(
    settings: Settings, engine: Engine, broker: None
) -> None:
    from growqr.stacks.broker.wire import write_spec

    spec = json.loads(write_spec(service(settings)))
    spec["env"]["PASSWORD"] = ["s3cret"]
    async with (
        aiohttp.ClientSession(connector=aiohttp.UnixConnector(str(settings.broker))) as http,
        http.post("http://broker/ensure", json=spec) as reply,
    ):
        told = await reply.text()
    assert json.loads(told)["detail"] == {"field": "env.PASSWORD"}
    assert "s3cret" not in told


async def test_the_socket_is_its_owners_alone_and_one_brokers(
    settings: Settings, engine: Engine, broker: None
) -> None:
    assert settings.broker is not None
    told = settings.broker.stat()
    assert stat.S_ISSOCK(told.st_mode)
    assert stat.S_IMODE(told.st_mode) == 0o600

    with pytest.raises(InstanceError, match="another broker serves"):
        async with serving(settings, engine):
            pytest.fail("two brokers on one socket")
    assert settings.broker.exists()


async def test_a_socket_left_behind_is_replaced_and_a_bad_place_is_named(
    settings: Settings, engine: Engine
) -> None:
    assert settings.broker is not None
    settings.broker.parent.mkdir(parents=True)
    settings.broker.write_text("left behind")
    async with serving(settings, engine):
        assert settings.broker.is_socket()
    assert not settings.broker.exists()

    long = settings.model_copy(update={"broker": settings.data / ("x" * 120)})
    with pytest.raises(InstanceError, match=r"cannot listen at .*set GROWQR_BROKER"):
        async with serving(long, engine):
            pytest.fail("no socket has so long a path")


async def test_no_link_beside_the_socket_is_followed(settings: Settings, engine: Engine) -> None:
    assert settings.broker is not None
    settings.broker.parent.mkdir(parents=True)
    precious = settings.broker.with_name("precious")
    precious.write_text("x")
    settings.broker.with_name(settings.broker.name + ".lock").symlink_to(precious)

    with pytest.raises(InstanceError, match="cannot listen"):
        async with serving(settings, engine):
            pytest.fail("whoever may write beside it chose what is opened")
    assert precious.read_text() == "x"
