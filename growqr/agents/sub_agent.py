"""A sub-agent's work: each turn is one prompt to the user's OpenCode, and no model loop of ours.

Session, message and part ids are journaled before the prompt is sent; a successor finds the run
by them instead of asking twice. OpenCode's tools become steps, so one journal shows all work.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import Any

from growqr.agents.asking import allowed
from growqr.agents.deltas import Deltas
from growqr.agents.keeper import Keeper
from growqr.agents.progress import Journal
from growqr.agents.record import Record, record
from growqr.agents.types import SubAgentType
from growqr.errors import BudgetExceeded, GrowqrError, NotFound, StoreUnavailable, Unavailable
from growqr.identity import service_password
from growqr.opencode import Bridge, Outcome, PromptIds, Server, new_prompt
from growqr.states import StepState, TurnState
from growqr.store import BudgetLimits, Step, Store, SubAgent, Turn

START_PATIENCE = 120.0
"""Seconds until the user's OpenCode must be ready."""

TOUCH_EVERY = 30.0
"""Seconds between two signs of use, so that a working service is not taken for idle."""


GO_ON = "More budget was granted. Go on exactly where you were interrupted."
"""What OpenCode is told then; its session has all that went before."""

LOST = (
    "OpenCode was made anew and has lost this task's session; what it was doing is unknown. It "
    "goes on in a new session with the record of what was done"
)

LOSSES = 5
"""How many sessions one turn may lose."""


class SubAgentFailed(GrowqrError):
    """The sub-agent's run did not come to a good end."""

    code = "sub_agent_failed"


@dataclass(frozen=True, slots=True)
class UserOpenCode:
    """The OpenCode service of one user: wanted when asked for, and waited for."""

    store: Store
    secret: bytes
    user_id: str

    async def server(self) -> Server:
        """Where it listens. Raises Unavailable with the reason when it does not come up."""
        await self.store.services.want(self.user_id, "opencode", "ready")
        until = time.monotonic() + START_PATIENCE
        while time.monotonic() < until:
            with suppress(StoreUnavailable):
                service = await self.store.services.get(self.user_id, "opencode")
                if service and service.state == "ready" and service.address:
                    password = service_password(
                        self.secret, self.user_id, "opencode", service.generation
                    )
                    return Server(service.address, password)
                if service and service.state in ("failed", "backoff"):
                    raise Unavailable(f"OpenCode does not start: {service.reason}")
            await asyncio.sleep(0.1)
        raise Unavailable(f"OpenCode was not ready after {START_PATIENCE:g} s")

    async def keep_in_use(self) -> None:
        """Say that it is used, for ever."""
        while True:
            with suppress(StoreUnavailable):
                await self.store.services.touch(self.user_id, "opencode")
            await asyncio.sleep(TOUCH_EVERY)


@dataclass(frozen=True, slots=True)
class Allowance:
    """What may be spent, and for how many seconds a person is waited for who may allow more."""

    limits: BudgetLimits
    expiry: float

    async def breach(self, store: Store, turn: Turn) -> dict[str, Any] | None:
        """The budget that is spent: scope, unit, limit, spent, and so in words."""
        spent = await store.budgets.exceeded(turn.user_id, turn.id, self.limits)
        if spent is None:
            return None
        return spent._asdict() | {"text": str(spent)}


