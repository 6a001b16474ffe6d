"""The README's first screen again, with the user's services in containers and memory in Gitea."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator

import httpx
import pytest

from tests.docker.engine import GITEA, docker, remove_instance
from tests.e2e.conftest import Checkout
from tests.e2e.test_first_screen import play, screen
from tests.instances import until

pytestmark = pytest.mark.docker

PREFIX = f"first-{secrets.token_hex(3)}"


@pytest.fixture
def contained(checkout: Checkout, gitea_image: str) -> Iterator[Checkout]:
    """The checkout with every service of a user in a container."""
    mine = {
        "GROWQR_RUNTIME": "docker",
        "GROWQR_GITEA": "per_user",
        "GROWQR_STACK_PREFIX": PREFIX,
        "GITEA_IMAGE": gitea_image,
        "GROWQR_DATA": f"{checkout.folder}/.contained",
    }
    checkout.env |= mine
    yield checkout
    checkout.growqr("down", 120)
    remove_instance(PREFIX)
    for name in mine:
        del checkout.env[name]


def test_the_first_screen_works_in_containers(contained: Checkout) -> None:
    seen: list[str] = []

    def look(command: str) -> None:
        if "--until" in command:  # a tool of OpenCode has just begun
            seen.append(docker("ps", "--format", "{{.Names}}", "--filter", f"name={PREFIX}-"))

    play(contained, screen(), after=look)

    assert f"{PREFIX}-opencode-u_owner" in seen[0].splitlines()
    path = contained.growqr("memory path").stdout.splitlines()[-1]
    ours = contained.sh(f"git -C {path} rev-parse main").stdout.strip()

    shown = contained.growqr("gitea --json").stdout
    login = json.loads(shown[shown.index("{") :])
    branch = f"{login['url']}/api/v1/repos/{login['name']}/growqr-memory/branches/main"

    def mirrored() -> bool:
        asked = httpx.get(branch, auth=(login["name"], login["password"]), trust_env=False)
        return asked.status_code == 200 and asked.json()["commit"]["id"] == ours

    until(mirrored, 90, "memory is not in Gitea")
    stacks = contained.growqr("stacks ls --json").stdout
    listed = json.loads(stacks[stacks.index("[") :])
    assert {(s["role"], s["desired"]) for s in listed} == {
        ("opencode", "ready"),
        ("gitea", "ready"),
    }
    assert GITEA in docker("inspect", f"{PREFIX}-gitea-u_owner", "--format", "{{.Config.Image}}")
