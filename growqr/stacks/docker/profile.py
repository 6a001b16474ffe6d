"""What a container is created with: the spec behind every wall the engine offers.

Pure: (spec, where it runs) in, arguments of the SDK out. Folders keep their path inside.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from growqr.stacks.base import GATE, LISTEN, PORT, ServiceSpec

INSTANCE, USER, ROLE, SPEC, GENERATION, NAME = (
    f"growqr.{label}" for label in ("instance", "user", "role", "spec", "generation", "name")
)
HEALTH, WALLS, FOLDERS, PORT_LABEL = (
    f"growqr.{label}" for label in ("health", "walls", "folders", "port")
)
"""Labels: whose it is, what it was made from, and what we must know of it after a restart."""

TMP_BYTES = 256 << 20
OPEN_FILES = 4096
"""At most what the engine itself may open; it cannot give more than it has."""
_LOG = {"type": "json-file", "config": {"max-size": "10m", "max-file": "2"}}


@dataclass(frozen=True)
class Place:
    """Where a container runs: its network, how GATE is reached, who it is, the engine's cores.

    owner: user and group id it runs as.
    published: its port on loopback of the engine's machine, None where its address is reachable.
    walls: one word for the kind of network; another word means another container.
    folders: what its folders were when it was made, see DockerRuntime.
    """

    name: str
    instance: str
    network: str
    gate: str
    owner: tuple[int, int]
    cores: float
    walls: str
    folders: str
    published: int | None = None


def arguments(spec: ServiceSpec, place: Place) -> dict[str, Any]:
    """Keyword arguments of `client.containers.create`. Its environment holds secrets.

    argv empty: the image's own program; else exactly argv, found on the spec's PATH.
    """
    argv = [text.replace(PORT, str(spec.port)).replace(LISTEN, "0.0.0.0") for text in spec.argv]  # noqa: S104
    ports = {f"{spec.port}/tcp": ("127.0.0.1", place.published)} if place.published else None
    return {
        "image": spec.image,
        "name": place.name,
        "hostname": spec.role,  # never GATE, which it would then take for itself
        "entrypoint": argv or None,
        "environment": spec.env,
        "working_dir": str(spec.workdir),
        "labels": labels(spec, place),
        "network": place.network,
        "extra_hosts": {GATE: place.gate},
        # An engine asks name servers on its machine's loopback itself, also for who has no way out.
        "dns": ["127.0.0.1"] if place.walls.startswith("none") else None,
        "ports": ports,
        "mounts": _mounts(spec),
        **_walls(spec, place),
    }


def labels(spec: ServiceSpec, place: Place) -> dict[str, str]:
    """By these it is found again, whatever became of our own records."""
    return {
        INSTANCE: place.instance, USER: spec.user_id, ROLE: spec.role, NAME: spec.name,
        SPEC: spec.sha, GENERATION: str(spec.generation), HEALTH: spec.health.path,
        WALLS: place.walls, FOLDERS: place.folders, PORT_LABEL: str(spec.port),
    }  # fmt: skip


def _walls(spec: ServiceSpec, place: Place) -> dict[str, Any]:
    uid, gid = place.owner
    limits = spec.limits
    return {
        "init": True,  # without it a server ignores SIGTERM, and orphans are never buried
        "user": f"{uid}:{gid}",
        "read_only": True,
        "cap_drop": ["ALL"],
        "security_opt": ["no-new-privileges:true"],
        "pids_limit": limits.pids,
        "mem_limit": limits.memory,
        "memswap_limit": limits.memory,
        "nano_cpus": int(min(limits.cpus, place.cores) * 1e9),
        # Programs built there are run there; it counts as memory of the container.
        "tmpfs": {"/tmp": f"size={TMP_BYTES},mode=1777,exec,nosuid,nodev"},  # noqa: S108
        "ulimits": [{"name": "nofile", "soft": OPEN_FILES, "hard": OPEN_FILES},
                    {"name": "core", "soft": 0, "hard": 0}],
        "log_config": _LOG,
    }  # fmt: skip


def _mounts(spec: ServiceSpec) -> list[dict[str, Any]]:
    """Bind mounts under the same path; the engine refuses one whose folder is not there."""
    writable = {spec.home: False, spec.workdir: False}
    shown = dict.fromkeys(spec.read_only, True) | writable
    return [
        {"Type": "bind", "Source": str(path), "Target": str(path), "ReadOnly": read_only}
        for path, read_only in shown.items()
    ]
