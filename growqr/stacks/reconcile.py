"""Brings a user's services to what is wanted: one step at a time, from what is there.

Level-triggered: a step looks at the store's wish and the runtime's truth, never at what happened
before, so a lost hint, a crash in mid-step and a service somebody killed all end alike. One
reconciler per user, the holder of `stack:<user>`.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from growqr import names
from growqr.directory import Fence
from growqr.errors import Conflict, Fenced, GrowqrError, InstanceError, Unavailable
from growqr.logs import log
from growqr.stacks.base import Runtime, ServiceSpec, ServiceStatus

if TYPE_CHECKING:
    from growqr.store import Service, Store

MakeSpec = Callable[[str, int], ServiceSpec]
"""(user id, generation) → the spec of one role. Raises InstanceError when it cannot be had."""

WORKERS: Final = 8
"""Users looked after side by side; the runtime itself bounds how many start at once."""

FREE_TRIES: Final = 3
PAUSES: Final = (60.0, 300.0, 900.0)
"""The third failure and those after it are followed by these pauses, in seconds."""

WINDOW: Final = 600.0
"""Seconds a service must have been well for its former failures not to count any more."""

PATIENCE: Final = 15.0
"""Seconds a service may answer nothing before it is ended and started again."""

STEP: Final = 300.0
"""Seconds one look at a user's services may take, their starts and ends included: what hangs in the
runtime must keep neither the user's lease nor a worker for ever."""

