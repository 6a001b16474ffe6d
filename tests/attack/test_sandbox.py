"""Attacks from inside a container with the real profile, each beside what must go on working.

Held elsewhere: a disk filled through the mounted folders (the reconciler watches those). Not held
by any kernel: a process may trace others of its own container, which are the same user's.
"""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from growqr import names
from growqr.instance.ports import Ports
from growqr.stacks.base import LISTEN, PORT, Health, Limits, ServiceSpec
from growqr.stacks.docker.runtime import DockerRuntime
from tests.containers import Bench, bench, image
from tests.docker import probes
from tests.fakes.runtimes import SERVER

pytestmark = [pytest.mark.anyio, pytest.mark.docker]

ALICE, BOB = "u_alice", "u_bob"
WELL_KNOWN = (2375, 5432, 6379, 8000, 8265, 10001, 52365)
"""Docker, Postgres, Ray and its like; a port that is taken here is left out."""


LONG = 20.0
"""Seconds for what must open, be the machine ever so busy."""


class Street:
    """Alice's and Bob's containers on one runtime."""

    def __init__(self, ours: Bench, image: str, **limits: Any) -> None:
        self.ours, self.runtime = ours, ours.runtime()
        self._image = image
        self._limits = Limits(**({"memory": 192 << 20, "cpus": 0.5, "pids": 64} | limits))

    def spec(self, user: str) -> ServiceSpec:
        settings = self.ours.settings
        return ServiceSpec(
            name=names.service("opencode", user), user_id=user, role="opencode", generation=1,
            argv=("python3", "-c", SERVER, PORT, LISTEN),
            env={"MODE": "well", "PASSWORD": "s3cret", "HOME": str(settings.home(user)),
                 "PATH": "/usr/bin:/bin", "NAP": "1"},
            home=settings.home(user), workdir=settings.workspace(user),
            health=Health("/health", "svc", "s3cret", major="1"), start_timeout=60.0,
            image=self._image, limits=self._limits,
        )  # fmt: skip

    async def move_in(self, *users: str, **changes: Any) -> list[str]:
        """Have the containers; their addresses."""
        addresses = []
        for user in users:
            status = await self.runtime.ensure(replace(self.spec(user), **changes))
            assert status.state == "ready", status.reason
            addresses.append(str(status.address).removeprefix("http://").partition(":")[0])
        return addresses

    async def inside(self, script: str, *words: str, seconds: float = 60, user: str = ALICE) -> Any:
        """What the script, run in a container, Alice's by default, prints as JSON."""
        ran = await self.runtime.run(
            names.service("opencode", user), ("python3", "-c", script, *words), timeout=seconds
        )
        assert ran.code == 0, ran.err
        return json.loads(ran.out)

    async def state(self, user: str) -> str:
        return (await self.runtime.status(names.service("opencode", user))).state

    async def open_of(
        self, doors: list[tuple[str, int]], *, patience: float = 1.5
    ) -> list[tuple[str, int]]:
        """Those of the doors that Alice's container gets in at, within `patience` seconds."""
        found = await self.inside(probes.KNOCK, json.dumps(doors), f"{patience:g}")
        return [(host, port) for host, port in found]


@asynccontextmanager
async def street(data: Path, image: str, egress: str = "none", **limits: Any) -> Any:
    if os.getuid() != 0:
        pytest.skip("walls around containers need root")
    async with bench(data, egress=egress) as ours:
        yield Street(ours, image, **limits)


@pytest.fixture(scope="session")
def python_image() -> str:
    """Python and nothing else; skips where no engine answers."""
    return image("python")


@pytest.fixture
async def ours(tmp_path: Path, python_image: str) -> AsyncIterator[Street]:
    async with street(tmp_path / "data", python_image) as made:
        yield made


