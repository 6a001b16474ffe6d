"""Services as containers: each user's in a network of their own, behind every wall there is.

The engine is the truth: what runs, whose it is and from what it was made stands in its labels, so
another runtime of the same instance finds everything there. Other containers are left alone.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator

from growqr.config import Settings
from growqr.errors import GrowqrError, InstanceError
from growqr.logs import log
from growqr.stacks import ownership, probe
from growqr.stacks.base import ActualState, Health, Ran, ServiceSpec, ServiceStatus, Tell
from growqr.stacks.docker.container import Container
from growqr.stacks.docker.containers import Containers
from growqr.stacks.docker.engine import Engine
from growqr.stacks.docker.firewall import Firewall
from growqr.stacks.docker.images import Images
from growqr.stacks.docker.inside import execute
from growqr.stacks.docker.profile import HEALTH, NAME, SPEC, USER
from growqr.stacks.docker.starts import RelayLike, Starts
from growqr.stacks.docker.watch import Watch

START = 60.0
"""Seconds a service that was never well counts as starting, after the runtime was made anew."""

ATTEMPTS = 3
_POLL, _POLL_MOST = 0.02, 0.25
_log = log("stacks")


class DockerRuntime:
    """The services of one instance on one engine.

    instance_id: 12 hex digits that no other instance has. relay: None for one of its own.
    """

    def __init__(
        self, settings: Settings, instance_id: str, *, relay: RelayLike | None = None
    ) -> None:
        self._settings, self._instance = settings, instance_id
        self._engine = Engine()
        self._containers = Containers(self._engine, instance_id, settings.stack_prefix)
        self._relay = _relay(settings) if relay is None else relay
        self._places = Starts(self._engine, settings, instance_id, self._containers, self._relay)
        self._images = Images(self._engine, settings)
        self._firewall = Firewall(settings, instance_id)
        self._starts = asyncio.Semaphore(os.cpu_count() or 1)
        self._locks: dict[str, asyncio.Lock] = {}
        self._health: dict[str, Health] = {}
        self._well: dict[str, str] = {}  # name → the container that was ready once
        self._watches: list[Watch] = []
        self._seeing: asyncio.Task[None] | None = None
        self._ruling: asyncio.Future[None] | None = None
        self._begun = False

    async def ensure(self, spec: ServiceSpec, *, tell: Tell | None = None) -> ServiceStatus:
        """See Runtime. Raises ImageMissing, NoRoom and EngineUnavailable as well."""
        async with self._lock(spec.name):
            self._health[spec.name] = spec.health
            await self._begin()
            await asyncio.to_thread(self._folders, spec)
            there = await self._containers.find(spec.name)
            if there and there.alive and self._is(there, spec):
                if status := await self._settle(spec, there.id):
                    return status
            await self._images.ensure(spec.image, tell)
            async with self._starts:
                if there:
                    await self._containers.end(there)
                try:
                    return await self._start(spec)
                except InstanceError:
                    await self._places.leave(spec.user_id)
                    raise

    async def status(self, name: str) -> ServiceStatus:
        """See Runtime."""
        there = await self._containers.named(name)
        if there is None:
            return ServiceStatus(name, "absent")
        if there.state == "created":
            return self._status(there, "starting", "it was made and never started")
        if not there.alive:
            return self._status(there, "exited", await self._containers.last_words(there))
        if there.state == "paused":
            return self._status(there, "paused")
        if there.address(self._network(there)) is None:
            return self._status(there, "starting", "it is not connected to its network")
        return await self._asked(there)

    async def stop(self, name: str, *, pause: bool = False) -> None:
        """See Runtime."""
        async with self._lock(name):
            there = await self._containers.find(name)
            if there is None:
                return
            if pause and there.alive:
                await self._containers.quietly(lambda c: c.api.pause(there.id))
                return
            await self._containers.end(there)
            await self._places.leave(there.label(USER))

    async def remove(self, name: str) -> None:
        """See Runtime. A container's log goes with it."""
        await self.stop(name)
        self._health.pop(name, None)
        self._well.pop(name, None)

    async def events(self) -> AsyncIterator[str]:
        """See Runtime."""
        watch = Watch(self._instance, self._round)
        self._watches.append(watch)
        try:
            async for name in watch.names():
                yield name
        finally:
            self._watches.remove(watch)
            await watch.close()

    async def run(self, name: str, argv: tuple[str, ...], *, timeout: float = 30.0) -> Ran:
        """Run a program inside the service as its own user; waits until it has ended.

        Raises InstanceError when the service is not there or the time is over.
        """
        there = await self._containers.named(name)
        if there is None:
            raise InstanceError(f"the service {name} is not there")
        return await execute(self._engine, there.id, argv, timeout)

    async def close(self) -> None:
        """Let threads and connections go; the services run on."""
        for watch in list(self._watches):
            await watch.close()
        await self._images.close()
        if self._seeing is not None:
            self._seeing.cancel()
            await asyncio.wait([self._seeing])
        if self._ruling is not None:  # a thread is not cancelled: it would put rules back later
            await asyncio.wait([self._ruling])
        await self._relay.close()
        await self._engine.close()

    async def end_all(self) -> int:
        """End every service, network and rule of the instance; its folders stay. How many ended.

        It looks more than once: what the engine was told to make before may come to be meanwhile.
        """
        ended: set[str] = set()
        for _ in range(ATTEMPTS):
            listed = await self._containers.listed()
            services = {one["Labels"][NAME] for one in listed if NAME in one["Labels"]}
            if not services:
                break
            await asyncio.gather(*(self.stop(name) for name in services))
            ended |= services
        await self._places.leave_all()
        await self.forget_rules()
        return len(ended)

    async def forget_rules(self) -> None:
        """Take the firewall's rules away; for an instance that has no container any more."""
        await asyncio.to_thread(self._firewall.remove)

    async def _begin(self) -> None:
        """What must be so before a container runs."""
        if not self._begun:
            await self._places.survey()
            await asyncio.to_thread(self._firewall.ensure)
            self._begun = True

    async def _start(self, spec: ServiceSpec) -> ServiceStatus:
        for _ in range(ATTEMPTS):
            made = await self._places.launch(spec)
            if status := await self._settle(spec, made):
                return status
            await self._containers.discard(made)
        raise InstanceError(f"the network of {spec.name} is changed again and again")

    async def _settle(self, spec: ServiceSpec, container_id: str) -> ServiceStatus | None:
        """Wait until it is ready, has ended, or its time is over; None: it must be made anew."""
        loop = asyncio.get_running_loop()
        deadline, pause = loop.time() + spec.start_timeout, _POLL
        while True:
            there = await self._containers.inspect(container_id)
            if there is None:
                return ServiceStatus(spec.name, "exited", reason="it was removed as it started")
            if not there.alive:
                return self._status(there, "exited", await self._containers.last_words(there))
            if not await self._mend(there):
                return None
            try:
                if await self._is_well(there, spec.health):
                    return self._status(there, "ready")
            except probe.WrongVersion as error:
                await self._containers.discard(there.id)
                await self._places.leave(spec.user_id)
                return self._status(there, "exited", str(error))
            if loop.time() >= deadline:
                late = f"not ready after {spec.start_timeout:g} s"
                return self._status(there, "starting", late)
            await asyncio.sleep(pause)
            pause = min(pause * 1.5, _POLL_MOST)

    async def _mend(self, there: Container) -> bool:
        """Thaw it and connect it; False when only a new container will do."""
        if there.state == "paused":
            await self._containers.quietly(lambda c: c.api.unpause(there.id))
        return await self._places.connect(there, there.label(USER))

    async def _is_well(self, there: Container, health: Health) -> bool:
        address = there.address(self._network(there))
        if address is None or not await probe.answers(address, health):
            return False
        self._well[there.label(NAME)] = there.id
        return True

    async def _asked(self, there: Container) -> ServiceStatus:
        """One that runs, by what it answers."""
        name = there.label(NAME)
        health = self._health.get(name, Health(there.label(HEALTH) or "/"))
        try:
            if await self._is_well(there, health):
                return self._status(there, "ready")
        except probe.WrongVersion as error:
            return self._status(there, "unhealthy", str(error))
        begins = self._well.get(name) != there.id and there.age < START
        return self._status(there, "starting" if begins else "unhealthy", "no answer")

    def _is(self, there: Container, spec: ServiceSpec) -> bool:
        return there.label(SPEC) == spec.sha and self._places.fits(there)

    def _status(
        self, there: Container, state: ActualState, reason: str | None = None
    ) -> ServiceStatus:
        fits = self._places.fits(there)
        return there.status(state, self._network(there), reason, fits=fits)

    def _network(self, there: Container) -> str:
        return self._places.network(there.label(USER))

    def _folders(self, spec: ServiceSpec) -> None:
        """Make the folders and have them belong to who the service is inside.

        Only what lies among the users' folders: a path that is shown may be the system's own.
        """
        users = self._settings.users_folder
        for folder in (spec.home, spec.workdir, *spec.read_only):
            if not folder.exists():
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            if (real := folder.resolve()).is_relative_to(users.resolve()):
                ownership.give(real, ownership.of_containers(spec.user_id))

    async def _round(self) -> list[str]:
        """The names of the services that are there; networks and rules are seen to beside."""
        listed = await self._containers.listed()
        if self._seeing is None or self._seeing.done():
            users = {one["Labels"].get(USER, "") for one in listed}
            self._seeing = asyncio.create_task(self._see_to(users), name="networks and rules")
        return sorted({one["Labels"][NAME] for one in listed if NAME in one["Labels"]})

    async def _see_to(self, users: set[str]) -> None:
        try:
            self._ruling = asyncio.ensure_future(asyncio.to_thread(self._firewall.ensure))
            await asyncio.shield(self._ruling)
            await self._places.see_to(users)
        except GrowqrError as error:
            _log.warning("networks and rules", error=error.message)

    def _lock(self, name: str) -> asyncio.Lock:
        return self._locks.setdefault(name, asyncio.Lock())


def _relay(settings: Settings) -> RelayLike:
    from growqr.stacks.gate.relay import Relay  # its server is for hosts alone

    return Relay(settings)
