"""One network per user, with 16 addresses of its own out of GROWQR_SUBNETS.

The engine knows which subnets are taken, so nothing is kept here: the choice begins at a place that
the user's id gives and goes on where the engine says that it overlaps.
"""

from __future__ import annotations

import hashlib
import ipaddress
import socket
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from typing import Any, NamedTuple

from growqr.config import Settings
from growqr.errors import InstanceError, NoRoom
from growqr.logs import log
from growqr.stacks.docker.engine import Absent, Engine, Refused
from growqr.stacks.docker.profile import INSTANCE, USER, WALLS

PREFIX_LENGTH = 28
_BRIDGE = "com.docker.network.bridge."
_log = log("stacks")


class Network(NamedTuple):
    """A user's network. `gateway`: the machine's address in it; `walls`: see `walls_of`."""

    id: str
    name: str
    user_id: str
    gateway: str
    walls: str
    created: datetime


def walls_of(egress: str, reach: str) -> str:
    """What a network is like, in one word: `none-address`, `open-port` and so on."""
    return f"{egress}-{reach}"


def interfaces(instance: str) -> str:
    """What the names of an instance's bridges begin with; at most 15 characters have room."""
    return f"gq{instance[:4]}-"


def is_ours(address: str) -> bool:
    """Whether this machine has the address: then the engine's networks are its own."""
    with socket.socket() as probe:
        try:
            probe.bind((address, 0))
        except OSError:
            return False
    return True


