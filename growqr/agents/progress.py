"""What OpenCode does for a sub-agent, as events and steps of ours: one journal shows all work."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from growqr.agents.deltas import Deltas
from growqr.agents.keeper import Keeper
from growqr.opencode import Progress
from growqr.states import StepState
from growqr.store import Step, Store, Turn

GONE = "interrupted: the server that ran it is gone; whether it happened is not known"


@dataclass(frozen=True, slots=True)
class Journal:
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

    async def lost(self, why: str) -> None:
        """The session is gone: nobody will tell how the prompt and its open calls ended."""
        steps, fence, turn = self.store.steps, self.keeper.fence, self.turn
        for step in await self.keeper.patiently(lambda: steps.of(turn.id)):
            if step.kind == "tool" and step.state == StepState.INTENT:
                end = partial(steps.finish_tool, fence, turn, step, StepState.UNKNOWN, GONE)
                await self.keeper.patiently(end)
        await self.keeper.patiently(lambda: steps.lose_prompt(fence, turn, self.step, why))
