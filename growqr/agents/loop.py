"""One turn: ask the model, run the tools it asks for, until it has nothing more to ask.

Each reply is journaled before any of its tools runs, each tool call before its effect. Whoever
takes the turn over reads the journal and goes on where it ends.
"""

from __future__ import annotations

import asyncio
import itertools
import time
from dataclasses import dataclass
from typing import Any

from growqr import names
from growqr.agents.conversation import Block, Conversation, result_block
from growqr.agents.deltas import Deltas
from growqr.agents.keeper import Keeper
from growqr.agents.skills import listed, skills_of
from growqr.errors import (
    Fenced,
    GrowqrError,
    Invalid,
    ModelError,
    ModelUnavailable,
    StoreUnavailable,
    ToolError,
)
from growqr.logs import log
from growqr.models import Model, ModelRequest, Reply
from growqr.states import StepState
from growqr.store import Step, Store, Turn
from growqr.tools import (
    Delegated,
    Tool,
    ToolCall,
    ToolServices,
    choose,
    definitions,
    validate,
)

MAX_REPLIES = 50
"""Replies of one turn; a model that still asks for tools then is going in circles."""

PATIENCE = {"connection": 120.0, "cut": 15.0}
"""Seconds from the first try in which a call is made again: the gateway is away (all of Ray may
be being rebuilt), or its stream broke off. Every other failure is the model's own."""

LONGEST_PAUSE = 4.0

UNKNOWN = (
    "outcome unknown: the agent died after this call began and before its result was recorded. "
    "It may or may not have happened; check the state before doing it again."
)

_log = log("agents")


@dataclass(frozen=True, slots=True)
class Thinking:
    """What an agent thinks with: the same for all of its turns."""

    store: Store
    model: Model
    tools: dict[str, Tool[Any]]
    system: str
    model_name: str | None
    max_tokens: int
    services: ToolServices


