"""What the broker refuses: everything that is more than one service of one user."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from growqr.config import Settings
from growqr.errors import (
    Invalid,
)
from growqr.stacks import Health, ServiceSpec
from growqr.stacks.base import Limits
from growqr.stacks.broker.client import BrokerRuntime
from tests.unit.stacks.broker.conftest import NAME, Engine, service

pytestmark = pytest.mark.anyio


Change = Callable[[ServiceSpec, Settings], ServiceSpec]

TOO_MUCH: dict[str, Change] = {
    "name": lambda spec, _: replace(spec, name="growqr-opencode-u_bob"),
    "name ": lambda spec, _: replace(spec, name="postgres"),
    "name  ": lambda spec, _: replace(spec, user_id="u_bob"),
    "name   ": lambda spec, _: replace(spec, role="gitea"),
    "name    ": lambda spec, _: replace(
        spec, name="growqr-opencode-u_../x", user_id="u_../x", role="opencode"
    ),
    "image": lambda spec, _: replace(spec, image="docker:dind"),
    "image ": lambda spec, settings: replace(spec, image=settings.gitea_image),
    "limits.memory": lambda spec, _: replace(spec, limits=Limits(memory=1 << 40)),
    "limits.memory ": lambda spec, _: replace(spec, limits=Limits(memory=0)),
    "limits.cpus": lambda spec, _: replace(spec, limits=Limits(cpus=64.0)),
    "limits.cpus ": lambda spec, _: replace(spec, limits=Limits(cpus=0.0)),
    "limits.cpus  ": lambda spec, _: replace(spec, limits=Limits(cpus=float("nan"))),
    "limits.pids": lambda spec, _: replace(spec, limits=Limits(pids=-1)),
    "limits.pids ": lambda spec, _: replace(spec, limits=Limits(pids=100_000)),
    "home": lambda spec, _: replace(spec, home=Path("/")),
    "home ": lambda spec, settings: replace(spec, home=settings.home("u_bob")),
    "home  ": lambda spec, settings: replace(spec, home=settings.users_folder / "u_alice"),
    "home   ": lambda spec, _: replace(spec, home=spec.home / ".." / ".." / "u_bob" / "home"),
    "home    ": lambda spec, _: replace(spec, home=Path("home")),
    "workdir": lambda spec, settings: replace(spec, workdir=settings.secrets),
    "read_only": lambda spec, _: replace(spec, read_only=(Path("/etc"),)),
    "read_only ": lambda spec, settings: replace(
        spec, read_only=(*spec.read_only, Path("/var/run/docker.sock"))
    ),
    "read_only  ": lambda spec, _: replace(spec, read_only=(Path("/a\0b"),)),
    "generation": lambda spec, _: replace(spec, generation=-1),
    "port": lambda spec, _: replace(spec, port=0),
    "start_timeout": lambda spec, _: replace(spec, start_timeout=1e9),
    "health.path": lambda spec, _: replace(spec, health=Health("@127.0.0.1:5432/")),
    "health.path ": lambda spec, _: replace(spec, health=Health("/x HTTP/1.1\r\nX: y")),
    "env": lambda spec, _: replace(spec, env={"A=B": "c"}),
    "argv": lambda spec, _: replace(spec, argv=("a\0b",)),
}


@pytest.mark.parametrize("case", TOO_MUCH)
async def test_more_than_a_users_service_is_refused_by_the_name_of_the_field(
    settings: Settings, engine: Engine, runtime: BrokerRuntime, case: str
) -> None:
    with pytest.raises(Invalid) as raised:
        await runtime.ensure(TOO_MUCH[case](service(settings), settings))

    assert raised.value.detail["field"] == case.strip()
    assert "s3cret" not in raised.value.message
    assert engine.touched == []


@pytest.mark.parametrize("field", ["home", "workdir", "read_only"])
async def test_a_link_leads_nowhere(
    settings: Settings, engine: Engine, runtime: BrokerRuntime, field: str
) -> None:
    own, link = settings.users_folder / "u_alice", settings.users_folder / "u_alice" / "link"
    own.mkdir(parents=True)
    (settings.data / "secrets").mkdir()
    link.symlink_to(settings.data / "secrets")
    for path in (link, link / "deeper"):
        wrong: Any = (path,) if field == "read_only" else path
        with pytest.raises(Invalid, match=f"{field} does not lie in the user's folder"):
            await runtime.ensure(replace(service(settings), **{field: wrong}))
    assert engine.touched == []


async def test_no_other_thing_of_the_engine_can_be_named(
    engine: Engine, runtime: BrokerRuntime
) -> None:
    for name in ("postgres", "growqr-opencode-", "growqr-web-u_a", "growqr-gitea-u_a/../x",
                 "x-growqr-gitea-u_a", "growqr-gitea-u_a\n"):  # fmt: skip
        for call in (runtime.status(name), runtime.stop(name), runtime.remove(name)):
            with pytest.raises(Invalid, match="name"):
                await call
    assert engine.touched == []


@pytest.mark.parametrize(
    ("name", "argv", "timeout"),
    [("growqr-gitea-u_a", ["sh", "-c", "id"], 5), ("growqr-gitea-u_a", ["gitea"], 5),
     ("growqr-gitea-u_a", ["gitea", "web"], 5), (NAME, ["gitea", "admin"], 5),
     ("growqr-gitea-u_a", [], 5), ("growqr-gitea-u_a", ["gitea", "admin"], 1e9),
     ("postgres", ["gitea", "admin"], 5)],
)  # fmt: skip
async def test_no_other_command_runs(
    engine: Engine, runtime: BrokerRuntime, name: str, argv: list[str], timeout: float
) -> None:
    with pytest.raises(Invalid):
        await runtime.run(name, argv, timeout=timeout)
    assert engine.touched == []
