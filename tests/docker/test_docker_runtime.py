"""What people and machines do to containers behind our back, and what becomes of it."""

from __future__ import annotations

import asyncio
import os
import secrets
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from growqr import names
from growqr.errors import ImageMissing, InstanceError, NoRoom
from growqr.instance.ports import Ports
from growqr.stacks.base import LISTEN, PORT, Health, Limits, ServiceSpec
from tests.containers import Bench, bench, docker

pytestmark = [pytest.mark.anyio, pytest.mark.docker]


@pytest.fixture
async def ours(tmp_path: Path) -> AsyncIterator[Bench]:
    async with bench(tmp_path / "data") as made:
        yield made


def service(ours: Bench, image: str, user: str = "u_alice", **changes: Any) -> ServiceSpec:
    """The trivial service of a user."""
    settings = ours.settings
    spec = ServiceSpec(
        name=names.service("opencode", user), user_id=user, role="opencode", generation=1,
        argv=("opencode", "serve", "--hostname", LISTEN, "--port", PORT),
        env={"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": str(settings.home(user))},
        home=settings.home(user), workdir=settings.workspace(user),
        health=Health("/global/health", major="1"), start_timeout=60.0, image=image,
        limits=Limits(memory=128 << 20, cpus=0.5, pids=32),
    )  # fmt: skip
    return replace(spec, **changes)


def iptables(*words: str) -> None:
    subprocess.run(["iptables", "-w", "5", *words], check=True)


async def until(what: Callable[[], Awaitable[bool]], seconds: float = 15.0) -> None:
    deadline = time.monotonic() + seconds
    while not await what():
        assert time.monotonic() < deadline, "it did not come true in time"
        await asyncio.sleep(0.05)


async def test_a_removed_one_is_told_and_is_absent(ours: Bench, trivial_image: str) -> None:
    runtime, spec = ours.runtime(), service(ours, trivial_image)
    await runtime.ensure(spec)
    news = runtime.events()
    assert await asyncio.wait_for(anext(news), 5) == spec.name

    docker("rm", "--force", ours.container(spec.name))

    assert await asyncio.wait_for(anext(news), 5) == spec.name

    async def absent() -> bool:
        return (await runtime.status(spec.name)).state == "absent"

    await until(absent)
    assert (await runtime.ensure(spec)).state == "ready"


async def test_a_frozen_one_is_thawed(ours: Bench, trivial_image: str) -> None:
    runtime, spec = ours.runtime(), service(ours, trivial_image)
    first = await runtime.ensure(spec)

    docker("pause", ours.container(spec.name))

    assert (await runtime.status(spec.name)).state == "paused"
    assert await runtime.ensure(spec) == first


@pytest.mark.parametrize("reach", ["address", "port"])
async def test_one_cut_off_is_connected_again(
    tmp_path: Path, trivial_image: str, reach: str
) -> None:
    async with bench(tmp_path / "data", reach=reach) as ours:
        runtime, spec = ours.runtime(), service(ours, trivial_image)
        first = await runtime.ensure(spec)

        docker("network", "disconnect", "--force", *ours.networks(), ours.container(spec.name))

        cut = await runtime.status(spec.name)
        assert (cut.state, cut.reason) == ("starting", "it is not connected to its network")
        again = await runtime.ensure(spec)
        assert (again.state, again.pid) == ("ready", first.pid)


async def test_one_whose_network_has_gone_is_made_anew(ours: Bench, trivial_image: str) -> None:
    runtime, spec = ours.runtime(), service(ours, trivial_image)
    first = await runtime.ensure(spec)
    network = ours.networks()[0]
    docker("network", "disconnect", "--force", network, ours.container(spec.name))
    subnet = docker("network", "inspect", "--format", "{{(index .IPAM.Config 0).Subnet}}", network)
    docker("network", "rm", network)
    squatter = f"{ours.settings.stack_prefix}x"
    docker("network", "create", "--subnet", subnet, squatter)
    try:
        again = await runtime.ensure(spec)
    finally:
        docker("network", "rm", squatter)

    assert again.state == "ready"
    assert again.pid != first.pid


async def test_one_that_takes_too_much_memory_says_so(ours: Bench, python_image: str) -> None:
    eat = ("python3", "-c", "print('eating', flush=True); whole = bytearray(900 << 20)")
    spec = service(ours, python_image, argv=eat, limits=Limits(memory=64 << 20))

    status = await ours.runtime().ensure(spec)

    assert status.state == "exited"
    assert status.reason is not None
    assert "more than its memory" in status.reason
    assert "eating" in status.reason


async def test_a_program_that_is_not_there_leaves_nothing(ours: Bench, trivial_image: str) -> None:
    spec = service(ours, trivial_image, argv=("no-such-program",))

    status = await ours.runtime().ensure(spec)

    # Under an init the container starts, and its init tells.
    assert status.state == "exited"
    assert "no-such-program" in (status.reason or "")
    await ours.made[0].stop(spec.name)
    assert (ours.containers(), ours.networks()) == ([], [])