async def test_76_of_this_machine_only_the_relay_is_open(ours: Street) -> None:
    _, bob = await ours.move_in(ALICE, BOB)
    block = Ports(ours.ours.settings.port)
    wanted = [*WELL_KNOWN, *(block[name] for name in block if name != "relay")]
    gate = await ours.inside(probes.GATE)
    with _listening(wanted) as ports:
        hosts = [*_own_addresses(), "host.docker.internal", "127.0.0.1"]
        assert gate in hosts
        doors = [(host, port) for host in hosts for port in ports]
        inner = await ours.inside(probes.LINK, json.dumps(_link_local(gate)))
        doors += [(address, port) for address in inner for port in ports]
        doors += [(bob, port) for port in (4096, 22, 3000)]
        for host in hosts[:-2]:  # from here each is open, so it is the walls that close them
            assert all(_opens(host, port) for port in ports)

        assert await ours.open_of(doors) == []
        relay = [("growqr", block["relay"])]
        assert await ours.open_of(relay, patience=LONG) == relay
        assert _opens(bob, 4096)

        await ours.runtime.forget_rules()
        seen = await ours.open_of([(gate, port) for port in ports], patience=LONG)
        assert sorted(port for _, port in seen) == sorted(ports)


@pytest.mark.parametrize("egress", ["none", "open"])
async def test_77_metadata_and_private_networks_are_closed(
    tmp_path: Path, python_image: str, egress: str
) -> None:
    async with street(tmp_path / "data", python_image, egress) as ours:
        await ours.move_in(ALICE)
        with _world() as world:
            private = [(address, 80) for address in world.private]
            public = [(world.public, 80)]
            assert all(_opens(*door) for door in private + public)

            assert await ours.open_of(private) == []
            patience = LONG if egress == "open" else 1.5
            found = await ours.open_of(public, patience=patience)
            assert found == (public if egress == "open" else [])
            assert await ours.open_of([("fd00::1", 80), ("::1", 80)]) == []

            if egress == "open":
                await ours.runtime.forget_rules()
                assert await ours.open_of(private, patience=LONG) == private


async def test_78_nothing_of_the_world_is_in_reach(ours: Street) -> None:
    """Neither names nor pages, by address or by the engine's own resolver.

    The allow-list, and what a proxy of it refuses, come with the part that brings it.
    """
    await ours.move_in(ALICE)
    relay = ("growqr", Ports(ours.ours.settings.port)["relay"])
    with _world() as world:
        doors = [(world.public, port) for port in (80, 443)]
        servers = json.dumps([world.public, "127.0.0.11"])
        assert all(_opens(*door) for door in doors)
        here = await asyncio.to_thread(
            subprocess.check_output,
            [sys.executable, "-c", probes.RESOLVE, servers, "[]"],
            text=True,
        )
        assert json.loads(here)["answers"] == [world.public]  # names and pages are there for us

        names = json.dumps(["example.com", "registry.npmjs.org"])
        told = await ours.inside(probes.RESOLVE, servers, names)
        assert told == {"names": [], "answers": []}
        assert await ours.open_of([*doors, ("example.com", 443)]) == []
        assert await ours.open_of([relay], patience=LONG) == [relay]


async def test_79_no_secret_of_ours_is_to_be_found(
    ours: Street, monkeypatch: pytest.MonkeyPatch
) -> None:
    canary, known = f"canary{secrets.token_hex(8)}", f"known{secrets.token_hex(8)}"
    settings = ours.ours.settings
    for variable in ("ANTHROPIC_API_KEY", "RAY_AUTH_TOKEN", "DATABASE_URL", "OPENAI_API_KEY"):
        monkeypatch.setenv(variable, canary)
    (settings.data / "secrets").mkdir(parents=True)
    for path in ("secrets.env", "settings.json", "secrets/instance.key", "secrets/ray_token",
                 "memory.txt", "users/u_bob/home/auth.json"):  # fmt: skip
        (settings.data / path).parent.mkdir(parents=True, exist_ok=True)
        (settings.data / path).write_text(canary)
    await ours.move_in(BOB)
    spec = ours.spec(ALICE)
    await ours.move_in(ALICE, env=spec.env | {"TOKEN": known})
    (spec.home / "mine.txt").write_text(known)

    found = await ours.inside(probes.SEARCH, canary[:10], str(settings.data))
    mine = await ours.inside(probes.SEARCH, known[:10], str(settings.data))

    assert found == []
    assert str(spec.home / "mine.txt") in mine
    assert "/proc/self/environ" in mine


