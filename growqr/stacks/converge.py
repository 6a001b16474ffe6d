"""One look at one service: from what is wanted and what is there, the one thing to do now.

It looks at the store's row and at the runtime's truth, never at what happened before, so a lost
hint, a crash in mid-step and a service somebody killed all end alike.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from growqr import names
from growqr.directory import Fence, Lease
from growqr.errors import Conflict, InstanceError, StoreUnavailable, Unavailable
from growqr.logs import log
from growqr.stacks import rules
from growqr.stacks.base import Runtime, ServiceSpec, ServiceStatus
from growqr.stacks.progress import Progress
from growqr.states import decide

if TYPE_CHECKING:
    from growqr.store import Service, Store

MakeSpec = Callable[[str, int], ServiceSpec]
"""(user id, generation) → the spec of one role. Raises InstanceError when it cannot be had."""

Wake = Callable[[Lease], Awaitable[None]]
"""Tells the holder of a live lease that there is something for it."""

PATIENCE: Final = 15.0
"""Seconds a service may answer nothing before it is taken for ended, counted anew whenever the
runtime itself was away."""

DECIDING: Final = 1.0
"""Seconds an awake Grow Agent has for deciding; then we do in its stead."""

_TRY_AGAIN: Final = 60.0
_log = log("stacks")


class Convergence:
    """Every method works as the holder of `fence`, the lease on the user's services."""

    def __init__(
        self,
        store: Store,
        runtime: Runtime,
        specs: Mapping[str, MakeSpec],
        *,
        again: Callable[[str], None],
        wake: Wake | None,
        idle: float,
        paused: float,
    ) -> None:
        """`again(user)`: have the user's services looked at soon."""
        self._store, self._runtime, self._specs = store, runtime, specs
        self._again, self._wake = again, wake
        self._idle, self._paused = idle, paused
        self._away_at = -PATIENCE

    async def look(self, fence: Fence, service: Service) -> None:
        """Do what is to be done about it now. Raises Fenced, StoreUnavailable."""
        try:
            await self._converge(fence, service)
        except StoreUnavailable:
            raise
        except Unavailable as error:
            await self._away(fence, service, error.message)

    async def stop_full(self, fence: Fence, service: Service, reason: str) -> None:
        """End one whose folders hold too much; it is tried again after a pause."""
        strike = await self._strike(service, at_once=True)
        await self._runtime.stop(names.service(service.role, service.user_id))
        await self._store.services.observe(
            fence, service, state="failed", reason=reason, retry=strike.pause,
            failures=strike.failures, failed_at=strike.failed_at,
        )  # fmt: skip

    async def put_away(self, fence: Fence, service: Service) -> None:
        """End one that this instance has no more, such as a Gitea that was switched off."""
        await self._runtime.stop(names.service(service.role, service.user_id))
        await self._store.services.observe(fence, service, state="stopped", desired="stopped")

    async def _converge(self, fence: Fence, service: Service) -> None:
        status = await self._runtime.status(names.service(service.role, service.user_id))
        if service.desired == "stopped":
            await self._stop(fence, service, status)
        elif service.decision is not None and service.state != "backoff":
            await self._as_decided(fence, service, status)
        elif rules.held_back(service, _now()):
            if status.state != "absent":
                await self._runtime.stop(status.name)
        elif reason := rules.ended(service, status):
            await self._ended(fence, service, status, reason)
        elif (rest := await self._rest_of(service)) != "none":
            await self._rest(fence, service, status, rest)
        elif status.state == "exited" and status.generation == service.generation:
            await self._failed(fence, service, status.reason or "it ended")
        elif status.state in ("absent", "exited"):
            await self._start(fence, service)
        else:
            await self._keep(fence, service, status)

    async def _keep(self, fence: Fence, service: Service, status: ServiceStatus) -> None:
        """One that is there: is it the right one, and is it well?"""
        try:
            spec = self._specs[service.role](service.user_id, service.generation)
        except InstanceError as error:
            _log.warning("spec cannot be made", service=status.name, error=error.message)
            return
        if status.spec_sha is None or status.generation != service.generation:
            await self._start(fence, service)
        elif status.spec_sha != spec.sha and not await self._at_work(service, status):
            await self._start(fence, service)
        elif status.state in ("starting", "paused"):
            await self._bring_up(fence, service, spec)
        elif status.state == "ready":
            await self._well(fence, service, status)
        elif self._out_of_patience(service):
            await self._ended(fence, service, status, status.reason or "no answer")
        else:
            await self._store.services.observe(
                fence, service, state="unhealthy", address=status.address, reason=status.reason
            )

    async def _at_work(self, service: Service, status: ServiceStatus) -> bool:
        """Whether making it anew would cut somebody's work; then it goes on as it is."""
        in_use = self._store.services.in_use
        return status.state == "ready" and await in_use(service.user_id, service.role, within=0)

    def _out_of_patience(self, service: Service) -> bool:
        silent = min(_age(service.updated_at), time.monotonic() - self._away_at)
        return service.state == "unhealthy" and silent > PATIENCE

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
        service = service._replace(
            state="starting", generation=generation, spec_sha=spec.sha, reason=None
        )
        await self._bring_up(fence, service, spec)

    async def _bring_up(self, fence: Fence, service: Service, spec: ServiceSpec) -> None:
        observe = self._store.services.observe
        try:
            async with Progress(
                lambda text: observe(fence, service, state="starting", reason=text)
            ) as tell:
                status = await self._runtime.ensure(spec, tell=tell)
        except Conflict as error:
            await observe(fence, service, state="failed", reason=error.message, retry=_TRY_AGAIN)
            return
        except (InstanceError, OSError) as error:
            await self._failed(fence, service, str(error))
            return
        if status.state == "ready":
            await self._well(fence, service, status)
        else:
            await self._failed(fence, service, status.reason or "it did not become ready")

    async def _well(self, fence: Fence, service: Service, status: ServiceStatus) -> None:
        fine = rules.lasted(service, _now())
        await self._store.services.observe(
            fence, service, state="ready", address=status.address, spec_sha=status.spec_sha,
            failures=0 if fine else None, failed_at=[] if fine else None,
        )  # fmt: skip

    async def _failed(self, fence: Fence, service: Service, reason: str) -> None:
        """It never became ready: again at once, or after a pause when that happens often."""
        await self._runtime.stop(names.service(service.role, service.user_id))
        strike = await self._strike(service)
        _log.warning("service failed", user_id=service.user_id, role=service.role, reason=reason)
        await self._store.services.observe(
            fence, service, state="backoff" if strike.pause else "unhealthy", reason=reason,
            failures=strike.failures, failed_at=strike.failed_at, retry=strike.pause or None,
        )  # fmt: skip
        if not strike.pause:
            self._again(service.user_id)

    async def _ended(
        self, fence: Fence, service: Service, status: ServiceStatus, reason: str
    ) -> None:
        """It was well and is not any more: recorded, and then to be decided about.

        One that is gone without a trace was taken away, which is no failure of its own.
        """
        _log.warning("service ended", user_id=service.user_id, role=service.role, reason=reason)
        strike = None if status.state == "absent" else await self._strike(service)
        await self._store.services.observe(
            fence, service, state="unhealthy", reason=reason, decision="open",
            failures=strike and strike.failures, failed_at=strike and strike.failed_at,
            retry=(strike and strike.pause) or None,
        )  # fmt: skip
        if found := await self._store.services.get(service.user_id, service.role):
            await self._as_decided(fence, found, status)

    async def _strike(self, service: Service, *, at_once: bool = False) -> rules.Strike:
        """A failure, counted on top of what counts by now: a wish may have forgiven the others."""
        found = await self._store.services.get(service.user_id, service.role)
        return rules.strike(found or service, _now(), at_once=at_once)

    async def _as_decided(self, fence: Fence, service: Service, status: ServiceStatus) -> None:
        """Do what was decided about one that ended by itself; see that it is decided."""
        match service.decision:
            case "open":
                await self._decide(fence, service, status)
            case "restart":
                await self._start(fence, service)
            case "wait":
                left = rules.seconds_until(service.retry_at, _now())
                await self._runtime.stop(status.name)
                await self._store.services.observe(
                    fence, service, state="backoff", reason=service.reason, retry=left,
                    decision="wait",
                )  # fmt: skip
            case _:
                await self._runtime.stop(status.name)
                await self._store.services.observe(
                    fence, service, state="stopped", reason=service.reason, decision="leave",
                    unused=True,
                )  # fmt: skip

    async def _decide(self, fence: Fence, service: Service, status: ServiceStatus) -> None:
        """The user's Grow Agent decides when it is awake and quick, else we do."""
        left = DECIDING - _age(service.updated_at)
        lease = await self._store.leases.get(names.grow_agent(service.user_id))
        if self._wake and left > 0 and lease and lease.live:
            asyncio.get_running_loop().call_later(left, self._again, service.user_id)
            with suppress(TimeoutError):  # whoever carries the hint may hang, too
                async with asyncio.timeout(left):
                    await self._wake(lease)
            return
        services = self._store.services
        busy = await services.in_use(service.user_id, service.role)
        said = decide(service.failures, service.retry_at, busy=busy, now=_now())
        if await services.decide(fence, service, said.decision, why=said.why, by="host"):
            await self._as_decided(fence, service._replace(decision=said.decision), status)
        else:
            self._again(service.user_id)

    async def _stop(self, fence: Fence, service: Service, status: ServiceStatus) -> None:
        if status.state != "absent":
            await self._store.services.observe(
                fence, service, state="stopping", address=status.address
            )
            await self._runtime.stop(status.name)
            service = service._replace(state="stopping")
        if service.state not in ("stopped", "absent"):
            await self._store.services.observe(
                fence, service, state="stopped", failures=0, failed_at=[]
            )

    async def _rest_of(self, service: Service) -> rules.Rest:
        """Asks the store only where its clock may say that nobody uses it."""
        used = _age(service.used_at) < self._idle / 2 or await self._store.services.in_use(
            service.user_id, service.role, within=self._idle
        )
        return rules.rest(service, used=used, now=_now(), paused=self._paused)

    async def _rest(
        self, fence: Fence, service: Service, status: ServiceStatus, rest: rules.Rest
    ) -> None:
        """Nobody uses it: frozen where the runtime can, else ended; a use has it back.

        Whoever uses it meanwhile is not overlooked: what is written here then finds the use.
        """
        if rest == "paused" and status.state == "paused":
            return
        observe = self._store.services.observe
        if service.state != "stopping" and not await observe(
            fence, service, state="stopping", address=status.address, unused=True
        ):
            return
        service = service._replace(state="stopping")
        freeze = rest != "stop" and status.state in ("ready", "paused")
        await self._runtime.stop(status.name, pause=freeze)
        if freeze and (await self._runtime.status(status.name)).state == "paused":
            await observe(fence, service, state="paused", address=status.address, unused=True)
        else:
            await observe(
                fence, service, state="stopped", desired="stopped", unused=True, failures=0,
                failed_at=[],
            )  # fmt: skip

    async def _away(self, fence: Fence, service: Service, reason: str) -> None:
        """The runtime itself does not answer: said once, no failure of the service."""
        self._away_at = time.monotonic()
        found = await self._store.services.get(service.user_id, service.role)
        if found is None or rules.at_rest(found, _now()):
            return
        if found.reason != reason:
            _log.warning("runtime is away", user_id=service.user_id, reason=reason)
        await self._store.services.observe(
            fence, found, state="unhealthy", address=found.address, reason=reason
        )


def _now() -> datetime:
    return datetime.now(UTC)


def _age(then: datetime) -> float:
    return (_now() - then).total_seconds()