async def test_a_missing_image_says_what_to_do(ours: Bench) -> None:
    spec = service(ours, "127.0.0.1:9/none:1")

    with pytest.raises(ImageMissing, match="docker load"):
        await ours.runtime().ensure(spec)

    assert (ours.containers(), ours.networks()) == ([], [])


async def test_what_cannot_be_started_leaves_nothing(ours: Bench, trivial_image: str) -> None:
    spec = service(ours, trivial_image, env={"A=B\0": "x"}, workdir=ours.settings.data / "f")
    spec.workdir.parent.mkdir(parents=True)
    spec.workdir.write_text("a file, where a folder is wanted")

    with pytest.raises(InstanceError):
        await ours.runtime().ensure(spec)

    assert (ours.containers(), ours.networks()) == ([], [])


async def test_a_stranger_under_our_name_is_set_aside(ours: Bench, trivial_image: str) -> None:
    spec = service(ours, trivial_image)
    name = ours.container(spec.name)
    stranger = docker("run", "--detach", "--name", name, trivial_image)
    try:
        status = await ours.runtime().ensure(spec)

        assert status.state == "ready"
        seen = docker("inspect", "--format", "{{.State.Status}} {{.Name}}", stranger)
        assert seen == f"running /{name}.former-{stranger[:12]}"
        await ours.runtime().remove(spec.name)
        assert docker("inspect", "--format", "{{.State.Status}}", stranger) == "running"
    finally:
        docker("rm", "--force", stranger)


async def test_another_instances_container_is_left_alone(ours: Bench, trivial_image: str) -> None:
    spec = service(ours, trivial_image)
    other = Bench(ours.settings)
    await other.runtime().ensure(spec)
    try:
        runtime = ours.runtime()
        with pytest.raises(InstanceError, match="GROWQR_STACK_PREFIX"):
            await runtime.ensure(spec)

        assert (await runtime.status(spec.name)).state == "absent"
        await runtime.remove(spec.name)
        assert (await other.runtime().status(spec.name)).state == "ready"
    finally:
        await other.tidy()


async def test_a_copy_under_another_name_does_not_share_the_folders(
    ours: Bench, trivial_image: str
) -> None:
    runtime, spec = ours.runtime(), service(ours, trivial_image)
    await runtime.ensure(spec)
    name = ours.container(spec.name)
    docker("rename", name, f"{name}-elsewhere")

    assert (await runtime.status(spec.name)).state == "absent"
    assert (await runtime.ensure(spec)).state == "ready"

    assert ours.containers() == [name]


async def test_one_whose_folder_has_gone_is_made_anew(ours: Bench, trivial_image: str) -> None:
    runtime, spec = ours.runtime(), service(ours, trivial_image)
    first = await runtime.ensure(spec)
    shutil.rmtree(spec.home)

    assert (await runtime.status(spec.name)).spec_sha is None
    again = await runtime.ensure(spec)

    assert (again.state, again.spec_sha) == ("ready", spec.sha)
    assert again.pid != first.pid
    await runtime.run(spec.name, ("touch", str(spec.home / "mine")))
    assert (spec.home / "mine").exists()


async def test_a_program_inside_tells_how_it_ended(ours: Bench, trivial_image: str) -> None:
    runtime, spec = ours.runtime(), service(ours, trivial_image)
    await runtime.ensure(spec)

    ran = await runtime.run(spec.name, ("sh", "-c", "pwd; echo no >&2; exit 3"))

    assert ran == (3, f"{spec.workdir}\n", "no\n")
    with pytest.raises(InstanceError, match="sleep inside the service did not end"):
        await runtime.run(spec.name, ("sleep", "77"), timeout=0.5)
    with pytest.raises(InstanceError, match="not there"):
        await runtime.run(names.service("opencode", "u_bob"), ("true",))


