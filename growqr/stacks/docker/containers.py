"""The containers of one instance on its engine: found by label, made, moved aside, ended."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

from growqr.errors import InstanceError
from growqr.logs import blank, log
from growqr.stacks.base import ServiceSpec
from growqr.stacks.docker.container import Container
from growqr.stacks.docker.engine import Absent, Engine, Refused, Taken
from growqr.stacks.docker.profile import INSTANCE, NAME, USER, Place, arguments

GRACE = 5
"""Seconds between asking a service to end and ending it."""

_LAST_LINES = 6
_log = log("stacks")


class Containers:
    """`name`: how a service of that name is called on the engine."""

    def __init__(self, engine: Engine, instance: str, prefix: str) -> None:
        self._engine, self._instance, self._prefix = engine, instance, prefix

    def name(self, service: str) -> str:
        """What the container of a service is called; the name is the lock on making it."""
        return service.replace("growqr", self._prefix, 1)

    async def listed(self, **labels: str) -> list[dict[str, Any]]:
        """What the engine lists of this instance, all states."""
        wanted = {INSTANCE: self._instance} | labels
        filters = {"label": [f"{name}={value}" for name, value in wanted.items()]}
        told = await self._engine.call(lambda c: c.api.containers(all=True, filters=filters))
        return [dict(one) for one in told]

    async def of_user(self, user_id: str) -> list[dict[str, Any]]:
        """What the engine lists of one user."""
        return await self.listed(**{USER: user_id})

    async def named(self, service: str) -> Container | None:
        """Ours under the service's own name, if it is there."""
        there = await self.inspect(self.name(service))
        ours = there is not None and there.label(INSTANCE) == self._instance
        return there if ours and there and there.state != "removing" else None

    async def find(self, service: str) -> Container | None:
        """Ours by label. Under another name it is a copy, which is removed."""
        right = None
        for one in await self.listed(**{NAME: service}):
            there = await self.inspect(one["Id"])
            if there is None:
                continue
            if there.name == self.name(service):
                right = there
            else:
                _log.warning("a copy is removed", service=service, container=there.name)
                await self.discard(there.id)
        return right

    async def inspect(self, name_or_id: str) -> Container | None:
        """Any container."""
        try:
            return Container(await self._engine.call(lambda c: c.api.inspect_container(name_or_id)))
        except Absent:
            return None

    async def create(self, spec: ServiceSpec, place: Place) -> str:
        """Make and start it; its id. What cannot be started is not left behind.

        Raises InstanceError when the name is another instance's, Refused.
        """
        for _ in range(3):
            try:
                return str(await self._engine.call(lambda c: _create(c, spec, place)))
            except Taken as error:
                if "already in use by container" not in error.message:
                    raise
                await self._make_way(place.name)
        raise InstanceError(f"the name {place.name} is taken again and again")

    async def end(self, there: Container) -> None:
        """Ask it to end, end it, and remove it with what was only its own."""
        if there.state == "paused":
            await self.quietly(lambda c: c.api.unpause(there.id))  # frozen, it hears no signal
        if there.alive:
            await self.quietly(lambda c: c.api.stop(there.id, timeout=GRACE))
        await self.discard(there.id)

    async def discard(self, container_id: str) -> None:
        """Remove it as it is."""
        await self.quietly(lambda c: c.api.remove_container(container_id, v=True, force=True))

    async def quietly(self, what: Callable[[Any], Any]) -> None:
        """A call that is fine where it is not needed any more."""
        with contextlib.suppress(Absent, Taken):
            await self._engine.call(what)

    async def last_words(self, there: Container) -> str:
        """How it ended, and the last lines it wrote."""
        try:
            told = await self._engine.call(lambda c: c.api.logs(there.id, tail=_LAST_LINES))
        except Refused:
            told = b""
        words = blank(" ".join(told.decode(errors="replace").split()))[-400:]
        return f"{there.end}: {words}" if words else there.end

    async def _make_way(self, name: str) -> None:
        """Somebody's container has our name: it keeps running under another one."""
        there = await self.inspect(name)
        if there is None:
            return
        owner = there.label(INSTANCE)
        if owner == self._instance:  # left by a start that nobody waited for
            await self.discard(there.id)
            return
        if owner:
            raise InstanceError(
                f"the container {name} is another instance's: set GROWQR_STACK_PREFIX to another "
                "name in one of the two"
            )
        aside = f"{name}.former-{there.id[:12]}"
        _log.warning("a container that is not ours had our name", container=name, now=aside)
        await self._engine.call(lambda c: c.api.rename(there.id, aside))


def _create(client: Any, spec: ServiceSpec, place: Place) -> str:
    """In one thread, so that nobody who stops waiting leaves it half done."""
    made = client.containers.create(**arguments(spec, place))
    try:
        made.start()
    except Exception:
        with contextlib.suppress(Exception):  # the first error tells more
            made.remove(force=True, v=True)
        raise
    return str(made.id)