class Prompting:
    """The work of one sub-agent."""

    def __init__(
        self,
        store: Store,
        keeper: Keeper,
        agent: SubAgent,
        kind: SubAgentType,
        bridge: Bridge,
        service: UserOpenCode,
        directory: str,
        budget: Allowance,
    ) -> None:
        self._store = store
        self._keeper = keeper
        self._fence = keeper.fence
        self._agent = agent
        self._kind = kind
        self._bridge = bridge
        self._service = service
        self._directory = directory
        self._budget = budget

    async def run(self, turn: Turn) -> None:
        """Bring the turn to its end in the journal, or let it wait there for more budget.

        Raises Unavailable without an OpenCode, BudgetExceeded when nobody allowed more.
        """
        step = await self._keeper.patiently(lambda: self._store.steps.prompt_of(turn.id))
        position = step.position if step else 1
        while True:
            if step is None or step.state == StepState.INTENT:
                step = await self._prompted(turn, position, step)
            if step.state == StepState.UNKNOWN:
                position = await self._after_loss(turn, step)
                step = None
                continue
            breach = step.output.get("budget")
            if not breach:
                return await self._end(turn, step)
            if await self._allowed(turn, breach):
                step, position = None, position + 1
            elif await self._keeper.patiently(lambda: self._store.turns.wait(self._fence, turn.id)):
                return None

    async def _allowed(self, turn: Turn, breach: dict[str, Any]) -> bool:
        spent = BudgetExceeded(breach["text"], breach)
        return await allowed(self._store, self._keeper, turn, spent, self._budget.expiry)

    async def _prompted(self, turn: Turn, position: int, found: Step | None) -> Step:
        """The prompt's step with its end in it; `found` was begun by an earlier epoch."""
        using = asyncio.create_task(self._service.keep_in_use())
        steps = self._store.steps
        try:
            ids, restored = (
                (PromptIds(**found.input), None) if found else await self._ids(turn, position)
            )
            step = await self._keeper.patiently(
                lambda: steps.begin_prompt(self._fence, turn, position, asdict(ids), restored)
            )
            self._agent = self._agent._replace(session_id=ids.session_id)
            outcome = await self._ask(turn, step, ids, resumed=found is not None)
        finally:
            using.cancel()
        if outcome is not None:
            await self._journaled(turn, step, outcome)
        return await self._keeper.patiently(lambda: steps.get(step.id))

    async def _ids(self, turn: Turn, position: int) -> tuple[PromptIds, dict[str, Any] | None]:
        """Fresh ids, and what is restored when their session is a new one."""
        former = self._agent.session_id
        session = await self._bridge.open_session(self._directory, self._agent.channel_id, former)
        known = session == former
        restored = None if known else (await self._record(turn, position)).told()
        return new_prompt(session, self._directory), restored

    async def _record(self, turn: Turn, position: int) -> Record:
        """What was done in this channel before a turn's prompt at this position."""
        messages = self._store.messages
        done = await self._keeper.patiently(lambda: messages.done_before(turn.id))
        return record(done, own=position > 1)

    async def _said(self, turn: Turn, step: Step) -> str:
        """What OpenCode is told: the task, or to go on with it where its session knows of it."""
        if step.position > 1:
            former = (await self._prompts(turn))[step.position - 2]
            if former.input["session_id"] == step.input["session_id"]:
                return GO_ON
        return await self._keeper.patiently(lambda: self._store.messages.of_turn(turn.id))

    async def _prompts(self, turn: Turn) -> list[Step]:
        steps = await self._keeper.patiently(lambda: self._store.steps.of(turn.id))
        return [step for step in steps if step.kind == "prompt"]

    async def _after_loss(self, turn: Turn, step: Step) -> int:
        """The position of the prompt that takes the place of a lost one."""
        lost = [one for one in await self._prompts(turn) if one.state == StepState.UNKNOWN]
        if len(lost) > LOSSES:
            raise SubAgentFailed(
                f"OpenCode lost this task's session {len(lost)} times; see its log"
            )
        return step.position + 1

    async def _ask(
        self, turn: Turn, step: Step, ids: PromptIds, *, resumed: bool
    ) -> Outcome | None:
        """How it ended; None when its session is gone, as its step then says."""
        said = await self._said(turn, step)
        deltas = Deltas(self._store.notifier, self._keeper, turn, step.id)
        journal = Journal(self._store, self._keeper, turn, step, deltas)

        async def recall() -> str:
            return (await self._record(turn, step.position)).text

        await self._keeper.confirm()
        try:
            return await self._bridge.run(
                ids,
                said,
                agent=self._kind.agent,
                system=self._kind.system,
                on_progress=journal.tell,
                resumed=resumed,
                recall=recall,
            )
        except NotFound:
            await journal.lost(LOST)
            return None
        finally:
            await deltas.flush()

    async def _journaled(self, turn: Turn, step: Step, outcome: Outcome) -> None:
        good = outcome.state == "completed"
        text = outcome.text or outcome.error or outcome.state
        output: dict[str, Any] = {"state": outcome.state, "text": text, "error": outcome.error}
        if not good:
            output["budget"] = await self._keeper.patiently(
                lambda: self._budget.breach(self._store, turn)
            )
        await self._keeper.patiently(
            lambda: self._store.steps.finish_prompt(
                self._fence,
                turn,
                step,
                StepState.DONE if good else StepState.FAILED,
                text,
                output | {"usage": outcome.usage},
            )
        )

    async def _end(self, turn: Turn, step: Step) -> None:
        if step.state != StepState.DONE:
            raise SubAgentFailed(str(step.output.get("error") or step.output.get("text")))
        text = step.output["text"]
        turns = self._store.turns
        await self._keeper.patiently(
            lambda: turns.finish(self._fence, turn.id, TurnState.COMPLETED, result=text)
        )
