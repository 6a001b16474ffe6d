"""The engine from outside, by its own command line: what is there, and how tests clean up."""

from __future__ import annotations

from typing import NamedTuple

from tests.containers import docker

__all__ = ["GITEA", "Leftovers", "docker", "leftovers", "remove_instance"]

GITEA = "growqr-test/gitea"
"""Image of the stand-in; GROWQR_TEST_GITEA may name another one."""


class Leftovers(NamedTuple):
    """What carries a prefix, and how many volumes there are at all."""

    containers: tuple[str, ...]
    networks: tuple[str, ...]
    volumes: int


def leftovers(prefix: str) -> Leftovers:
    """Containers and networks whose names begin with `<prefix>-`."""
    filters = ("--filter", f"name=^{prefix}-")
    containers = docker("ps", "--all", "--format", "{{.Names}}", *filters)
    networks = docker("network", "ls", "--format", "{{.Name}}", *filters)
    volumes = docker("volume", "ls", "--quiet")
    return Leftovers(
        tuple(sorted(containers.split())), tuple(sorted(networks.split())), len(volumes.split())
    )


def remove_instance(prefix: str) -> None:
    """End what a test has left under its prefix."""
    left = leftovers(prefix)
    if left.containers:
        docker("rm", "--force", "--volumes", *left.containers)
    if left.networks:
        docker("network", "rm", *left.networks)
