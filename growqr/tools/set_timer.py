"""set_timer: a message to oneself, at its time; whoever sleeps is woken by it."""

from __future__ import annotations

import json
from datetime import UTC, datetime

from pydantic import Field

from growqr.errors import Invalid, TooLarge, ToolError, TooMany
from growqr.tools.base import Tool, ToolCall, ToolInput


class SetTimer(ToolInput):
    """What to say, when."""

    text: str = Field(description="what you will be told then; say all that you need to know")
    seconds: int | None = Field(None, ge=1, description="how long from now")
    at: datetime | None = Field(None, description="or the time, as 2030-01-31T09:00:00+01:00")


class SetTimerTool(Tool[SetTimer]):
    """Sets one timer in the call's thread."""

    name = "set_timer"
    description = (
        "Have a message said to you in this thread later, once: a reminder, or work for a later "
        "time. It comes as a new turn, whatever has happened in between."
    )
    effect = "idempotent"
    Input = SetTimer

    async def run(self, call: ToolCall, input: SetTimer) -> str:
        """JSON {"timer_id", "due"}. Raises ToolError for a time or text that cannot be."""
        try:
            timer = await call.services.store.timers.set(
                call.user_id,
                input.text,
                at=input.at,
                seconds=input.seconds,
                thread_id=call.thread_id,
                operation_id=call.operation_id,
                actor=call.actor,
                fence=call.fence,
                turn_id=call.turn_id,
            )
        except (Invalid, TooLarge, TooMany) as error:
            raise ToolError(error.message, error.detail) from None
        return json.dumps({"timer_id": timer.id, "due": timer.due.astimezone(UTC).isoformat()})


tool = SetTimerTool()