class Networks:
    """The networks of one instance."""

    def __init__(self, engine: Engine, settings: Settings, instance: str) -> None:
        self._engine, self._instance = engine, instance
        self._prefix, self._subnets = settings.stack_prefix, settings.subnets

    def name(self, user_id: str) -> str:
        """What the user's network is called."""
        return f"{self._prefix}-{user_id}"

    async def ensure(self, user_id: str, walls: str) -> Network:
        """The user's network with these walls; one with others is made anew.

        Raises NoRoom when no subnet is left, InstanceError when the name is somebody else's.
        """
        name = self.name(user_id)
        there = await self._engine.call(lambda c: c.api.networks(names=[name]))
        for told in there:
            if told["Name"] != name:
                continue
            found = _network(told)
            self._refuse_foreign(told)
            if found.walls == walls:
                return found
            await self._clear(found)
        return await self._create(name, user_id, walls)

    async def all(self) -> list[Network]:
        """All of this instance."""
        label = f"{INSTANCE}={self._instance}"
        told = await self._engine.call(lambda c: c.api.networks(filters={"label": label}))
        return [_network(one) for one in told]

    async def remove(self, network_id: str) -> bool:
        """Remove it unless something is still in it; whether it has gone."""
        try:
            await self._engine.call(lambda c: c.api.remove_network(network_id))
        except Absent:
            return True
        except Refused:
            return False
        return True

    async def _clear(self, network: Network) -> None:
        """Take everything out of it and remove it; what was inside is made anew as well."""
        told = await self._engine.call(lambda c: c.api.inspect_network(network.id))
        for container in told.get("Containers") or {}:
            leave = partial(_disconnect, network=network.id, container=container)
            await self._engine.call(leave)
        if not await self.remove(network.id):
            raise InstanceError(f"the network {network.name} is in use and cannot be made anew")

    async def _create(self, name: str, user_id: str, walls: str) -> Network:
        taken = await self._taken()
        for subnet in self._candidates(user_id):
            if any(subnet.overlaps(other) for other in taken):
                continue
            try:
                wanted = self._wanted(name, user_id, walls, subnet)
                made = await self._engine.call(partial(_make, wanted))
            except Refused as error:
                if "overlap" not in error.message.lower():
                    raise InstanceError(
                        f"the network {name} cannot be made: {error.message}"
                    ) from None
                taken.append(subnet)
                continue
            _log.info("network made", network=name, subnet=str(subnet))
            gateway = str(subnet.network_address + 1)
            return Network(made["Id"], name, user_id, gateway, walls, datetime.now(UTC))
        raise NoRoom(
            f"no subnet is left for {name} in {self._subnets}: set GROWQR_SUBNETS to a larger "
            "private network, or stop services that are not used"
        )

    def _wanted(
        self, name: str, user_id: str, walls: str, subnet: ipaddress.IPv4Network
    ) -> dict[str, Any]:
        block = f"{int(subnet.network_address) >> (32 - PREFIX_LENGTH):07x}"
        config = {"Subnet": str(subnet), "Gateway": str(subnet.network_address + 1)}
        return {
            "name": name, "driver": "bridge", "check_duplicate": True,
            "internal": walls == walls_of("none", "address"),
            "labels": {INSTANCE: self._instance, USER: user_id, WALLS: walls},
            "ipam": {"Driver": "default", "Config": [config]},
            "options": {
                f"{_BRIDGE}name": interfaces(self._instance) + block,
                # A published port needs a way in; without masquerade there is none out.
                f"{_BRIDGE}enable_ip_masquerade": "true" if walls.startswith("open") else "false",
                # A user's services have nothing to tell each other.
                f"{_BRIDGE}enable_icc": "false",
            },
        }  # fmt: skip

    async def _taken(self) -> list[ipaddress.IPv4Network]:
        found = []
        for network in await self._engine.call(lambda c: c.api.networks()):
            for config in network["IPAM"].get("Config") or []:
                subnet = ipaddress.ip_network(config["Subnet"], strict=False)
                if isinstance(subnet, ipaddress.IPv4Network):
                    found.append(subnet)
        return found

    def _candidates(self, user_id: str) -> Iterator[ipaddress.IPv4Network]:
        try:
            whole = ipaddress.IPv4Network(self._subnets, strict=False)
            count = 1 << (PREFIX_LENGTH - whole.prefixlen)
        except ValueError:  # a shift by less than nothing too
            raise InstanceError(
                f"GROWQR_SUBNETS is {self._subnets!r}; it must be an IPv4 network of at least "
                f"16 addresses, such as 10.199.0.0/16"
            ) from None
        first = int.from_bytes(hashlib.sha256(user_id.encode()).digest()[:8], "big")
        for step in range(count):
            at = whole.network_address + ((first + step) % count << (32 - PREFIX_LENGTH))
            yield ipaddress.IPv4Network((at, PREFIX_LENGTH))

    def _refuse_foreign(self, told: dict[str, Any]) -> None:
        if (told.get("Labels") or {}).get(INSTANCE) != self._instance:
            raise InstanceError(
                f"a network {told['Name']} is there and not of this instance: remove it, or set "
                "GROWQR_STACK_PREFIX to another name"
            )


def _make(wanted: dict[str, Any], client: Any) -> Any:
    return client.api.create_network(**wanted)


def _disconnect(client: Any, network: str, container: str) -> None:
    client.api.disconnect_container_from_network(container, network, force=True)


def _network(told: dict[str, Any]) -> Network:
    labels = told.get("Labels") or {}
    config = ((told.get("IPAM") or {}).get("Config") or [{}])[0]
    return Network(
        told["Id"], told["Name"], labels.get(USER, ""), config.get("Gateway", ""),
        labels.get(WALLS, ""), moment(told["Created"]),
    )  # fmt: skip


def moment(text: str) -> datetime:
    """A time as the engine writes it: with nanoseconds, which Python does not read."""
    head, _, rest = text.partition(".")
    digits = "".join(char for char in rest[:9] if char.isdigit())[:6]
    zone = "+00:00" if text.endswith("Z") else text[-6:]
    head = head.removesuffix("Z") if digits else head.removesuffix("Z").removesuffix(zone)
    return datetime.fromisoformat(f"{head}.{digits or '0':0<6}{zone}")