async def test_networks_of_nobody_go_and_those_in_use_stay(
    ours: Bench, trivial_image: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    runtime, spec = ours.runtime(), service(ours, trivial_image)
    await runtime.ensure(spec)
    await runtime.ensure(service(ours, trivial_image, "u_bob"))
    docker("rm", "--force", ours.container(names.service("opencode", "u_bob")))
    monkeypatch.setattr("growqr.stacks.docker.starts.ORPHAN", 0.0)

    assert await anext(runtime.events()) == spec.name

    async def gone() -> bool:
        return ours.networks() == [f"{ours.settings.stack_prefix}-u_alice"]

    await until(gone)


async def test_after_a_restart_the_relay_listens_again(ours: Bench, trivial_image: str) -> None:
    first, spec = ours.runtime(), service(ours, trivial_image)
    await first.ensure(spec)
    network = ours.networks()[0]
    gateway = docker(
        "network", "inspect", "--format", "{{(index .IPAM.Config 0).Gateway}}", network
    )
    await first.close()
    second = ours.runtime()

    assert await anext(second.events()) == spec.name

    async def listens() -> bool:
        with socket.socket() as probe:
            return probe.connect_ex((gateway, Ports(ours.settings.port)["relay"])) == 0

    await until(listens)


async def test_rules_that_somebody_removed_come_back(ours: Bench, trivial_image: str) -> None:
    runtime, spec = ours.runtime(), service(ours, trivial_image)
    await runtime.ensure(spec)
    rules = ours.rules()
    if os.getuid() != 0:
        assert rules == []
        return
    chain = f"GQ{ours.instance[:4].upper()}-IN"
    hook = ("INPUT", "-i", f"gq{ours.instance[:4]}-+", "-j", chain)
    assert " ".join(("-A", *hook)) in rules
    iptables("-D", *hook)
    iptables("-F", chain)

    assert await anext(runtime.events()) == spec.name

    async def back() -> bool:
        return sorted(ours.rules()) == sorted(rules)

    await until(back)
    await runtime.remove(spec.name)
    await runtime.forget_rules()
    assert ours.rules() == []


async def test_closed_it_leaves_no_thread(ours: Bench, trivial_image: str) -> None:
    before = set(threading.enumerate())
    runtime, spec = ours.runtime(), service(ours, trivial_image)
    await runtime.ensure(spec)
    news = runtime.events()
    await anext(news)
    waiting = asyncio.ensure_future(anext(news))
    await asyncio.sleep(0)

    await runtime.close()

    with pytest.raises(StopAsyncIteration):
        await asyncio.wait_for(waiting, 5)

    async def ended() -> bool:
        left = set(threading.enumerate()) - before
        return not [thread for thread in left if thread.name.startswith("engine")]

    await until(ended)


async def test_a_full_port_range_names_its_settings(tmp_path: Path, trivial_image: str) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        choices = {"reach": "port", "user_port_range_start": port, "user_port_range_end": port}
        async with bench(tmp_path / "data", **choices) as ours:
            runtime, spec = ours.runtime(), service(ours, trivial_image)
            with pytest.raises(NoRoom, match="USER_PORT_RANGE_START"):
                await runtime.ensure(spec)
            assert (ours.containers(), ours.networks()) == ([], [])
            taken.close()

            assert (await runtime.ensure(spec)).address == f"http://127.0.0.1:{port}"

            with pytest.raises(NoRoom, match="USER_PORT_RANGE_END"):
                await runtime.ensure(service(ours, trivial_image, "u_bob"))


async def test_used_up_subnets_name_their_setting(tmp_path: Path, trivial_image: str) -> None:
    subnet = f"10.198.{secrets.randbelow(256)}.{16 * secrets.randbelow(16)}/28"
    async with bench(tmp_path / "data", subnets=subnet) as ours:
        runtime = ours.runtime()
        status = await runtime.ensure(service(ours, trivial_image))
        assert (status.address or "").startswith(f"http://{subnet.rpartition('.')[0]}.")

        with pytest.raises(NoRoom, match="GROWQR_SUBNETS"):
            await runtime.ensure(service(ours, trivial_image, "u_bob"))


@pytest.mark.parametrize("reach", ["address", "port"])
async def test_forty_users_on_one_engine(tmp_path: Path, trivial_image: str, reach: str) -> None:
    async with bench(tmp_path / "data", reach=reach) as ours:
        runtime = ours.runtime()
        specs = [service(ours, trivial_image, f"u_{number}") for number in range(40)]

        begun = time.monotonic()
        statuses = await asyncio.gather(*(runtime.ensure(spec) for spec in specs))
        ready = time.monotonic() - begun

        assert {status.state for status in statuses} == {"ready"}
        assert len({status.address for status in statuses}) == 40
        assert len(ours.networks()) == 40
        await asyncio.gather(*(runtime.remove(spec.name) for spec in specs))
        print(f"40 users by {reach}: ready {ready:.1f} s, all {time.monotonic() - begun:.1f} s")
        assert (ours.containers(), ours.networks()) == ([], [])


async def test_an_instance_that_ends_leaves_nothing_on_the_engine(
    ours: Bench, trivial_image: str
) -> None:
    host = ours.runtime()
    for user in ("u_alice", "u_bob", "u_carol"):
        assert (await host.ensure(service(ours, trivial_image, user))).state == "ready"
    await host.stop(names.service("opencode", "u_bob"), pause=True)
    # Its network stays, as that of a start which never came to its container.
    docker("rm", "--force", ours.container(names.service("opencode", "u_carol")))
    assert len(ours.networks()) == 3

    assert await ours.runtime().end_all() == 2

    assert (ours.containers(), ours.networks(), ours.rules()) == ([], [], [])
    assert await ours.runtime().end_all() == 0
