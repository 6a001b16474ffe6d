"""stop_sub_agent: no more work for it; what it is doing is cancelled."""

from __future__ import annotations

import json

from pydantic import Field

from growqr.errors import NotFound, ToolError
from growqr.tools.base import Tool, ToolCall, ToolInput


class Stop(ToolInput):
    """Which one."""

    sub_agent_id: str = Field(description="its id, as list_sub_agents names it")


class StopSubAgent(Tool[Stop]):
    """Stops one sub-agent; stopping it twice is the same."""

    name = "stop_sub_agent"
    description = "Stop a sub-agent for good; a task under way is cancelled."
    effect = "idempotent"
    Input = Stop

    async def run(self, call: ToolCall, input: Stop) -> str:
        """JSON {id, state}. Raises ToolError for an unknown one."""
        store = call.services.store
        try:
            stopped = await store.sub_agents.stop(
                call.user_id, input.sub_agent_id, actor=call.actor
            )
        except NotFound as error:
            raise ToolError(f"{error.message}; list_sub_agents names them") from None
        for lease in await store.turns.cancel_all(call.user_id, stopped.lease_key):
            await call.services.directory.wake(lease)
        return json.dumps({"id": stopped.id, "state": stopped.state})


tool = StopSubAgent()
