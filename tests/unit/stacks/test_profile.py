"""What a container is created with, whoever asks."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from growqr.stacks.base import LISTEN, PORT, Limits, ServiceSpec
from growqr.stacks.docker.profile import Place, arguments

SPEC = ServiceSpec(
    name="growqr-opencode-u_alice", user_id="u_alice", role="opencode", generation=3,
    argv=("opencode", "serve", f"--at={LISTEN}", PORT), env={"TOKEN": "s3cret"},
    home=Path("/data/users/u_alice/home"), workdir=Path("/data/users/u_alice/work"),
    read_only=(Path("/data/users/u_alice/skills"),), image="an/image:1", port=5000,
    limits=Limits(memory=1 << 30, cpus=1.5, pids=100),
)  # fmt: skip
PLACE = Place(
    name="x-opencode-u_alice", instance="0123456789ab", network="x-u_alice", gate="10.199.0.1",
    owner=(1000, 1000), cores=8.0, walls="none-address", folders="{}",
)  # fmt: skip


@pytest.fixture
def made() -> dict[str, Any]:
    return arguments(SPEC, PLACE)


def test_every_wall_is_there(made: dict[str, Any]) -> None:
    assert made["init"] is True
    assert made["read_only"] is True
    assert made["user"] == "1000:1000"
    assert made["cap_drop"] == ["ALL"]
    assert made["security_opt"] == ["no-new-privileges:true"]
    assert (made["pids_limit"], made["nano_cpus"]) == (100, 1_500_000_000)
    assert made["mem_limit"] == made["memswap_limit"] == 1 << 30
    assert "size=" in made["tmpfs"]["/tmp"]
    assert made["log_config"]["config"]["max-size"]
    assert not {"privileged", "cap_add", "devices", "pid_mode", "restart_policy"} & set(made)


def test_it_is_given_its_own_folders_and_nothing_else(made: dict[str, Any]) -> None:
    mounts = {mount["Target"]: mount for mount in made["mounts"]}
    own = "/data/users/u_alice"
    assert set(mounts) == {f"{own}/home", f"{own}/work", f"{own}/skills"}
    assert all(mount["Source"] == target for target, mount in mounts.items())
    assert {t for t, mount in mounts.items() if mount["ReadOnly"]} == {f"{own}/skills"}
    assert made["environment"] == SPEC.env
    assert made["working_dir"] == f"{own}/work"


def test_it_listens_inside_and_is_published_on_loopback_alone(made: dict[str, Any]) -> None:
    assert made["entrypoint"] == ["opencode", "serve", "--at=0.0.0.0", "5000"]
    assert made["ports"] is None
    published = arguments(SPEC, replace(PLACE, published=42001))
    assert published["ports"] == {"5000/tcp": ("127.0.0.1", 42001)}


def test_without_argv_the_image_decides(made: dict[str, Any]) -> None:
    assert arguments(replace(SPEC, argv=()), PLACE)["entrypoint"] is None


def test_its_labels_tell_what_it_is_and_no_secret(made: dict[str, Any]) -> None:
    told = made["labels"]
    assert told["growqr.instance"] == "0123456789ab"
    assert (told["growqr.user"], told["growqr.role"]) == ("u_alice", "opencode")
    assert (told["growqr.spec"], told["growqr.generation"]) == (SPEC.sha, "3")
    assert "s3cret" not in str(told)


def test_it_reaches_the_gate_and_is_not_called_so_itself(made: dict[str, Any]) -> None:
    assert made["extra_hosts"] == {"growqr": "10.199.0.1"}
    assert made["hostname"] != "growqr"


def test_without_egress_no_engine_asks_name_servers_for_it(made: dict[str, Any]) -> None:
    assert made["dns"] == ["127.0.0.1"]
    assert arguments(SPEC, replace(PLACE, walls="none-port"))["dns"] == ["127.0.0.1"]
    assert arguments(SPEC, replace(PLACE, walls="open-address"))["dns"] is None


def test_no_more_cores_are_asked_for_than_there_are() -> None:
    assert arguments(SPEC, replace(PLACE, cores=1.0))["nano_cpus"] == 1_000_000_000
