"""What a running instance shows of itself, as `growqr doctor` and Ray's own pages tell it."""

from __future__ import annotations

import json
import re
import socket
from typing import Any

import httpx

from tests.attack.search import Text, found, kept
from tests.instance_fixtures import CANARY, GITEA_CANARY
from tests.instances import Instance

ASKED = (
    "/api/jobs/", "/api/v0/actors?detail=1", "/api/v0/runtime_envs?detail=1",
    "/api/v0/workers?detail=1", "/api/v0/jobs?detail=1", "/api/serve/applications/",
    "/nodes?view=summary", "/logical/actors",
)  # fmt: skip


def doctor(instance: Instance) -> dict[str, dict[str, Any]]:
    told = json.loads(instance.command("doctor", "--json").stdout)
    return {check["name"]: check for check in told}


def test_the_doctor_finds_every_port_closed(instance: Instance) -> None:
    checks = doctor(instance)
    for name in ("open ports", "dashboard", "metrics", "block", "ray token", "secrets"):
        assert checks[name]["ok"] is True, checks[name]
    assert "http" not in checks, "loopback is not open"
    assert int(checks["open ports"]["found"].split()[0]) > 20


def test_the_doctor_names_who_else_is_on_a_port_of_the_block(instance: Instance) -> None:
    port = instance.record["ports"]["http"] + 63
    with socket.create_server(("127.0.0.1", port)):
        check = doctor(instance)["block"]
    assert check["ok"] is False
    assert f"127.0.0.1:{port}" in check["found"]


def test_the_doctor_finds_a_secret_that_others_can_read(instance: Instance) -> None:
    file = instance.data / "settings.json"
    file.chmod(0o640)
    try:
        done = instance.command("doctor")
    finally:
        file.chmod(0o600)
    assert done.returncode == 1
    assert f"chmod 600 {file}" in done.stdout


def test_no_secret_is_in_what_ray_knows_of_actors_jobs_and_environments(
    instance: Instance,
) -> None:
    known = kept(instance)
    words = known | {"provider key": CANARY, "gitea token": GITEA_CANARY}
    anna = instance.person()
    assert anna.ask("hello")
    address = f"http://127.0.0.1:{instance.record['ports']['dashboard']}"
    headers = {"authorization": f"Bearer {known['ray_token']}"}
    pages = []
    with httpx.Client(base_url=address, headers=headers, timeout=20) as http:
        for path in ASKED:
            answer = http.get(path)
            assert answer.status_code == 200, (path, answer.text[:300])
            pages.append(Text(path, answer.text))
        actors = http.get("/api/v0/actors?detail=1").json()["data"]["result"]["result"]
    assert found(pages, words) == {}
    assert found(pages, {"anna": anna.name}), "her agent's name is an internal id, and is there"
    names = [actor["name"] for actor in actors if actor["name"]]
    assert any(name.startswith("grow-agent:") for name in names)
    assert all(re.fullmatch(r"[\w:#.-]+", name) for name in names), names