_POLL, _ROUND, _TRY_AGAIN = 1.0, 30.0, 60.0
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
    ) -> None:
        self._store, self._runtime, self._specs = store, runtime, specs
        self._holder, self._ttl, self._idle = holder, ttl, idle
        self._hints = store.hints("stack")

    async def run(self) -> None:
        """Reconcile on hints, each second what is due, each 30 s all. Ends by cancellation."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._hints.hear())
            group.create_task(self._watch())
            group.create_task(self._poll())
            group.create_task(self._round())
            for _ in range(WORKERS):
                group.create_task(self._hints.work(self._attempt))

    async def step(self, user_id: str) -> bool:
        """Look once at each service of the user; False when another reconciler has the lease.

        Raises Fenced when the lease was lost meanwhile, Unavailable when the store is away.
        """
        async with self._leased(user_id) as fence:
            if fence is None:
                return False
            for service in await self._store.services.of(user_id):
                if service.role in self._specs:
                    await self._converge(fence, service)
            return True

    async def _converge(self, fence: Fence, service: Service) -> None:
        name = names.service(service.role, service.user_id)
        status = await self._runtime.status(name)
        if service.desired == "stopped" or await self._unused(service):
            await self._stop(fence, service, status)
        elif status.state == "exited":
            await self._failed(fence, service, status.reason or "it ended")
        elif service.state in ("backoff", "failed") and not _over(service):
            return
        elif status.state == "absent":
            await self._start(fence, service)
        else:
            await self._keep(fence, service, status)

    async def _keep(self, fence: Fence, service: Service, status: ServiceStatus) -> None:
        """One that runs: is it the right one, and is it well?"""
        try:
            spec = self._specs[service.role](service.user_id, service.generation)
        except InstanceError as error:
            _log.warning("spec cannot be made", service=status.name, error=error.message)
            return
        if status.generation != service.generation or status.spec_sha != spec.sha:
            await self._start(fence, service)
        elif status.state == "ready":
            await self._well(fence, service, status)
        elif status.state == "starting":
            await self._bring_up(fence, service, spec)
        elif service.state == "unhealthy" and _age(service.updated_at) > PATIENCE:
            await self._runtime.stop(status.name)
            await self._failed(fence, service, status.reason or "no answer")
        else:
            await self._store.services.observe(
                fence, service, state="unhealthy", address=status.address, reason=status.reason
            )

    async def _start(self, fence: Fence, service: Service) -> None:
        """A fresh start: a new generation, known to the store before anything runs."""
        generation = service.generation + 1
        try:
            spec = self._specs[service.role](service.user_id, generation)
        except InstanceError as error:
            await self._store.services.observe(
                fence, service, state="failed", reason=error.message, retry=_TRY_AGAIN
            )
            return
        await self._store.services.observe(
            fence, service, state="starting", generation=generation, spec_sha=spec.sha
        )
        service = service._replace(state="starting", generation=generation, spec_sha=spec.sha)
        await self._bring_up(fence, service, spec)

    async def _bring_up(self, fence: Fence, service: Service, spec: ServiceSpec) -> None:
        try:
            status = await self._runtime.ensure(spec)
        except Conflict as error:
            await self._store.services.observe(
                fence, service, state="failed", reason=error.message, retry=_TRY_AGAIN
            )
            return
        except (InstanceError, OSError) as error:
            await self._failed(fence, service, str(error))
            return
        if status.state == "ready":
            await self._well(fence, service, status)
            return
        await self._runtime.stop(spec.name)
        await self._failed(fence, service, status.reason or "it did not become ready")

    async def _well(self, fence: Fence, service: Service, status: ServiceStatus) -> None:
        fine = service.state == "ready" and _age(service.updated_at) > WINDOW
        await self._store.services.observe(
            fence, service, state="ready", address=status.address, spec_sha=status.spec_sha,
            failures=0 if fine else service.failures,
        )  # fmt: skip

    async def _failed(self, fence: Fence, service: Service, reason: str) -> None:
        """It ended by itself, or never became ready: again at once, from the third time later."""
        await self._runtime.stop(names.service(service.role, service.user_id))
        lasting = service.state == "ready" and _age(service.updated_at) > WINDOW
        failures = 1 if lasting else service.failures + 1
        pause = 0.0 if failures < FREE_TRIES else PAUSES[min(failures - FREE_TRIES, 2)]
        _log.warning("service failed", user_id=service.user_id, role=service.role, reason=reason)
        await self._store.services.observe(
            fence, service, state="backoff" if pause else "unhealthy", reason=reason,
            failures=failures, retry=pause or None,
        )  # fmt: skip
        if not pause:
            self._hints.add(service.user_id)

    async def _stop(self, fence: Fence, service: Service, status: ServiceStatus) -> None:
        if status.state != "absent":
            await self._store.services.observe(
                fence, service, state="stopping", address=status.address
            )
            await self._runtime.stop(status.name)
            service = service._replace(state="stopping")
        if service.state not in ("stopped", "absent") or service.desired != "stopped":
            await self._store.services.observe(
                fence, service, state="stopped", desired="stopped", failures=0
            )

    async def _unused(self, service: Service) -> bool:
        """Asks the store only where its clock may say so."""
        if _age(service.used_at) < self._idle / 2:
            return False
        return await self._store.services.is_idle(service.user_id, service.role, idle=self._idle)

    @asynccontextmanager
    async def _leased(self, user_id: str) -> AsyncIterator[Fence | None]:
        """The user's lease for as long as the block takes; None when somebody else has it."""
        fence = await self._store.leases.acquire(
            names.stack(user_id), user_id=user_id, holder=self._holder, ttl=self._ttl
        )
        if fence is None:
            yield None
            return
        owner = asyncio.current_task()
        assert owner is not None
        renewal = asyncio.create_task(self._renew(fence, owner))
        try:
            yield fence
        except asyncio.CancelledError:
            if renewal.done():  # it was the renewal that cancelled: the lease has passed on
                owner.uncancel()
                raise Fenced(f"the lease {fence.key} was lost") from None
            raise
        finally:
            renewal.cancel()
            await self._store.leases.release(fence)

    async def _renew(self, fence: Fence, owner: asyncio.Task[object]) -> None:
        """Keep the lease; without it no further effect may happen, so the owner is cancelled."""
        left = self._ttl
        while True:
            await asyncio.sleep(self._ttl / 3)
            try:
                held = await self._store.leases.renew(fence, ttl=self._ttl)
                left = self._ttl
            except Unavailable:
                left -= self._ttl / 3
                held = left > 0
            if not held:
                owner.cancel()
                return

    async def _watch(self) -> None:
        """The runtime's news. A service of a user the store does not know is removed."""
        async for name in self._runtime.events():
            try:
                status = await self._runtime.status(name)
                known = await self._store.services.get(status.user_id, status.role)
                if known:
                    self._hints.add(status.user_id)
                elif status.state != "absent":
                    await self._runtime.remove(name)
            except Unavailable:
                continue  # the next round asks again

    async def _poll(self) -> None:
        while True:
            try:
                for service in await self._store.services.due(100, idle=self._idle):
                    self._hints.add(service.user_id)
            except Unavailable:
                pass  # the next second asks again
            await asyncio.sleep(_POLL)

    async def _round(self) -> None:
        while True:
            try:
                for user_id in await self._store.services.users():
                    self._hints.add(user_id)
            except Unavailable:
                pass
            await asyncio.sleep(_ROUND)

    async def _attempt(self, user_id: str) -> None:
        """One step; what it cannot do stops no other user's."""
        try:
            async with asyncio.timeout(STEP):
                await self.step(user_id)
        except TimeoutError:
            _log.error("stack", user_id=user_id, error=f"no step within {STEP:g} s")
        except (Fenced, Unavailable):
            pass  # somebody else's now, or asked again in a second
        except Exception as error:  # noqa: BLE001 one user's service must not stop the others'
            known = isinstance(error, GrowqrError)
            _log.error("stack", user_id=user_id, error=str(error), exc_info=not known)


def _age(then: datetime) -> float:
    return (datetime.now(UTC) - then).total_seconds()


def _over(service: Service) -> bool:
    return service.retry_at is None or service.retry_at <= datetime.now(UTC)
