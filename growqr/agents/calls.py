"""The tool calls of one reply, side by side: claim, effect, record; each once, whatever died.

Of a call that an earlier owner began and did not record: what may run twice runs again, what can be
asked whether it happened is asked, and about the rest a person is.
"""

from __future__ import annotations

import asyncio
from typing import Any

from growqr.agents.asking import unknown_call
from growqr.agents.conversation import Block, result_block
from growqr.agents.keeper import Keeper
from growqr.agents.thinking import Thinking
from growqr.errors import Fenced, GrowqrError, Invalid, StoreUnavailable, ToolError
from growqr.logs import log
from growqr.states import StepState
from growqr.store import Step, Turn
from growqr.tools import NOT_HAPPENED, Delegated, ToolCall, choose, validate

_log = log("agents")


class Calls:
    """The calls of one turn."""

    def __init__(self, thinking: Thinking, keeper: Keeper, turn: Turn) -> None:
        self._with = thinking
        self._store = thinking.store
        self._keeper = keeper
        self._fence = keeper.fence
        self._turn = turn

    async def run(self, position: int, calls: list[Block]) -> list[Block] | None:
        """Results in the order of the calls; None: some are for others to give."""
        unique = {call["id"]: call for call in calls}
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(self._run(position, call)) for call in unique.values()]
        results = [task.result() for task in tasks]
        given = [result for result in results if result is not None]
        return given if len(given) == len(results) else None

    async def _run(self, position: int, call: Block) -> Block | None:
        tool = self._with.tools.get(call["name"])
        effect = tool.effect if tool else "read_only"
        tell = tool is None or not tool.delegates
        claim = await self._keeper.patiently(
            lambda: self._store.steps.claim_tool(
                self._fence, self._turn, position, call, effect, tell=tell
            )
        )
        if claim.mine:
            return await self._do(claim.step, call)
        return await self._found(claim.step, call)

    async def _do(self, step: Step, call: Block) -> Block | None:
        await self._keeper.confirm()
        try:
            state, content = await self._effect(step, call)
        except Delegated:
            return None
        return await self._record(step, call, state, content)

    async def _effect(self, step: Step, call: Block) -> tuple[StepState, Any]:
        """Do it. A mistake the model can mend, or a tool's failure, is a result like any other."""
        try:
            tool = choose(self._with.tools, call["name"])
            wanted = validate(tool, call["input"])
            context = self._context(step)
            if tool.effect in ("read_only", "idempotent"):
                return StepState.DONE, await self._keeper.patiently(
                    lambda: tool.run(context, wanted)
                )
            return StepState.DONE, await tool.run(context, wanted)
        except (Fenced, StoreUnavailable, Delegated):
            raise
        except (ToolError, Invalid) as error:
            return StepState.FAILED, error.message
        except GrowqrError as error:
            return StepState.FAILED, f"{call['name']} failed: {error.message}"
        except Exception as error:  # noqa: BLE001  a tool's defect must not end the turn
            _log.error("tool failed", tool=call["name"], turn_id=self._turn.id, exc_info=True)
            return StepState.FAILED, f"{call['name']} failed unexpectedly: {type(error).__name__}"

    async def _record(self, step: Step, call: Block, state: StepState, content: Any) -> Block:
        await self._keeper.patiently(
            lambda: self._store.steps.finish_tool(self._fence, self._turn, step, state, content)
        )
        return result_block(call["id"], content, is_error=state != StepState.DONE)

    async def _found(self, step: Step, call: Block) -> Block | None:
        """What an earlier owner left: a result, or a call whose outcome nobody knows."""
        if step.state == StepState.INTENT:
            return await self._interrupted(step, call)
        if step.state == StepState.UNKNOWN:
            return await self._unknown(step, call)
        return result_block(
            call["id"], step.output["content"], is_error=step.state != StepState.DONE
        )

    async def _interrupted(self, step: Step, call: Block) -> Block | None:
        happened = await self._happened(step, call)
        if happened is NOT_HAPPENED:
            return await self._again(step, call, None)
        if happened is not None:
            return await self._record(step, call, StepState.DONE, happened)
        expiry = self._with.services.decision_expiry
        await self._keeper.patiently(
            lambda: self._store.decisions.ask_about_unknown(
                self._fence, self._turn, step, unknown_call(), expiry=expiry
            )
        )
        return None

    async def _happened(self, step: Step, call: Block) -> Any:
        """What a reconcilable call came to, NOT_HAPPENED, or None: it cannot be told."""
        tool = self._with.tools.get(call["name"])
        if tool is None or tool.effect != "reconcilable":
            return None
        await self._keeper.confirm()
        try:
            return await tool.happened(self._context(step), validate(tool, call["input"]))
        except (Fenced, StoreUnavailable):
            raise
        except Exception as error:  # noqa: BLE001  whoever cannot be asked cannot tell
            _log.warning("cannot tell", tool=call["name"], turn_id=self._turn.id, error=str(error))
            return None

    async def _unknown(self, step: Step, call: Block) -> Block | None:
        """As a person decided: again, once; or the model is told that nobody knows."""
        decision = await self._keeper.patiently(lambda: self._store.decisions.about(step.id))
        if decision is not None and decision.state == "open":
            return None
        if decision is not None and decision.state == "approved":
            return await self._again(step, call, decision.id)
        told = unknown_call(decision.answer if decision else None)
        return result_block(call["id"], told, is_error=True)

    async def _again(self, step: Step, call: Block, decision_id: str | None) -> Block | None:
        """Make the call once more, as allowed; else as it is found then."""
        mine = await self._keeper.patiently(
            lambda: self._store.decisions.repeat_tool(self._fence, self._turn, step, decision_id)
        )
        now = await self._keeper.patiently(lambda: self._store.steps.get(step.id))
        if mine or (now.state == StepState.INTENT and now.epoch == self._fence.epoch):
            return await self._do(now, call)
        return result_block(call["id"], unknown_call(), is_error=True)

    def _context(self, step: Step) -> ToolCall:
        return ToolCall(
            user_id=self._turn.user_id,
            thread_id=self._turn.thread_id,
            turn_id=self._turn.id,
            step_id=step.id,
            tool_use_id=str(step.tool_use_id),
            fence=self._fence,
            actor=self._fence.key,
            services=self._with.services,
        )
