"""Ports that others reach, found by whose they are, on instances with one thing wrong each."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest

from growqr.config import Settings, load
from growqr.instance import Check, Ports, Record, exposure, folder, ports
from growqr.instance.listeners import Listener, family, held_by
from growqr.instance.processes import identify

LISTENS = """
import socket, sys
family = socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET
with socket.create_server((sys.argv[1], int(sys.argv[2])), family=family) as server:
    print(server.getsockname()[1], flush=True)
    sys.stdin.read()
"""
HAS_IPV6 = Path("/proc/net/if_inet6").exists()


@contextmanager
def listening(address: str, port: int = 0) -> Iterator[tuple[int, int]]:
    """A process that listens there: its pid and port."""
    argv = [sys.executable, "-c", LISTENS, address, str(port)]
    with subprocess.Popen(argv, stdin=-1, stdout=-1, text=True) as child:
        assert child.stdout
        yield child.pid, int(child.stdout.readline())
        child.kill()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    made = load(data=tmp_path / "data", port=ports.free_block().base, database_url=None)
    folder.prepare(made.data)
    return made


def instance(settings: Settings, pid: int) -> Record:
    """One whose daemon is this process."""
    process = identify(pid)
    assert process
    return Record(pid, process.ticks, 0.0, "", "", Ports(settings.port).table(), "", "ready")


def found(settings: Settings, pid: int) -> dict[str, Check]:
    return {check.name: check for check in exposure(settings, instance(settings, pid))}


@pytest.mark.parametrize("address", ["0.0.0.0", "::"])
def test_a_port_open_to_all_is_a_fault_and_is_named(settings: Settings, address: str) -> None:
    if address == "::" and not HAS_IPV6:
        address = "0.0.0.0"
    with listening(address) as (pid, port):
        check = found(settings, pid)["open ports"]
    assert check.ok is False
    assert f":{port} (" in check.found
    assert check.fix


def test_a_port_on_loopback_is_none(settings: Settings) -> None:
    with listening("127.0.0.1") as (pid, _):
        check = found(settings, pid)["open ports"]
    assert (check.ok, check.found) == (True, "1 on loopback")


@pytest.mark.parametrize(("host", "ok"), [("0.0.0.0", True), ("127.0.0.1", False)])
def test_the_ingress_is_open_where_the_settings_say_so(
    settings: Settings, host: str, ok: bool
) -> None:
    chosen = settings.model_copy(update={"host": host})
    with listening("0.0.0.0", settings.port) as (pid, _):
        checks = found(chosen, pid)
    assert checks["open ports"].ok is ok
    assert ("http" in checks) is ok
    if ok:
        assert checks["http"].ok is None
        assert checks["http"].fix


def test_metrics_in_reach_are_named_with_the_remedy(settings: Settings) -> None:
    with listening("0.0.0.0", Ports(settings.port)["haproxy_stats"]) as (pid, port):
        check = found(settings, pid)["metrics"]
    assert check.ok is None
    assert f"0.0.0.0:{port} (haproxy_stats)" in check.found
    assert "firewall" in check.fix


def test_the_dashboard_must_be_on_loopback(settings: Settings) -> None:
    port = Ports(settings.port)["dashboard"]
    with listening("127.0.0.1", port) as (pid, _):
        assert found(settings, pid)["dashboard"].ok is True
    with listening("0.0.0.0", port) as (pid, _):
        assert found(settings, pid)["dashboard"].ok is False


def test_somebody_elses_port_in_the_block_is_a_fault(settings: Settings) -> None:
    with listening("127.0.0.1") as (pid, _), listening("127.0.0.1", settings.port + 7):
        check = found(settings, pid)["block"]
    assert check.ok is False
    assert f"127.0.0.1:{settings.port + 7}" in check.found


class Lax(BaseHTTPRequestHandler):
    """A Ray that asks nobody for a token."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        pass


def test_a_ray_that_asks_for_no_token_is_a_fault(settings: Settings) -> None:
    with HTTPServer(("127.0.0.1", Ports(settings.port)["dashboard"]), Lax) as server:
        Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        with listening("127.0.0.1") as (pid, _):
            check = found(settings, pid)["ray token"]
        server.shutdown()
    assert check.ok is False
    assert "200 without a token" in check.found


def test_descendants_and_sessions_belong_to_a_family() -> None:
    argv = ["sh", "-c", "setsid sleep 60 & echo $!; wait"]
    with subprocess.Popen(argv, stdout=-1, text=True) as child:
        assert child.stdout
        grandchild = int(child.stdout.readline())
        members = family({child.pid})
        subprocess.run(["kill", str(grandchild)], check=True)
        child.kill()
    assert {child.pid, grandchild} <= members
    assert 1 not in members


def test_a_socket_is_seen_with_its_holder() -> None:
    with listening("127.0.0.1") as (pid, port):
        [listener] = held_by({pid})
    assert (listener.address, listener.port) == ("127.0.0.1", port)
    assert listener.title.startswith("python")


@pytest.mark.parametrize(("address", "local"), [
    ("127.0.0.1", True), ("127.8.8.8", True), ("::1", True), ("::ffff:127.0.0.1", True),
    ("0.0.0.0", False), ("::", False), ("10.0.0.1", False), ("::ffff:10.0.0.1", False),
])  # fmt: skip
def test_what_counts_as_this_machine_alone(address: str, local: bool) -> None:
    assert Listener(address, 1).local is local
