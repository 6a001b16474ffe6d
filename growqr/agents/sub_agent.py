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
from growqr.agents.types import SubAgentType
from growqr.errors import BudgetExceeded, GrowqrError, NotFound, StoreUnavailable, Unavailable
from growqr.identity import service_password
from growqr.opencode import Bridge, Outcome, Progress, PromptIds, Server, new_prompt
from growqr.states import StepState, TurnState
from growqr.store import BudgetLimits, Step, Store, SubAgent, Turn

START_PATIENCE = 120.0
"""Seconds until the user's OpenCode must be ready."""

TOUCH_EVERY = 30.0
"""Seconds between two signs of use, so that a working service is not taken for idle."""


GO_ON = "More budget was granted. Go on exactly where you were interrupted."
"""What OpenCode is told then; its session has all that went before."""


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
        try:
            ids = PromptIds(**found.input) if found else await self._ids()
            step = await self._keeper.patiently(
                lambda: self._store.steps.begin_prompt(self._fence, turn, position, asdict(ids))
            )
            outcome = await self._ask(turn, step, ids, resumed=found is not None)
        except NotFound:
            await self._remember(None)
            raise SubAgentFailed(
                "OpenCode has lost this sub-agent's session; its next task begins a new one"
            ) from None
        finally:
            using.cancel()
        return await self._journaled(turn, step, outcome)

    async def _ids(self) -> PromptIds:
        session = self._agent.session_id
        if session is None:
            session = await self._bridge.open_session(self._directory, self._agent.channel_id)
            await self._remember(session)
        return new_prompt(session, self._directory)

    async def _remember(self, session: str | None) -> None:
        agents = self._store.sub_agents
        await self._keeper.patiently(lambda: agents.keep_session(self._fence, session))
        self._agent = self._agent._replace(session_id=session)

    async def _ask(self, turn: Turn, step: Step, ids: PromptIds, *, resumed: bool) -> Outcome:
        said = GO_ON
        if step.position == 1:
            said = await self._keeper.patiently(lambda: self._store.messages.of_turn(turn.id))
        deltas = Deltas(self._store.notifier, self._keeper, turn, step.id)
        journal = _Journal(self._store, self._keeper, turn, step, deltas)
        await self._keeper.confirm()
        try:
            return await self._bridge.run(
                ids,
                said,
                agent=self._kind.agent,
                system=self._kind.system,
                on_progress=journal.tell,
                resumed=resumed,
            )
        finally:
            await deltas.flush()

    async def _journaled(self, turn: Turn, step: Step, outcome: Outcome) -> Step:
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
        return await self._keeper.patiently(lambda: self._store.steps.get(step.id))

    async def _end(self, turn: Turn, step: Step) -> None:
        if step.state != StepState.DONE:
            raise SubAgentFailed(str(step.output.get("error") or step.output.get("text")))
        text = step.output["text"]
        turns = self._store.turns
        await self._keeper.patiently(
            lambda: turns.finish(self._fence, turn.id, TurnState.COMPLETED, result=text)
        )


@dataclass(frozen=True, slots=True)
class _Journal:
    """Progress as events and steps of ours; a repeated report changes nothing."""

    store: Store
    keeper: Keeper
    turn: Turn
    step: Step
    deltas: Deltas

    async def tell(self, progress: Progress) -> None:
        """One piece of news from the bridge."""
        if progress.kind in ("text", "reasoning"):
            if progress.state == "delta":
                kind = "text" if progress.kind == "text" else "thinking"
                self.deltas.feed(kind, progress.output)
        elif progress.kind == "tool":
            if progress.state != "pending":
                await self.keeper.patiently(lambda: self._tool(progress))
        else:
            await self.keeper.patiently(
                lambda: self.store.steps.progress(
                    self.keeper.fence, self.turn, self.step, {"text": progress.output}
                )
            )

    async def _tool(self, progress: Progress) -> None:
        steps, fence = self.store.steps, self.keeper.fence
        call = {"id": progress.id, "name": progress.name, "input": progress.input or {}}
        claim = await steps.claim_tool(fence, self.turn, 1, call, "unsafe")
        end = {
            "completed": StepState.DONE,
            "error": StepState.FAILED,
            "interrupted": StepState.UNKNOWN,
        }.get(progress.state)
        if end is not None:
            await steps.finish_tool(fence, self.turn, claim.step, end, progress.output)
