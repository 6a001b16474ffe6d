"""Where a new container goes: its user's network, the relay beside it, its port if it needs one.

How containers are reached is found out by the first that runs, and then holds.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from typing import Protocol

from growqr.config import Settings
from growqr.errors import InstanceError
from growqr.logs import log
from growqr.stacks import ownership, probe
from growqr.stacks.base import ServiceSpec
from growqr.stacks.docker.container import Container, folders
from growqr.stacks.docker.containers import Containers
from growqr.stacks.docker.engine import Engine, Refused
from growqr.stacks.docker.networks import Network, Networks, is_ours, walls_of
from growqr.stacks.docker.profile import USER, WALLS, Place
from growqr.stacks.docker.published import PublishedPorts

ORPHAN = 60.0
"""Seconds an empty network is taken for one that somebody is about to use."""

PATIENCE = 20
"""Quarters of a second for which a Host that just died may still hold the relay's port."""

_log = log("stacks")


class RelayLike(Protocol):
    """What containers reach of the machine; see Relay."""

    async def listen(self, address: str) -> None:
        """Listen there too; fine when it does already."""

    async def leave(self, address: str) -> None:
        """Listen there no more."""

    async def close(self) -> None:
        """Listen nowhere."""


class Starts:
    """The places of one instance's containers."""

    def __init__(
        self, engine: Engine, settings: Settings, instance: str,
        containers: Containers, relay: RelayLike,
    ) -> None:  # fmt: skip
        self._engine, self._settings, self._instance = engine, settings, instance
        self._containers, self._relay = containers, relay
        self._networks = Networks(engine, settings, instance)
        self._ports = PublishedPorts(engine, settings)
        self._users: dict[str, asyncio.Lock] = {}
        self._reach = None if settings.reach == "auto" else str(settings.reach)
        self._cores = 1.0

    def network(self, user_id: str) -> str:
        """Name of the user's network."""
        return self._networks.name(user_id)

    def fits(self, there: Container) -> bool:
        """Whether it still has the folders it was given, who they belong to, and a network as the
        settings want."""
        reach = (self._reach,) if self._reach else ("address", "port")
        walls = [walls_of(self._settings.egress, one) for one in reach]
        owner = "{}:{}".format(*ownership.of_containers(there.label(USER)))
        return there.label(WALLS) in walls and there.user == owner and there.same_folders

    async def survey(self) -> None:
        """Ask the engine what it has; before the first start."""
        self._cores = float((await self._engine.call(lambda c: c.api.info()))["NCPU"])

    async def launch(self, spec: ServiceSpec) -> str:
        """A container that has been started; its id. Raises NoRoom, InstanceError."""
        while True:
            reach = self._reach or "address"
            made = await self._made(spec, reach)
            if self._reach is None:
                await self._find_out(made, spec.user_id)
            if self._reach in (None, reach):
                return made
            await self._containers.discard(made)

    async def connect(self, there: Container, user_id: str) -> bool:
        """Have it in its network again; False when only a new container will do."""
        if there.ip(self.network(user_id)):
            return True
        async with self._user(user_id):
            network = await self._networks.ensure(user_id, there.label(WALLS))
            if there.gate not in (await self._gate(network), "host-gateway"):
                return False  # another subnet: it would look for the relay in the old one
            await self._containers.quietly(
                lambda c: c.api.connect_container_to_network(there.id, network.id)
            )
        return True

    async def leave(self, user_id: str) -> None:
        """Remove the user's network unless a container of theirs is left."""
        async with self._user(user_id):
            if await self._containers.of_user(user_id):
                return
            for network in await self._networks.all():
                if network.user_id == user_id and await self._networks.remove(network.id):
                    await self._relay.leave(network.gateway)

    async def leave_all(self) -> None:
        """Remove each network in which no container is left, however new it is."""
        for network in await self._networks.all():
            await self.leave(network.user_id)

    async def see_to(self, users: set[str]) -> None:
        """The networks of these users have the relay; those of nobody go."""
        for network in await self._networks.all():
            if network.user_id in users:
                await self._gate(network)
            elif (datetime.now(UTC) - network.created).total_seconds() > ORPHAN:
                await self.leave(network.user_id)

    async def _made(self, spec: ServiceSpec, reach: str) -> str:
        refused: set[int] = set()
        async with self._user(spec.user_id):
            walls = walls_of(self._settings.egress, reach)
            network = await self._networks.ensure(spec.user_id, walls)
            place = await self._place(spec, network)
            if reach == "address":
                return await self._containers.create(spec, place)
            while True:
                async with self._ports.one(refused) as port:
                    try:
                        return await self._containers.create(spec, replace(place, published=port))
                    except Refused as error:
                        if not _port_is_taken(error):
                            raise
                        refused.add(port)

    async def _place(self, spec: ServiceSpec, network: Network) -> Place:
        paths = [str(spec.home), str(spec.workdir)]
        return Place(
            name=self._containers.name(spec.name), instance=self._instance, network=network.name,
            gate=await self._gate(network), owner=ownership.of_containers(spec.user_id),
            cores=self._cores, walls=network.walls,
            folders=await asyncio.to_thread(folders, paths),
        )  # fmt: skip

    async def _gate(self, network: Network) -> str:
        """Have the relay listen for this network; where its containers find it."""
        ours = is_ours(network.gateway)
        address = network.gateway if ours else "127.0.0.1"
        for _ in range(PATIENCE):
            try:
                await self._relay.listen(address)
                break
            except InstanceError:
                await asyncio.sleep(0.25)
        else:
            await self._relay.listen(address)
        return network.gateway if ours else "host-gateway"

    async def _find_out(self, container_id: str, user_id: str) -> None:
        there = await self._containers.inspect(container_id)
        address = there.address(self.network(user_id)) if there else None
        if address is None:
            return  # it has ended already: the next one tells
        reach = "address" if await probe.reaches(address) else "port"
        if self._reach is None:
            self._reach = reach
            _log.info("containers are reached", by=reach)

    def _user(self, user_id: str) -> asyncio.Lock:
        """One at a time: no network goes between its making and its first container."""
        return self._users.setdefault(user_id, asyncio.Lock())


def _port_is_taken(error: Refused) -> bool:
    words = error.message.lower()
    return "port is already allocated" in words or "address already in use" in words
