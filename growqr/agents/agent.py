"""An agent's life: take the lease, claim turns, let threads run side by side, fall asleep."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from enum import StrEnum
from typing import cast

from growqr.agents.keeper import RETRY, Keeper
from growqr.directory import Directory
from growqr.errors import Fenced, GrowqrError, StoreUnavailable
from growqr.logs import log
from growqr.states import TurnState
from growqr.store import Store, Turn

MAX_CLAIMS = 5
"""How often a turn may be begun; one that ends its agent each time is given up."""

_log = log("agents")


class Ended(StrEnum):
    """Why an agent's life ended."""

    LATE = "late"
    ASLEEP = "asleep"
    FENCED = "fenced"


class GivenUp(GrowqrError):
    """A turn that ended every agent which worked on it."""

    code = "given_up"


Work = Callable[[Turn], Awaitable[None]]
"""What an agent does with a claimed turn; it returns when the journal has the end, or the wait."""

Look = Callable[[], Awaitable[None]]
"""What else a hint may be about; it is quick, and raises nothing but Fenced."""


class Agent:
    """One epoch of a Grow Agent or a sub-agent, whatever its work is.

    `run` is its whole life; `wake` and `stop` are hints.
    """

    def __init__(
        self,
        store: Store,
        keeper: Keeper,
        user_id: str,
        work: Work,
        directory: Directory,
        *,
        turn_deadline: float,
        idle_sleep: float,
        on_end: Callable[[], None] = lambda: None,
        on_wake: Look | None = None,
    ) -> None:
        """`on_end` is told before turns under way are let go: to a successor, not to an end."""
        self._store = store
        self._do = work
        self._directory = directory
        self._keeper = keeper
        self._user_id = user_id
        self._turn_deadline = turn_deadline
        self._idle_sleep = idle_sleep
        self._on_end = on_end
        self._on_wake = on_wake
        self._woken = asyncio.Event()
        self._stopping = False
        self._running: dict[str, asyncio.Task[None]] = {}
        self._working: set[str] = set()
        self._cancelled: set[str] = set()

    def wake(self) -> None:
        """There may be work, or a turn to cancel."""
        self._woken.set()

    def stop(self) -> None:
        """End as soon as no turn is under way; what is queued then waits for the next wake."""
        self._stopping = True
        self._woken.set()

    async def run(self, holder: str) -> Ended:
        """Live until asleep, or fenced by a successor; `holder` names the process."""
        me = f"{secrets.token_hex(4)} {holder}"
        if not await self._keeper.patiently(lambda: self._keeper.take(me)):
            return Ended.LATE
        keeping = asyncio.create_task(self._keeper.keep())
        working = asyncio.create_task(self._work())
        try:
            done, _ = await asyncio.wait({keeping, working}, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
            return Ended.ASLEEP
        except Fenced as refused:
            _log.warning("refused", actor=holder, reason=refused.message)
            return Ended.FENCED
        finally:
            self._on_end()
            await _end(keeping, working, *self._running.values())

    async def _work(self) -> None:
        while True:
            woken = self._woken.is_set()
            self._woken.clear()
            await self._claim_all()
            await self._look_over()
            if woken and self._on_wake:
                await self._on_wake()
            self._keeper.idle(not self._running)
            if await self._rested() and not self._running and await self._asleep():
                return

    async def _rested(self) -> bool:
        """Wait for a hint or the end of a turn; True when there was neither for long."""
        woken = asyncio.create_task(self._woken.wait())
        patience = 0.0 if self._stopping else self._idle_sleep
        try:
            done, _ = await asyncio.wait(
                {woken, *self._running.values()},
                timeout=None if self._running else patience,
                return_when=asyncio.FIRST_COMPLETED,
            )
        finally:
            woken.cancel()
        for turn_id in [i for i, task in self._running.items() if task.done()]:
            self._running.pop(turn_id).result()
        return not done

    async def _asleep(self) -> bool:
        """Give the lease back, unless a message came in that moment."""
        leases, fence = self._store.leases, self._keeper.fence
        if self._stopping:
            return await self._keeper.patiently(lambda: leases.release(fence)) or True
        return await self._keeper.patiently(lambda: leases.release_idle(fence, self._user_id))

    async def _claim_all(self) -> None:
        while not self._stopping:
            try:
                turn = await self._store.turns.claim(
                    self._keeper.fence, deadline=self._turn_deadline
                )
            except StoreUnavailable:
                # The claim may have been written all the same: it is found by its epoch.
                await asyncio.sleep(RETRY)
                await self._look_over()
                continue
            if turn is None:
                return
            self._start(turn)

    async def _look_over(self) -> None:
        """What the journal says of turns under way: whom to cancel, and what runs unattended.

        That is a turn whose claim was not answered, or that waited and was claimed again while
        its task was still on its way out. A turn that somebody else has ended is cancelled too.
        """
        unfinished = {turn.id: turn for turn in await self._unfinished()}
        for turn in unfinished.values():
            mine = turn.state == TurnState.RUNNING and turn.epoch == self._keeper.fence.epoch
            if turn.id not in self._running and mine:
                self._start(turn)
        for turn_id in self._working - self._cancelled:
            if turn_id not in unfinished or unfinished[turn_id].cancel_requested:
                self._cancelled.add(turn_id)
                self._running[turn_id].cancel()

    async def _unfinished(self) -> list[Turn]:
        turns = self._store.turns
        return await self._keeper.patiently(lambda: turns.unfinished(self._keeper.fence.key))

    def _start(self, turn: Turn) -> None:
        if turn.id not in self._running:
            self._running[turn.id] = asyncio.create_task(self._turn(turn))

    async def _turn(self, turn: Turn) -> None:
        """Work on a turn to its end; Fenced is the one error that gets out."""
        try:
            if turn.cancel_requested:
                await self._finish(turn, TurnState.CANCELLED)
            else:
                await self._worked_on(turn)
        except TimeoutError:
            await self._fail(turn, "deadline", f"not done within {self._turn_deadline:g} s")
        except asyncio.CancelledError as error:
            if turn.id in self._cancelled:
                await self._finish(turn, TurnState.CANCELLED)
            elif cast("asyncio.Task[None]", asyncio.current_task()).cancelling():
                raise
            else:  # something inside was cancelled, not this turn
                await self._failed(turn, error)
        except BaseExceptionGroup as group:
            fenced, others = group.split(Fenced)
            if fenced is not None or others is None:
                raise Fenced from group
            await self._failed(turn, others.exceptions[0])
        except Fenced:
            raise
        except Exception as error:  # noqa: BLE001  a turn ends with a reason, whatever went wrong
            await self._failed(turn, error)
        finally:
            self._cancelled.discard(turn.id)
        await self._tell_parent(turn)

    async def _worked_on(self, turn: Turn) -> None:
        """The work itself; only in here may a turn's task be cancelled without ending the agent."""
        if turn.claims > MAX_CLAIMS:
            raise GivenUp(f"given up: {MAX_CLAIMS} agents ended while working on this turn")
        self._working.add(turn.id)
        try:
            async with asyncio.timeout(self._seconds_left(turn)):
                await self._do(turn)
        finally:
            self._working.discard(turn.id)

    def _seconds_left(self, turn: Turn) -> float:
        """A successor gets what is left of the turn's time, and enough to end it."""
        left = self._turn_deadline if turn.seconds_left is None else turn.seconds_left
        return max(1.0, left)

    async def _failed(self, turn: Turn, error: BaseException) -> None:
        if isinstance(error, GrowqrError):
            await self._fail(turn, error.code, error.message)
            return
        _log.error("turn failed", turn_id=turn.id, exc_info=error)
        await self._fail(turn, "internal", f"unexpected {type(error).__name__}; see the logs")

    async def _fail(self, turn: Turn, code: str, message: str) -> None:
        await self._finish(turn, TurnState.FAILED, {"code": code, "message": message})

    async def _finish(
        self, turn: Turn, state: TurnState, error: dict[str, str] | None = None
    ) -> None:
        turns, fence = self._store.turns, self._keeper.fence
        await self._keeper.patiently(lambda: turns.finish(fence, turn.id, state, error=error))

    async def _tell_parent(self, turn: Turn) -> None:
        """A turn that waited for this one may go on: a hint to its agent."""
        if turn.parent_step is None:
            return
        parent = await self._keeper.patiently(lambda: self._store.turns.parent(turn.id))
        if parent is not None:
            key, leases = parent.lease_key, self._store.leases
            if lease := await self._keeper.patiently(lambda: leases.get(key)):
                await self._directory.wake(lease)


async def _end(*tasks: asyncio.Task[None]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
