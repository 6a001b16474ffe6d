"""spawn_sub_agent: a sub-agent with a channel of its own, without work yet."""

from __future__ import annotations

import json

from pydantic import Field

from growqr.errors import Conflict, ToolError, TooMany
from growqr.store import SubAgent
from growqr.tools.base import Tool, ToolCall, ToolInput


class Spawn(ToolInput):
    """What kind of sub-agent."""

    type: str = Field(description="coding, research or general")
    channel_id: str | None = Field(
        None, description="name of its channel", pattern=r"^[a-z0-9][a-z0-9-]{0,62}$"
    )


class SpawnSubAgent(Tool[Spawn]):
    """Makes the sub-agent; the same call makes the same one."""

    name = "spawn_sub_agent"
    description = "Create a sub-agent that can be given work with run_sub_agent."
    effect = "idempotent"
    Input = Spawn

    async def run(self, call: ToolCall, input: Spawn) -> str:
        """Its id and channel, as JSON."""
        made = await spawn(call, input.type, input.channel_id)
        return json.dumps({"sub_agent_id": made.id, "channel_id": made.channel_id})


async def spawn(call: ToolCall, type: str, channel_id: str | None = None) -> SubAgent:
    """The sub-agent of this call. Raises ToolError naming the types, or what is in the way."""
    if type not in call.services.sub_agent_types:
        known = "; ".join(f"{n}: {w}" for n, w in call.services.sub_agent_types.items())
        raise ToolError(f"there is no sub-agent type {type!r}; the types are {known}")
    try:
        return await call.services.store.sub_agents.spawn(
            call.user_id,
            type,
            channel_id=channel_id,
            sub_agent_id=f"{type}-{call.digest[:8]}",
            actor=call.actor,
            fence=call.fence,
        )
    except (TooMany, Conflict) as error:
        raise ToolError(error.message) from None


tool = SpawnSubAgent()
