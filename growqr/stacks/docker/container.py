"""What the engine says of one container, in our words. Nothing here asks anything."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from growqr.stacks.base import GATE, ActualState, ServiceStatus
from growqr.stacks.docker import profile
from growqr.stacks.docker.networks import moment

KILLED = 137


@dataclass(frozen=True)
class Container:
    """One answer of `inspect`."""

    told: dict[str, Any]

    @property
    def id(self) -> str:
        """The engine's name for it: no two containers ever share one."""
        return str(self.told["Id"])

    @property
    def name(self) -> str:
        """As it is called now; anybody may rename it."""
        return str(self.told["Name"]).removeprefix("/")

    @property
    def state(self) -> str:
        """created, running, paused, restarting, removing, exited or dead."""
        return str(self.told["State"]["Status"])

    @property
    def alive(self) -> bool:
        """Whether its processes are there, be they frozen."""
        return self.state in ("running", "paused")

    def label(self, name: str) -> str:
        """A label's value, empty where there is none."""
        return str((self.told["Config"].get("Labels") or {}).get(name, ""))

    @property
    def age(self) -> float:
        """Seconds since it was started."""
        return (datetime.now(UTC) - moment(self.told["State"]["StartedAt"])).total_seconds()

    @property
    def gate(self) -> str:
        """Where it finds the relay: the address it was given, for good, when it was made."""
        hosts = self.told["HostConfig"].get("ExtraHosts") or []
        found = [host.partition(":")[2] for host in hosts if host.partition(":")[0] == GATE]
        return found[0] if found else ""

    def ip(self, network: str) -> str | None:
        """Its address in that network; None when it is not in it."""
        joined = self.told["NetworkSettings"]["Networks"].get(network) or {}
        return joined.get("IPAddress") or None

    def address(self, network: str) -> str | None:
        """http://HOST:PORT for us: where it is published, else in its network."""
        port = self.label(profile.PORT_LABEL)
        published = (self.told["NetworkSettings"].get("Ports") or {}).get(f"{port}/tcp")
        if published:
            return f"http://127.0.0.1:{published[0]['HostPort']}"
        wants = (self.told["HostConfig"].get("PortBindings") or {}).get(f"{port}/tcp")
        ip = None if wants else self.ip(network)
        return f"http://{ip}:{port}" if ip else None

    @property
    def end(self) -> str:
        """How it ended, without its own words."""
        state = self.told["State"]
        code = state.get("ExitCode")
        if state.get("OOMKilled"):
            return f"killed: it used more than its memory (code {code})"
        if code == KILLED:
            return f"killed (code {code})"
        words = " ".join(str(state.get("Error") or "").split())
        return f"the service ended with code {code}" + (f": {words}" if words else "")

    @property
    def user(self) -> str:
        """Who it was made to run as: `uid:gid`."""
        return str(self.told["Config"].get("User", ""))

    @property
    def same_folders(self) -> bool:
        """Whether the folders it sees are those that lie there now."""
        try:
            return folders(json.loads(self.label(profile.FOLDERS))) == self.label(profile.FOLDERS)
        except (ValueError, OSError):
            return False

    def status(
        self, state: ActualState, network: str, reason: str | None = None, *, fits: bool = True
    ) -> ServiceStatus:
        """The service it is."""
        return ServiceStatus(
            self.label(profile.NAME), state, self.label(profile.USER), self.label(profile.ROLE),
            address=self.address(network), generation=int(self.label(profile.GENERATION) or 0),
            spec_sha=self.label(profile.SPEC) if fits else None, reason=reason,
            pid=self.told["State"].get("Pid") or None,
        )  # fmt: skip


def folders(paths: list[str] | dict[str, str]) -> str:
    """Paths with what they are on disk, as a label: a folder made anew under the same path is
    another one, and a container goes on with the old. Raises OSError for one that is missing."""
    found = {}
    for path in paths:
        seen = Path(path).stat()
        found[path] = f"{seen.st_dev}:{seen.st_ino}"
    return json.dumps(found, sort_keys=True)