async def test_82_it_has_no_power_and_no_socket_of_the_engine(ours: Street) -> None:
    await ours.move_in(ALICE)
    spec = ours.spec(ALICE)
    places = ["/", "/etc", "/usr/bin", "/var/tmp", str(ours.ours.settings.data), "/sys/fs/cgroup",
              "/proc/sys/kernel"]  # fmt: skip
    told = await ours.inside(probes.SELF, json.dumps(places))

    assert {told["status"][f"Cap{kind}"] for kind in ("Inh", "Prm", "Eff", "Bnd", "Amb")} == {
        "0000000000000000"
    }
    assert (told["status"]["NoNewPrivs"], told["status"]["Seccomp"]) == ("1", "2")
    assert 0 not in (told["uid"], *told["groups"])
    assert told["sockets"] == []
    assert told["writable"] == []
    assert "rw" not in told["root"]

    own = [str(spec.home), str(spec.workdir), "/tmp"]
    assert (await ours.inside(probes.SELF, json.dumps(own)))["writable"] == own


async def test_83_the_kernel_refuses_what_is_not_for_guests(ours: Street) -> None:
    await ours.move_in(ALICE, BOB)
    bob = (await ours.runtime.status(names.service("opencode", BOB))).pid

    told = await ours.inside(probes.SYSCALLS, str(bob))

    assert told.pop("getpid") == "fine"
    assert told.pop("ptrace bob") in ("ESRCH", "EPERM")  # he is not even there
    assert {name: how for name, how in told.items()
            if how not in ("EPERM", "EACCES", "ENOSYS")} == {}  # fmt: skip
    here = await asyncio.to_thread(
        subprocess.check_output, [sys.executable, "-c", probes.SYSCALLS, "0"], text=True
    )
    assert json.loads(here)["unshare mnt"] == "fine"  # root of this machine may
    assert json.loads(here)["keyctl"] == "fine"


async def test_84_what_one_uses_up_no_other_lacks(tmp_path: Path, python_image: str) -> None:
    async with street(tmp_path / "data", python_image, memory=400 << 20) as ours:
        await ours.move_in(ALICE, BOB)
        free = shutil.disk_usage("/tmp").free

        forks = await ours.inside(probes.FORKS)
        assert 20 < forks["children"] < 64
        assert forks["refused"] == "EAGAIN"
        assert await ours.state(BOB) == "ready"

        assert await ours.inside(probes.WATCHES) > 20
        async with _busy(ours, probes.WATCHES):
            assert await ours.inside(probes.WATCHES, user=BOB) > 20

        disk = await ours.inside(probes.FILL)
        assert (disk["/tmp"]["refused"], disk["/tmp"]["mib"]) == ("ENOSPC", 256)
        assert disk["/dev/shm"]["mib"] <= 64
        assert free - shutil.disk_usage("/tmp").free < 200 << 20
        assert await ours.state(BOB) == "ready"

        assert await _killed(ours.runtime, probes.HOG)
        assert await ours.state(BOB) == "ready"
        await ours.move_in(ALICE)  # and she is well again herself


def test_a_flush_that_cut_the_engines_chain_off_leaves_no_way_past_ours(tmp_path: Path) -> None:
    if os.getuid() != 0:
        pytest.skip("walls around containers need root")
    words = ["unshare", "--net", sys.executable, "-c", probes.FLUSHED, str(tmp_path)]
    done = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    whole, cut_off, removed = json.loads(done.stdout)

    ways_in = [rule for rule in whole if "-i gq" in rule]
    assert [rule.split()[1] for rule in ways_in] == ["INPUT", "DOCKER-USER"]
    assert any(rule.startswith("-A FORWARD -i gq") for rule in cut_off)
    assert [rule for rule in removed if "gq" in rule.lower()] == []


