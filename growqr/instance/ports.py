"""Every listener of an instance, derived from one base port: a block of 64.

Two instances whose blocks do not touch never notice each other.
"""

from __future__ import annotations

import errno
import random
import socket
from collections.abc import Iterator
from dataclasses import dataclass

from growqr.errors import InstanceError

BLOCK = 64

LISTENERS = (
    "http",
    "postgres",
    "gcs",
    "node_manager",
    "object_manager",
    "dashboard",
    "agent_http",
    "agent_grpc",
    "runtime_env",
    "metrics",
    "client_server",
    "haproxy_stats",
    "haproxy_metrics",
    "fallback_http",
    "fallback_grpc",
    "autoscaler_metrics",
    "dashboard_metrics",
    "relay",
)
"""Single ports: `base + index`. http is the base itself."""

REPLICA_HTTP = (20, 43)
REPLICA_GRPC = (44, 63)
"""Offsets of the ranges Serve takes one port per replica from; it skips those in use."""

SEARCH = range(20000, 32704, BLOCK)
"""Where `--port 0` looks: below the range Linux hands to outgoing connections."""


@dataclass(frozen=True)
class Ports:
    """The block that begins at `base`."""

    base: int

    def __getitem__(self, listener: str) -> int:
        return self.base + LISTENERS.index(listener)

    def __iter__(self) -> Iterator[str]:
        return iter(LISTENERS)

    @property
    def replica_http(self) -> tuple[int, int]:
        """First and last port for HTTP of replicas."""
        return self.base + REPLICA_HTTP[0], self.base + REPLICA_HTTP[1]

    @property
    def replica_grpc(self) -> tuple[int, int]:
        """First and last port for gRPC of replicas."""
        return self.base + REPLICA_GRPC[0], self.base + REPLICA_GRPC[1]

    def table(self) -> dict[str, int]:
        """Listener → port, for the record and for people."""
        return {name: self[name] for name in self}

    def taken(self) -> list[str]:
        """Names of listeners whose port somebody else listens on."""
        return [name for name in self if not is_free(self[name])]


def is_free(port: int) -> bool:
    """Whether a listener on any address could be bound now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("", port))
        except OSError as error:
            if error.errno in (errno.EADDRINUSE, errno.EACCES):
                return False
            raise
    return True


def choose(base: int) -> Ports:
    """The block at `base`, or for 0 a free one. Raises InstanceError naming a taken port."""
    if base == 0:
        return free_block()
    ports = Ports(base)
    if taken := ports.taken():
        name = taken[0]
        raise InstanceError(
            f"port {ports[name]} ({name}) is taken by another program; "
            f"choose another block with --port, or let growqr find one with --port 0"
        )
    return ports


def free_block() -> Ports:
    """A block of which every single port is free, ranges included."""
    for base in random.sample(SEARCH, len(SEARCH)):
        if all(is_free(port) for port in range(base, base + BLOCK)):
            return Ports(base)
    raise InstanceError(
        f"no free block of {BLOCK} ports between {SEARCH.start} and {SEARCH.stop}; "
        "end a program that listens there or name a block with --port"
    )
