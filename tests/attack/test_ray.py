"""Ray's own doors: who has no token runs nothing, reads nothing and finds no secret."""

from __future__ import annotations

import pickle
import re
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import grpc
import httpx
import pytest

from growqr.instance.listeners import Listener, family, held_by
from tests.attack.search import kept
from tests.instance_fixtures import CANARY
from tests.instances import Instance, processes_of

pytestmark = pytest.mark.cluster

WRONG = "0" * 64
OPEN = {
    "/", "/favicon.ico", "/api/gcs_healthz", "/api/healthz", "/api/local_raylet_healthz",
    "/api/authentication_mode", "/api/authenticate",
}  # fmt: skip
"""Health, the empty page of the dashboard, and how one signs in there."""

METRICS = ("metrics", "dashboard_metrics", "autoscaler_metrics", "haproxy_metrics")
REPLICA = "ray::ServeReplica"


def token(instance: Instance) -> str:
    return (instance.settings.secrets / "ray_token").read_text().strip()


def routes() -> list[tuple[str, str]]:
    """Every route in the source of the installed dashboard and its agents."""
    told = re.compile(r'routes\.(get|post|put|delete)\(\s*f?"(/[^"]*)"')
    spec = find_spec("ray")  # read, not imported: Ray warns in any process that is not its own
    assert spec
    assert spec.origin
    files = (Path(spec.origin).parent / "dashboard").rglob("*.py")
    found = {match.groups() for file in files for match in told.finditer(file.read_text())}
    return sorted((method, re.sub(r"\{[^}]*\}", "x", path)) for method, path in found)


@pytest.fixture
def ray_http(instance: Instance) -> Iterator[dict[str, httpx.Client]]:
    clients = {
        name: httpx.Client(base_url=f"http://127.0.0.1:{instance.record['ports'][name]}")
        for name in ("dashboard", "agent_http", "runtime_env")
    }
    yield clients
    for client in clients.values():
        client.close()


def bearer(value: str) -> dict[str, str]:
    return {"authorization": f"Bearer {value}"}


@pytest.mark.parametrize("name", ["dashboard", "agent_http", "runtime_env"])
def test_86_no_route_of_ray_answers_without_the_token(
    name: str, ray_http: dict[str, httpx.Client]
) -> None:
    asked = [("post", "/get_or_create_runtime_env"), *routes()]
    assert len(asked) > 50, "Ray's routes were not found"
    http = ray_http[name]
    for method, path in asked:
        if path in OPEN:
            continue
        assert http.request(method, path).status_code == 401, (method, path)
        assert http.request(method, path, headers=bearer(WRONG)).status_code == 403, (method, path)


@pytest.mark.parametrize(("name", "path"), [("dashboard", "/api/jobs/"),
                                            ("agent_http", "/api/job_agent/jobs/")])  # fmt: skip
def test_86_a_job_is_not_taken_without_the_token(
    name: str, path: str, instance: Instance, ray_http: dict[str, httpx.Client], tmp_path: Path
) -> None:
    job = {"entrypoint": f"touch {tmp_path}/ran"}
    for given in ("", f"Bearer {WRONG}", "Bearer", "Basic eDp5"):
        headers = {"authorization": given} if given else {}
        assert ray_http[name].post(path, json=job, headers=headers).status_code in (401, 403)
    jobs = ray_http["dashboard"].get("/api/jobs/", headers=bearer(token(instance)))
    assert [job for job in jobs.json() if job["type"] == "SUBMISSION"] == []
    assert not (tmp_path / "ran").exists()


def test_86_with_the_token_ray_answers_twin(
    instance: Instance, ray_http: dict[str, httpx.Client]
) -> None:
    for name, path in (("dashboard", "/api/version"), ("dashboard", "/api/jobs/")):
        assert ray_http[name].get(path, headers=bearer(token(instance))).status_code == 200
    assert ray_http["agent_http"].get("/logs", headers=bearer(token(instance))).status_code == 200


ASKS_GCS = """
import sys
from ray._raylet import GcsClient
client = GcsClient(address=sys.argv[1])
print(len(client.internal_kv_keys(b"", None, timeout=5)), "keys")
"""


