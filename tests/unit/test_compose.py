"""docker-compose.yml and the images keep what they promise: one socket, no power, one data path."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from growqr.config import CLIENT_KEYS, Providers, Settings

ROOT = Path(__file__).parents[2]
COMPOSE = ROOT / "docker-compose.yml"
IMAGES = sorted((ROOT / "deployments" / "images").glob("*/Dockerfile"))
SOCKET = "/var/run/docker.sock"
OUTSIDE = {"RUN_UID", "RUN_GID", "DOCKER_GID", "POSTGRES_PASSWORD", "POSTGRES_PORT"}
"""What the file asks of `.env` that is no setting of ours."""


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(COMPOSE.read_text())["services"]
    return found


def settings() -> set[str]:
    """Every name that growqr reads from an environment."""
    names = set(CLIENT_KEYS)
    for kind in (Settings, Providers):
        for name, field in kind.model_fields.items():
            choices = getattr(field.validation_alias, "choices", None)
            names |= set(choices or [f"GROWQR_{name}".upper()])
    return names


def test_there_are_the_three(services: dict[str, Any]) -> None:
    assert set(services) == {"postgres", "growqr", "broker"}
    assert services["broker"]["command"] == ["broker"]
    assert services["growqr"]["command"] == ["up", "--foreground"]
    for name in ("growqr", "broker"):
        assert services[name]["build"]["dockerfile"] == "deployments/images/growqr/Dockerfile"


def test_the_engines_socket_is_the_brokers_alone(services: dict[str, Any]) -> None:
    with_it = [name for name, told in services.items() if SOCKET in str(told)]
    assert with_it == ["broker"]
    assert "group_add" not in services["growqr"]


def test_nothing_has_more_power_than_it_needs(services: dict[str, Any]) -> None:
    for name, told in services.items():
        assert "privileged" not in told
        assert "pid" not in told
        assert "devices" not in told
        assert told.get("cap_add", []) == (["NET_ADMIN"] if name == "broker" else [])
    for name in ("growqr", "broker"):
        assert services[name]["read_only"] is True
        assert services[name]["cap_drop"] == ["ALL"]
        assert services[name]["user"].startswith("${RUN_UID:-1000}")
    assert services["growqr"]["security_opt"] == ["no-new-privileges:true"]


def test_postgres_answers_on_loopback_only(services: dict[str, Any]) -> None:
    assert all(port.startswith("127.0.0.1:") for port in services["postgres"]["ports"])
    assert services["postgres"]["healthcheck"]["test"][:2] == ["CMD", "pg_isready"]
    waits = services["growqr"]["depends_on"]
    assert waits == {"postgres": {"condition": "service_healthy"}}


def test_head_and_broker_see_one_data_folder_under_its_own_path(services: dict[str, Any]) -> None:
    for name in ("growqr", "broker"):
        assert "${GROWQR_DATA}:${GROWQR_DATA}" in services[name]["volumes"]


def test_head_and_broker_agree(services: dict[str, Any]) -> None:
    head, broker = (services[name]["environment"] for name in ("growqr", "broker"))
    assert broker.items() <= head.items()
    assert broker["GROWQR_RUNTIME"] == "docker"
    asked = ("PORT", "DATA", "BROKER", "SERVICE_MEMORY", "SERVICE_CPUS", "SERVICE_PIDS")
    assert {f"GROWQR_{name}" for name in asked} <= broker.keys()
    assert not [name for name in broker if "KEY" in name or "DATABASE" in name]


def test_every_setting_is_known() -> None:
    text = COMPOSE.read_text()
    names = set(re.findall(r"^ {2,}([A-Z][A-Z0-9_]+):", text, re.M))
    asked = set(re.findall(r"\$\{([A-Z0-9_]+)", text)) | set(re.findall(r"#   (\w+)=", text))
    ours = {name for name in names if not name.startswith("POSTGRES_")} - {"HOME"}
    assert ours <= settings()
    assert asked - OUTSIDE <= settings()
    assert "GROWQR_RUNTIME" in ours


def test_defaults_are_those_of_the_settings() -> None:
    given = dict(re.findall(r'"\$\{(\w+):-([^}"]*)\}"', COMPOSE.read_text()))
    for name, field in Settings.model_fields.items():
        choices = getattr(field.validation_alias, "choices", None) or [f"GROWQR_{name}".upper()]
        for choice in choices:
            if choice in given:
                assert given[choice] == str(field.default), choice


def test_images_are_pinned(services: dict[str, Any]) -> None:
    for name, told in services.items():
        tag = told["image"].rpartition(":")[2]
        assert tag not in ("", "latest", told["image"]), name


def test_no_secret_stands_in_the_file() -> None:
    for line in COMPOSE.read_text().splitlines():
        if re.search(r"(PASSWORD|KEY|TOKEN)\b.*:\s*\S", line) and not line.startswith("#"):
            assert "${" in line, line


@pytest.mark.parametrize("path", IMAGES, ids=lambda path: path.parent.name)
def test_images_need_no_more_than_the_engines_own_builder(path: Path) -> None:
    text = path.read_text()
    assert not re.search(r"--chmod|--mount|<<[A-Z\"'-]|^#\s*syntax|^ADD ", text, re.M | re.I)
    assert re.search(r"^ARG BASE=debian:bookworm-slim\nFROM \$\{BASE\}$", text, re.M)
    last = re.findall(r"^USER (\S+)$", text, re.M)
    assert last
    assert last[-1] not in ("root", "0", "0:0")


def test_nothing_but_sources_goes_to_the_builder() -> None:
    lines = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if line[:1] != "#"]
    assert lines[0] == "*"
    assert {line for line in lines if line.startswith("!")} == {
        "!pyproject.toml", "!hatch_build.py", "!README.md", "!LICENSE", "!schema.sql", "!growqr",
        "!deployments",
    }  # fmt: skip
