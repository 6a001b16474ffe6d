"""list_sub_agents: who is there and what each is doing."""

from __future__ import annotations

import json

from growqr.tools.base import Tool, ToolCall, ToolInput


class Nothing(ToolInput):
    """No input."""


class ListSubAgents(Tool[Nothing]):
    """Live sub-agents with their state."""

    name = "list_sub_agents"
    description = "List the sub-agents that are alive, with type, channel and state."
    effect = "read_only"
    Input = Nothing

    async def run(self, call: ToolCall, input: Nothing) -> str:
        """JSON list of {id, type, channel_id, state}."""
        found = await call.services.store.sub_agents.list(call.user_id, limit=200)
        alive = [agent for agent in found if not agent.stopped_at]
        return json.dumps(
            [
                {"id": a.id, "type": a.type, "channel_id": a.channel_id, "state": a.state}
                for a in alive
            ]
        )


tool = ListSubAgents()
