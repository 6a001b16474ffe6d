"""What `growqr doctor` finds out of containers and Gitea, where one thing is wrong with each."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from growqr.config import Settings
from growqr.instance import Check
from growqr.stacks.docker.examine import PATIENCE, examine

MINE = "0123456789ab"


class Double:
    """Answers GET requests: path (without version and query) → JSON, or a status."""

    def __init__(self) -> None:
        self.silent = False
        self.token: str | None = None
        self.answers: dict[str, Any] = {
            "/version": {"Version": "20.10.24", "ApiVersion": "1.41"},
            "/info": {"CgroupVersion": "2", "MemoryLimit": True, "CpuCfsQuota": True,
                      "PidsLimit": True, "DockerRootDir": "/nowhere/docker"},
            "/containers/json": [],
            "/networks": [{"IPAM": {"Config": [{"Subnet": "172.17.0.0/16"}]}}],
            "/images/growqr/opencode:1.18.33/json": {"Id": "sha256:1"},
        }  # fmt: skip

    def put(self, path: str, **fields: Any) -> None:
        self.answers[path] = self.answers[path] | fields


@contextmanager
def serving(double: Double) -> Iterator[str]:
    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if double.silent:
                time.sleep(PATIENCE * 2)
            path = urlsplit(self.path).path
            path = path.removeprefix("/v1.41")
            double.token = self.headers.get("Authorization")
            found = double.answers.get(path, 404)
            status, body = (found, {"message": "no"}) if isinstance(found, int) else (200, found)
            raw = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    server.daemon_threads, server.block_on_close = True, False
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield f"127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Iterator[Double]:
    double = Double()
    with serving(double) as address:
        monkeypatch.setenv("DOCKER_HOST", f"tcp://{address}")
        yield double


def found(tmp_path: Path, **chosen: Any) -> dict[str, Check]:
    """By name; of several with one name the last."""
    (tmp_path / "instance_id").write_text(MINE)
    settings = Settings(data=tmp_path, runtime="docker", **chosen)
    return {check.name: check for check in examine(settings)}


def test_processes_without_a_gitea_need_none_of_it(tmp_path: Path):
    assert examine(Settings(data=tmp_path)) == []


def test_an_engine_as_it_should_be(engine: Double, tmp_path: Path):
    checks = found(tmp_path)
    for name in ("engine", "limits", "names", "subnets", "image"):
        assert checks[name].ok, checks[name]
    assert "20.10.24" in checks["engine"].found
    assert "4096 of 4096" in checks["subnets"].found
    assert {"room", "firewall"} <= checks.keys()


def test_no_engine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setenv("DOCKER_HOST", "tcp://127.0.0.1:9")
    check = found(tmp_path)["engine"]
    assert check.ok is False
    assert "DOCKER_HOST" in check.fix


def test_an_engine_that_hangs_is_not_waited_for(engine: Double, tmp_path: Path):
    engine.silent = True
    began = time.monotonic()
    assert found(tmp_path)["engine"].ok is False
    assert time.monotonic() - began < PATIENCE + 2


def test_limits_that_the_kernel_does_not_offer(engine: Double, tmp_path: Path):
    engine.put("/info", PidsLimit=False)
    check = found(tmp_path)["limits"]
    assert (check.ok, "processes" in check.found) == (None, True)


@pytest.mark.parametrize(("labels", "ok"), [({"growqr.instance": MINE}, True), ({}, None)])
def test_containers_of_others_under_our_names(
    engine: Double, tmp_path: Path, labels: dict[str, str], ok: bool | None
):
    engine.answers["/containers/json"] = [
        {"Names": ["/growqr-gitea-u_alice"], "Labels": labels, "Ports": []},
        {"Names": ["/postgres"], "Labels": {}, "Ports": []},
    ]
    check = found(tmp_path)["names"]
    assert check.ok is ok
    assert ("GROWQR_STACK_PREFIX" in check.fix) == (ok is None)


@pytest.mark.parametrize(
    ("subnets", "taken", "told"),
    [
        ("10.0.0.0/26", "10.0.0.16/28", "3 of 4"),
        ("10.0.0.0/26", "10.0.0.0/16", "0 of 4"),
        ("10.0.0.0/26", "10.0.0.24/29", "3 of 4"),
        ("10.0.0.0/29", "10.9.0.0/16", "0 of 1"),
        ("10.0.0.0/33", "10.9.0.0/16", "no IPv4 network"),
    ],
)
def test_subnets_that_are_left(engine: Double, tmp_path: Path, subnets: str, taken: str, told: str):
    engine.answers["/networks"] = [{"IPAM": {"Config": [{"Subnet": taken}]}}, {"IPAM": None}]
    check = found(tmp_path, subnets=subnets)["subnets"]
    assert told in check.found
    assert check.ok is told.startswith("3")
    assert "GROWQR_SUBNETS" in check.fix


def test_ports_that_are_left(engine: Double, tmp_path: Path):
    held = [{"PublicPort": 42000}, {"PublicPort": 80}, {}]
    engine.answers["/containers/json"] = [{"Names": ["/x"], "Labels": None, "Ports": held}]
    chosen = {"reach": "port", "user_port_range_end": 42001}
    assert "1 of 2" in found(tmp_path, **chosen)["ports"].found
    chosen["user_port_range_end"] = 42000
    assert found(tmp_path, **chosen)["ports"].ok is False


def test_images_that_are_not_here_and_how_they_come(engine: Double, tmp_path: Path):
    check = found(tmp_path, gitea="per_user")["image"]
    assert (check.ok, "pulled" in check.found) == (None, True)
    del engine.answers["/images/growqr/opencode:1.18.33/json"]
    assert "built here" in found(tmp_path)["image"].found


def test_a_broker_that_is_not_there(engine: Double, tmp_path: Path):
    checks = found(tmp_path, broker=tmp_path / "broker.sock")
    assert checks["broker"].ok is False
    assert "growqr broker" in checks["broker"].fix
    assert "engine" not in checks, "it is the broker's"


@pytest.mark.parametrize(("answer", "ok"), [({"login": "admin"}, True), (401, False)])
def test_a_shared_gitea(tmp_path: Path, answer: Any, ok: bool):
    gitea = Double()
    gitea.answers["/api/v1/user"] = answer
    with serving(gitea) as address:
        chosen = {"gitea": "shared", "gitea_url": f"http://{address}/", "gitea_token": "t0k"}
        [check] = examine(Settings(data=tmp_path, **chosen))
    assert check.ok is ok
    assert gitea.token == "token t0k"
    assert "t0k" not in check.found + check.fix


def test_a_gitea_that_is_away(tmp_path: Path):
    chosen = {"gitea": "shared", "gitea_url": "http://127.0.0.1:9", "gitea_token": "t0k"}
    [check] = examine(Settings(data=tmp_path, **chosen))
    assert (check.ok, "does not answer" in check.found) == (False, True)