def gcs_client(instance: Instance, **environment: str) -> subprocess.CompletedProcess[str]:
    """A client of the GCS in a process of its own, as Ray's settings are read once."""
    port = instance.record["ports"]["gcs"]
    return subprocess.run(
        [sys.executable, "-c", ASKS_GCS, f"127.0.0.1:{port}"],
        env={"PATH": "/usr/bin:/bin", "HOME": str(instance.data.parent), **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize(
    "environment",
    [{"RAY_AUTH_MODE": "disabled"}, {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": WRONG}],
    ids=["none", "wrong"],
)
def test_88_a_client_of_the_gcs_without_the_token_is_refused(
    instance: Instance, environment: dict[str, str]
) -> None:
    done = gcs_client(instance, **environment)
    assert done.returncode != 0
    assert "nauthenticated" in done.stderr, done.stderr[-2000:]
    assert "keys" not in done.stdout


def test_88_with_the_token_it_is_let_in_twin(instance: Instance) -> None:
    done = gcs_client(instance, RAY_AUTH_MODE="token", RAY_AUTH_TOKEN=token(instance))
    assert done.returncode == 0, done.stderr[-2000:]
    assert "keys" in done.stdout


class Payload:
    """Leaves a file where it is unpickled."""

    def __init__(self, mark: Path) -> None:
        self._mark = mark

    def __reduce__(self) -> tuple[Any, ...]:
        return (Path.touch, (self._mark,))


def listening(instance: Instance) -> list[Listener]:
    record = instance.record
    roots = {record["pid"], *(child[0] for child in record["children"].values())}
    return held_by(family(roots))


def call_replicas(instance: Instance, mark: Path, *metadata: tuple[str, str]) -> set[str]:
    """Send the payload to every port of every replica; the codes of the answers."""
    payload = pickle.dumps(Payload(mark))
    length = bytes([len(payload) & 0x7F | 0x80, len(payload) >> 7])
    request = b"\x0a" + length + payload  # field 1: pickled_request_metadata
    codes = set()
    ports = [one.port for one in listening(instance) if one.title.startswith(REPLICA)]
    assert len(ports) > 6, "the replicas' ports were not found"
    for port in ports:
        with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
            call = channel.unary_unary("/ray.serve.ASGIService/HandleRequest")
            with pytest.raises(grpc.RpcError) as refused:
                call(request, timeout=5, metadata=metadata)
            codes.add(refused.value.code().name)
    return codes


@pytest.mark.parametrize("headers", [(), (("authorization", f"Bearer {WRONG}"),)])
def test_88_a_replica_unpickles_nothing_of_those_without_the_token(
    instance: Instance, tmp_path: Path, headers: tuple[tuple[str, str], ...]
) -> None:
    codes = call_replicas(instance, tmp_path / "ran", *headers)
    assert "UNAUTHENTICATED" in codes
    assert not (tmp_path / "ran").exists()


def test_88_the_payload_would_have_run_with_the_token_twin(
    instance: Instance, tmp_path: Path
) -> None:
    call_replicas(instance, tmp_path / "ran", ("authorization", f"Bearer {token(instance)}"))
    assert (tmp_path / "ran").exists()


@pytest.mark.parametrize("host", ["0.0.0.0", "127.0.0.1"])
def test_89_a_start_without_token_mode_is_refused(tmp_path: Path, host: str) -> None:
    lax = Instance(tmp_path / "data", RAY_AUTH_MODE="disabled", GROWQR_HOST=host)
    done = lax.command("up")
    assert done.returncode != 0
    assert "RAY_AUTH_MODE=disabled" in done.stderr
    assert "unset RAY_AUTH_MODE" in done.stderr
    assert not (lax.data / "instance.json").exists()


def test_89_with_token_mode_it_is_not_twin(instance: Instance) -> None:
    asked = Instance(instance.data, RAY_AUTH_MODE="token")
    done = asked.command("up")
    assert done.returncode == 0, done.stderr
    assert "already running" in done.stdout


def test_90_keys_are_for_their_owner_alone_and_in_no_process(instance: Instance) -> None:
    secret = [*instance.settings.secrets.iterdir(), instance.data / "secrets.env"]
    secret.append(instance.data / "settings.json")
    for file in secret:
        assert stat.S_IMODE(file.stat().st_mode) == 0o600, file
    for folder in (instance.data, instance.settings.secrets, instance.data / "logs"):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700, folder
    words = [CANARY, *kept(instance).values()]
    for process in processes_of(instance):
        for word in words:
            assert word not in process.title, process.title
            assert word.encode() not in process.environment, process.title
    for log in (instance.data / "logs").iterdir():
        text = log.read_text(errors="replace")
        assert not [word for word in words if word in text], log


def test_90_every_process_of_ray_is_told_the_mode_and_the_file_twin(instance: Instance) -> None:
    """And so the search above does read environments."""
    file = instance.settings.secrets / "ray_token"
    ours = family({instance.record["children"]["ray"][0]})
    told = [process.environment.split(b"\0") for process in processes_of(instance)
            if process.pid in ours]  # fmt: skip
    # Ray's workers write their titles over the beginning of what they were told.
    whole = [words for words in told if re.match(rb"[A-Za-z_]\w*=", words[0])]
    assert len(told) > 10
    assert len(whole) >= 4, "the head, its GCS, its raylet and its dashboard"
    for words in told:
        modes = {word for word in words if word.startswith(b"RAY_AUTH_MODE=")}
        assert modes <= {b"RAY_AUTH_MODE=token"}
    for words in whole:
        assert b"RAY_AUTH_MODE=token" in words
        assert f"RAY_AUTH_TOKEN_PATH={file}".encode() in words


def own_address() -> str:
    """What this machine is called from outside; no packet is sent to find out."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            pytest.skip("this machine has no network but loopback")
        return str(probe.getsockname()[0])


def test_92_nothing_of_the_instance_can_be_reached_from_outside(instance: Instance) -> None:
    address = own_address()
    assert not address.startswith("127.")
    ours = listening(instance)
    assert len(ours) > 20
    for listener in ours:
        assert listener.local, listener
        with socket.socket() as outside:
            outside.settimeout(5)
            assert outside.connect_ex((address, listener.port)) != 0, listener


def test_92_metrics_are_there_on_loopback_and_hold_nothing_of_users_twin(
    instance: Instance,
) -> None:
    person = instance.person()
    assert person.ask("remember that the heron wears a turquoise hat")
    pages = {}
    for name in METRICS:
        answer = httpx.get(f"http://127.0.0.1:{instance.record['ports'][name]}/metrics")
        assert answer.status_code == 200, name
        pages[name] = answer.text
    assert "ray_" in pages["metrics"]
    assert "haproxy_" in pages["haproxy_metrics"]
    for name, page in pages.items():
        for word in ("turquoise", CANARY, token(instance)):  # ids of agents are in it
            assert word not in page, (name, word)
