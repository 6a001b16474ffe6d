"""ask_user: put a question to the person; the answer is this call's result, whenever it comes."""

from __future__ import annotations

from typing import NoReturn

from pydantic import Field

from growqr.errors import ToolError
from growqr.tools.base import Delegated, Tool, ToolCall, ToolInput


class Question(ToolInput):
    """What is asked."""

    question: str = Field(
        description="one question, with what one must know to answer it",
        min_length=1,
        max_length=10_000,
    )
    options: list[str] = Field(
        default_factory=list,
        description="answers to choose from; free text stays possible",
        max_length=20,
    )


class AskUser(Tool[Question]):
    """Leaves a question in the user's thread and lets the turn wait for the answer."""

    name = "ask_user"
    description = (
        "Ask the user one question and get the answer, which may take hours. "
        "Use it only where you cannot decide yourself."
    )
    effect = "idempotent"
    delegates = True
    Input = Question

    async def run(self, call: ToolCall, input: Question) -> NoReturn:
        """Raises Delegated once the question is asked, ToolError where nobody would hear it."""
        if call.fence is None:
            raise ToolError("only an agent in its turn can ask the user")
        store = call.services.store
        await store.decisions.ask(
            call.fence,
            await store.turns.get(call.user_id, call.turn_id),
            "question",
            {"text": input.question, "tool_use_id": call.tool_use_id},
            key=call.tool_use_id,
            step_id=call.step_id,
            options=input.options,
            expiry=call.services.decision_expiry,
        )
        raise Delegated


tool = AskUser()
