"""run_sub_agent: give a sub-agent a task; its report is this call's result, whenever it comes."""

from __future__ import annotations

from typing import NoReturn

from pydantic import Field

from growqr.errors import NotFound, ToolError
from growqr.store import SubAgent
from growqr.tools.base import Delegated, Tool, ToolCall, ToolInput
from growqr.tools.spawn_sub_agent import spawn


class Run(ToolInput):
    """Who does what."""

    prompt: str = Field(description="the whole task; it knows nothing else", min_length=1)
    sub_agent_id: str | None = Field(None, description="an existing sub-agent")
    type: str | None = Field(None, description="or coding, research, general: one that is free")


class RunSubAgent(Tool[Run]):
    """Queues one turn for the sub-agent and lets the caller's turn wait for its end."""

    name = "run_sub_agent"
    description = (
        "Give a task to a sub-agent, by its id or by a type, and get its report. "
        "Several calls in one reply run side by side."
    )
    effect = "idempotent"
    delegates = True
    Input = Run

    async def run(self, call: ToolCall, input: Run) -> NoReturn:
        """Raises Delegated once the task is queued, ToolError when nobody can take it."""
        store = call.services.store
        if not await store.turns.has_child(call.step_id):
            chosen = await _choose(call, input)
            accepted = await store.messages.accept(
                call.user_id,
                input.prompt,
                thread_id=chosen.thread_id,
                client_key=call.operation_id,
                parent=(call.turn_id, call.step_id),
                fence=call.fence,
            )
            await call.services.directory.wake(accepted.lease)
        raise Delegated


async def _choose(call: ToolCall, input: Run) -> SubAgent:
    agents = call.services.store.sub_agents
    if input.sub_agent_id is not None:
        try:
            named = await agents.get(call.user_id, input.sub_agent_id)
        except NotFound as error:
            raise ToolError(f"{error.message}; list_sub_agents names them") from None
        if named.stopped_at:
            raise ToolError(f"the sub-agent {named.id} was stopped; run another one")
        return named
    if input.type is None:
        raise ToolError("name a sub_agent_id, or a type: coding, research or general")
    for known in await agents.list(call.user_id, limit=200):
        if known.type == input.type and known.state == "idle":
            return known
    return await spawn(call, input.type)


tool = RunSubAgent()
