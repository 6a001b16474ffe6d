"""Brings users' services to what is wanted: whose turn it is, and as whom.

Level-triggered: hints only say where to look soon. One reconciler per user at a time, the holder of
`stack:<user>`; what is done then is in converge.py, and why in rules.py.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Final

from growqr import names
from growqr.directory import Fence
from growqr.errors import Fenced, GrowqrError, Unavailable
from growqr.logs import log
from growqr.stacks.base import Runtime
from growqr.stacks.converge import Convergence, MakeSpec, Wake
from growqr.stacks.leased import leased
from growqr.stacks.looks import Looks

if TYPE_CHECKING:
    from growqr.store import Service, Store

Measure = Callable[[str], Awaitable[str | None]]
"""user id → how much too much the user's folders hold, in words; None when that is fine."""

WORKERS: Final = 64
"""Users looked after side by side. A start keeps its worker for as long as it waits and takes, and
the runtime bounds how many start at once: these must not keep all others waiting."""

STEP: Final = 300.0
"""Seconds one look at a service may take, its start or end included: what hangs in the runtime must
keep neither the user's lease nor a worker for ever."""

GRACE: Final = 60.0
"""Seconds for which a service that nobody knows may be there before it is removed."""

MEASURE_EVERY: Final = 60.0
"""Seconds between two looks at how much the users' folders hold."""

_POLL, _ROUND = 1.0, 30.0
_log = log("stacks")


class Reconciler:
    """Keeps the services of one host as the store wants them."""

    def __init__(
        self,
        store: Store,
        runtime: Runtime,
        specs: Mapping[str, MakeSpec],
        *,
        holder: str,
        ttl: float = 10.0,
        idle: float = 600.0,
        paused: float = 1800.0,
        wake: Wake | None = None,
        measure: Measure | None = None,
    ) -> None:
        """idle: seconds until an unused service is paused; paused: until it is then stopped.

        wake: how an awake Grow Agent hears that there is something to decide.
        """
        self._store, self._runtime, self._specs = store, runtime, specs
        self._holder, self._ttl, self._idle, self._paused = holder, ttl, idle, paused
        self._measure = measure
        self._hints = store.hints("stack")
        self._converge = Convergence(
            store, runtime, specs, again=self._hints.add, wake=wake, idle=idle, paused=paused
        )
        self._full: dict[str, str] = {}  # service → what its user holds too much
        self._unknown: dict[str, float] = {}
        self._user_of: dict[str, str] = {}  # what was removed says no more whose it was
        self._sweeping_until = 0.0

    async def run(self) -> None:
        """Reconcile on hints, each second what is due, each 30 s all. Ends by cancellation."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._hints.hear())
            group.create_task(self._watch())
            group.create_task(_every(_POLL, self._poll))
            group.create_task(_every(_ROUND, self._round))
            group.create_task(_every(MEASURE_EVERY, self._weigh))
            for _ in range(WORKERS):
                group.create_task(self._hints.work(self._attempt))

    async def step(self, user_id: str) -> bool:
        """Look once at each service of the user; False when another reconciler has the lease.

        Raises Fenced when the lease was lost meanwhile, Unavailable when the store is away.
        """
        async with leased(self._store, user_id, holder=self._holder, ttl=self._ttl) as fence:
            if fence is None:
                return False
            with self._hints.about(user_id) as hinted:
                services, look = self._store.services, partial(self._look, fence)
                await Looks(partial(services.of, user_id), look, hinted).run()
            return True

    async def _look(self, fence: Fence, service: Service) -> None:
        name = names.service(service.role, service.user_id)
        self._user_of[name] = service.user_id
        full = self._full.pop(name, None)
        try:
            async with asyncio.timeout(STEP):
                if service.role not in self._specs:
                    await self._converge.put_away(fence, service)
                elif full and (service.desired, service.state) == ("ready", "ready"):
                    await self._converge.stop_full(fence, service, full)
                else:
                    await self._converge.look(fence, service)
        except TimeoutError:
            _log.error("service", service=name, error=f"nothing came of it within {STEP:g} s")

    async def _watch(self) -> None:
        """The runtime's news, for ever."""
        while True:
            try:
                async for name in self._runtime.events():
                    await self._told_of(name)
            except Unavailable:
                pass  # the rounds see what is missed
            await asyncio.sleep(_POLL)

    async def _told_of(self, name: str) -> None:
        """Hint at its user; a service that nobody knows is removed once it is not new any more.

        One that is known is not asked here: it may be deaf, and other news must not wait for it.
        """
        if user_id := self._user_of.get(name):
            return self._hints.add(user_id)
        try:
            status = await self._runtime.status(name)
            known = await self._store.services.get(status.user_id, status.role)
            if known or status.state == "absent":
                self._unknown.pop(name, None)
            elif time.monotonic() - self._unknown.setdefault(name, time.monotonic()) >= self._grace:
                _log.warning("removing a service that nobody knows", service=name)
                await self._runtime.remove(name)
                self._unknown.pop(name, None)
            if known:
                self._user_of[name] = known.user_id
                self._hints.add(known.user_id)
        except Unavailable:
            pass  # it is asked about again
        except Exception as error:  # noqa: BLE001 one service must not stop the others'
            known_error = isinstance(error, GrowqrError)
            _log.error("service", service=name, error=str(error), exc_info=not known_error)

    @property
    def _grace(self) -> float:
        return 0.0 if time.monotonic() < self._sweeping_until else GRACE

    async def _sweep(self) -> None:
        """Somebody asked for it: for a while no service that nobody knows is given any grace."""
        self._sweeping_until = time.monotonic() + GRACE
        for name in list(self._unknown):
            await self._told_of(name)

    async def _poll(self) -> None:
        due = await self._store.services.due(100, idle=self._idle, paused=self._paused)
        for service in due:
            self._hints.add(service.user_id)

    async def _round(self) -> None:
        for name in list(self._unknown):
            await self._told_of(name)
        for user_id in await self._store.services.users():
            self._hints.add(user_id)

    async def _weigh(self) -> None:
        """Whose folders hold too much: their services are ended at the next look."""
        if self._measure is None:
            return
        for user_id in await self._store.services.users_ready():
            if reason := await self._measure(user_id):
                self._full |= {names.service(role, user_id): reason for role in self._specs}
                self._hints.add(user_id)

    async def _attempt(self, user_id: str) -> None:
        """One step; what it cannot do stops no other user's."""
        if user_id == names.EVERYBODY:
            return await self._sweep()
        try:
            if await self.step(user_id):
                return
        except (Fenced, Unavailable):
            pass
        except Exception as error:  # noqa: BLE001 one user's service must not stop the others'
            known = isinstance(error, GrowqrError)
            _log.error("stack", user_id=user_id, error=str(error), exc_info=not known)
            return
        # Somebody else's now, perhaps of one who has died: the hint is not lost with it.
        asyncio.get_running_loop().call_later(_POLL, self._hints.add, user_id)


async def _every(seconds: float, do: Callable[[], Awaitable[None]]) -> None:
    while True:
        try:
            await do()
        except Unavailable:
            pass  # the next time asks again
        await asyncio.sleep(seconds)