@asynccontextmanager
async def _busy(ours: Street, script: str) -> AsyncIterator[None]:
    """While Alice's container holds all that the script takes, until it is told to end."""
    folder = ours.ours.settings.home(ALICE)
    running = asyncio.create_task(ours.inside(script, str(folder)))
    async with asyncio.timeout(LONG):
        while not (folder / "held").exists():
            await asyncio.sleep(0.05)
    yield
    (folder / "held").unlink()
    await running


async def _killed(runtime: DockerRuntime, script: str) -> bool:
    ran = await runtime.run(names.service("opencode", ALICE), ("python3", "-c", script), timeout=60)
    return ran.code == 137 and "all of it" not in ran.out


@contextmanager
def _listening(wanted: list[int]) -> Iterator[list[int]]:
    """Listeners on every address of this machine; those of the ports that were free."""
    with ExitStack() as stack:
        ports = []
        for port in wanted:
            try:
                found = socket.create_server(
                    ("::", port), family=socket.AF_INET6, dualstack_ipv6=True, backlog=64
                )
            except OSError:
                continue
            stack.enter_context(found)
            ports.append(port)
        assert len(ports) >= 10
        yield ports


def _opens(host: str, port: int) -> bool:
    try:
        socket.create_connection((host, port), timeout=5).close()
    except OSError:
        return False
    return True


def _addresses(*words: str) -> list[dict[str, Any]]:
    told = subprocess.check_output(["ip", "-json", *words, "address", "show"], text=True)
    found: list[dict[str, Any]] = json.loads(told)
    return found


def _own_addresses() -> list[str]:
    """Every IPv4 address of this machine but loopback's: bridges, docker0, network cards."""
    return [
        one["local"] for link in _addresses("-4") for one in link["addr_info"]
        if link["ifname"] != "lo"
    ]  # fmt: skip


def _link_local(gate: str) -> list[str]:
    """Link-local addresses of the bridge that has `gate`."""
    bridge = next(
        link["ifname"] for link in _addresses("-4")
        if gate in [one["local"] for one in link["addr_info"]]
    )  # fmt: skip
    return [
        one["local"] for link in _addresses("-6") if link["ifname"] == bridge
        for one in link["addr_info"] if one["scope"] == "link"
    ]  # fmt: skip


class _World:
    """A namespace that stands for what lies beyond this machine; nothing of it is real."""

    def __init__(self, number: int) -> None:
        self.private = [f"169.254.{number}.254", f"10.254.{number}.2", f"100.64.{number}.2",
                        f"192.168.{number}.2", f"172.30.{number}.2", f"192.0.0.{number}",
                        f"198.18.{number}.2", f"240.0.{number}.2"]  # fmt: skip
        self.public = f"203.0.113.{number}"


@contextmanager
def _world() -> Iterator[_World]:
    number = secrets.randbelow(200) + 20
    name, world = f"gw{secrets.token_hex(3)}", _World(number)
    inside = ("ip", "netns", "exec", name)

    def run(*words: str) -> None:
        subprocess.run(words, check=True, capture_output=True, timeout=20)

    run("ip", "netns", "add", name)
    server = None
    try:
        run("ip", "link", "add", f"{name}a", "type", "veth", "peer", "name", "inner", "netns", name)
        run("ip", "address", "add", f"198.51.100.{number}/32", "dev", f"{name}a")
        run("ip", "link", "set", f"{name}a", "up")
        run(*inside, "ip", "link", "set", "inner", "up")
        for address in (*world.private, world.public):
            run(*inside, "ip", "address", "add", f"{address}/32", "dev", "inner")
            run("ip", "route", "add", f"{address}/32", "dev", f"{name}a")
        run(*inside, "ip", "route", "add", "default", "dev", "inner")
        server = subprocess.Popen(
            [*inside, sys.executable, "-c", probes.WORLD], stdout=subprocess.PIPE
        )
        assert server.stdout is not None
        assert server.stdout.readline() == b"listening\n"
        yield world
    finally:
        if server is not None:
            server.kill()
            server.wait()
            assert server.stdout is not None
            server.stdout.close()
        subprocess.run(["ip", "link", "del", f"{name}a"], capture_output=True, check=False)
        run("ip", "netns", "del", name)