class TurnLoop:
    """The work on one claimed turn."""

    def __init__(self, thinking: Thinking, keeper: Keeper, turn: Turn) -> None:
        self._with = thinking
        self._keeper = keeper
        self._fence = keeper.fence
        self._turn = turn
        self._system = thinking.system

    async def run(self) -> None:
        """Work until the turn is completed in the journal, or waits there for a sub-agent.

        Raises ModelError or ModelUnavailable when the model cannot be had, Fenced when the lease
        has passed on.
        """
        said = await self._keeper.patiently(
            lambda: self._with.store.messages.conversation(self._turn.id)
        )
        skills = await self._keeper.patiently(
            lambda: skills_of(self._with.store, self._turn.user_id)
        )
        self._system = self._with.system + listed(skills)
        talk = Conversation(said, self._turn.id)
        calls, position = talk.open_calls, talk.replies
        while position < MAX_REPLIES:
            results = await self._run_tools(position, calls) if calls else []
            if results is None:
                return
            if results:
                talk.results(results)
            position += 1
            reply = await self._ask(position, talk, results)
            calls = reply.tool_calls
            if not calls:
                return
            talk.reply(reply.content)
        raise ModelError(f"the model asked for tools {MAX_REPLIES} times without an answer")

    async def _ask(self, position: int, talk: Conversation, results: list[Block] | None) -> Reply:
        store, name = self._with.store, self._with.model_name or "default"
        step_id = await self._keeper.patiently(
            lambda: store.steps.begin_model(self._fence, self._turn, position, name, results)
        )
        reply = await self._reply(step_id, talk)
        output = {"stop_reason": reply.stop_reason, "model": reply.model, "usage": reply.usage}
        await self._keeper.patiently(
            lambda: store.steps.finish_model(
                self._fence,
                self._turn,
                step_id,
                content=reply.content,
                output=output,
                result=None if reply.tool_calls else reply.text,
            )
        )
        return reply

    async def _reply(self, step_id: str, talk: Conversation) -> Reply:
        """The model's reply; asked again only when the way to the gateway broke."""
        request = ModelRequest(
            system=self._system,
            messages=talk.messages(),
            tools=definitions(self._with.tools),
            max_tokens=self._with.max_tokens,
            model=self._with.model_name,
        )
        began = time.monotonic()
        for attempt in itertools.count(1):
            await self._keeper.confirm()
            try:
                return await self._call(request, step_id, attempt)
            except ModelUnavailable as error:
                patience = PATIENCE.get(str(error.detail.get("reason")), 0.0)
                if time.monotonic() - began >= patience:
                    raise
                _log.warning("model call broke", turn_id=self._turn.id, reason=error.message)
                await asyncio.sleep(min(LONGEST_PAUSE, 0.25 * 2**attempt))
        raise AssertionError("counting does not end")

    async def _call(self, request: ModelRequest, step_id: str, attempt: int) -> Reply:
        deltas = Deltas(self._with.store.notifier, self._fence, self._turn, step_id)
        try:
            return await self._with.model.reply(
                request,
                call_id=names.model_call(step_id, self._fence.epoch, attempt),
                turn_id=self._turn.id,
                step_id=step_id,
                on_delta=deltas.feed,
            )
        finally:
            await deltas.flush()

    async def _run_tools(self, position: int, calls: list[Block]) -> list[Block] | None:
        """Results of all calls of one reply, in their order; the calls run side by side.

        None: some results come from other turns, and this one waits; who ends the last of them
        queues it again.
        """
        unique = {call["id"]: call for call in calls}
        async with asyncio.TaskGroup() as group:
            tasks = {
                key: group.create_task(self._run_tool(position, call))
                for key, call in unique.items()
            }
        results = [task.result() for task in tasks.values()]
        done = [result for result in results if result is not None]
        if len(done) == len(results):
            return done
        turns = self._with.store.turns
        if await self._keeper.patiently(lambda: turns.wait(self._fence, self._turn.id)):
            return None
        await asyncio.sleep(0.05)  # quicker than we could wait for it, or being cancelled
        return await self._run_tools(position, calls)

    async def _run_tool(self, position: int, call: Block) -> Block | None:
        """One call: claim, effect, record; what an earlier owner recorded is used as it is."""
        tool = self._with.tools.get(call["name"])
        effect = tool.effect if tool else "read_only"
        tell = tool is None or not tool.delegates
        claim = await self._keeper.patiently(
            lambda: self._with.store.steps.claim_tool(
                self._fence, self._turn, position, call, effect, tell=tell
            )
        )
        if not claim.mine:
            return await self._found(claim.step, call)
        await self._keeper.confirm()
        try:
            state, content = await self._effect(claim.step, call)
        except Delegated:
            return None
        return await self._record(claim.step, call, state, content)

    async def _effect(self, step: Step, call: Block) -> tuple[StepState, Any]:
        """Do it. A mistake the model can mend, or a tool's failure, is a result like any other."""
        try:
            tool = choose(self._with.tools, call["name"])
            wanted = validate(tool, call["input"])
            context = ToolCall(
                user_id=self._turn.user_id,
                thread_id=self._turn.thread_id,
                turn_id=self._turn.id,
                step_id=step.id,
                tool_use_id=call["id"],
                fence=self._fence,
                actor=self._fence.key,
                services=self._with.services,
            )
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
            lambda: self._with.store.steps.finish_tool(
                self._fence, self._turn, step, state, content
            )
        )
        return result_block(call["id"], content, is_error=state != StepState.DONE)

    async def _found(self, step: Step, call: Block) -> Block:
        """What an earlier owner left: its result, or a call whose outcome nobody knows."""
        if step.state == StepState.INTENT:
            return await self._record(step, call, StepState.UNKNOWN, UNKNOWN)
        return result_block(
            call["id"], step.output["content"], is_error=step.state != StepState.DONE
        )
