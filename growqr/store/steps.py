"""Steps: intent before the effect, result after it. What stands here is never done again."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from growqr import names
from growqr.directory import Fence
from growqr.errors import Conflict
from growqr.events import EventType, NewEvent
from growqr.states import StepState
from growqr.store.engine import Database
from growqr.store.jsonb import jsonb
from growqr.store.turns import Turn

Block = dict[str, Any]
"""A content block in the Anthropic form."""

TOOL_ENDS = {
    StepState.DONE: EventType.TOOL_COMPLETED,
    StepState.FAILED: EventType.TOOL_FAILED,
    StepState.UNKNOWN: EventType.TOOL_UNKNOWN,
}


class Step(NamedTuple):
    """One model call or one tool call of a turn."""

    id: str
    turn_id: str
    position: int
    kind: str
    name: str
    tool_use_id: str | None
    effect: str | None
    state: str
    epoch: int
    input: Any
    output: Any
    started_at: datetime
    finished_at: datetime | None


class Claim(NamedTuple):
    """`mine`: do it now; else `step` tells what an earlier epoch left behind."""

    mine: bool
    step: Step


class Steps:
    """The journal of a turn. Ids derive from the turn, so a repeated write meets its own row."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def of(self, turn_id: str) -> list[Step]:
        """All steps of a turn: by position, each model call before its tools."""
        return await self._db.all("steps_of", Step, turn=turn_id)

    async def begin_model(
        self, fence: Fence, turn: Turn, position: int, model: str, results: Sequence[Block] | None
    ) -> str:
        """Intent of the model call at `position`; returns the step's id.

        `results` are the tool results it answers to; they join the conversation here, once.
        """
        step = names.derived_id("stp", turn.id, position)
        message = names.derived_id("msg", turn.id, position, "tool")
        told = [{"type": r["type"], "tool_use_id": r["tool_use_id"]} for r in results or ()]
        event = NewEvent(
            EventType.MESSAGE_CREATED,
            data={"message_id": message, "role": "tool", "content": told},
        )
        await self._db.fenced(
            fence,
            "begin_model_step",
            [event] if results else [],
            step=step,
            turn=turn.id,
            thread=turn.thread_id,
            position=position,
            name=model,
            input=jsonb({}),
            message=message,
            results=jsonb(list(results) if results else None),
        )
        return step

    async def finish_model(
        self,
        fence: Fence,
        turn: Turn,
        step_id: str,
        *,
        content: Sequence[Block],
        output: dict[str, Any],
        result: str | None,
    ) -> bool:
        """Journal the reply; with a `result` it is the last one and completes the turn."""
        message = names.derived_id("msg", step_id)
        said = {"message_id": message, "role": "assistant", "content": list(content)}
        events = [NewEvent(EventType.MESSAGE_CREATED, data=said)]
        for block in content:
            if block["type"] == "tool_use":
                asked = {"tool_use_id": block["id"], "name": block["name"], "input": block["input"]}
                events.append(NewEvent(EventType.TOOL_REQUESTED, data=asked))
        if result is not None:
            events.append(NewEvent(EventType.TURN_COMPLETED, data={"text": result}))
        written = await self._db.fenced(
            fence,
            "finish_model_step",
            events,
            step=step_id,
            turn=turn.id,
            thread=turn.thread_id,
            message=message,
            content=jsonb(list(content)),
            output=jsonb(output),
            ends=result is not None,
            result=result,
        )
        return written.changed

    async def claim_tool(
        self,
        fence: Fence,
        turn: Turn,
        position: int,
        call: Block,
        effect: str,
        *,
        tell: bool = True,
    ) -> Claim:
        """Intent of one tool call (a `tool_use` block), before its effect.

        Taken over from an earlier epoch only where running twice does no harm. `tell` False:
        without an event, where what follows tells of itself.
        """
        step_id = tool_step_id(turn.id, call["id"])
        started = {"tool_use_id": call["id"], "name": call["name"], "input": call["input"]}
        written = await self._db.fenced(
            fence,
            "claim_tool",
            [NewEvent(EventType.TOOL_STARTED, data=started)] if tell else [],
            step=step_id,
            turn=turn.id,
            thread=turn.thread_id,
            position=position,
            name=call["name"],
            tool_use=call["id"],
            effect=effect,
            input=jsonb(call["input"]),
        )
        step = await self._db.one("get_step", Step, step=step_id)
        if step is None:
            raise Conflict(f"the turn {turn.id} has ended: {call['name']} was not called")
        return Claim(written.changed or _again(step, fence), step)

    async def finish_tool(
        self, fence: Fence, turn: Turn, step: Step, state: StepState, content: Any
    ) -> bool:
        """Result of a tool call; False when one was there before."""
        data = {"tool_use_id": step.tool_use_id, "name": step.name, "output": content}
        written = await self._db.fenced(
            fence,
            "finish_tool",
            [NewEvent(TOOL_ENDS[state], data=data)],
            step=step.id,
            thread=turn.thread_id,
            state=state.value,
            output=jsonb({"content": content}),
        )
        return written.changed

    async def prompt_of(self, turn_id: str) -> Step | None:
        """The newest prompt of a sub-agent's turn, if its intent was journaled."""
        return await self._db.one("newest_prompt", Step, turn=turn_id)

    async def begin_prompt(
        self,
        fence: Fence,
        turn: Turn,
        position: int,
        ids: dict[str, str],
        restored: dict[str, Any] | None = None,
    ) -> Step:
        """Intent of a prompt, a turn's first or a later one: the ids it will be sent under.

        `restored` is told as progress: what its session, begun anew, is given of earlier work.
        """
        number = () if position == 1 else (position,)
        step_id = names.derived_id("stp", turn.id, "prompt", *number)
        await self._db.fenced(
            fence,
            "begin_prompt",
            [NewEvent(EventType.SUB_AGENT_STARTED), *_progress(restored)],
            step=step_id,
            turn=turn.id,
            thread=turn.thread_id,
            position=position,
            input=jsonb(ids),
        )
        return await self.get(step_id)

    async def finish_prompt(
        self, fence: Fence, turn: Turn, step: Step, state: StepState, text: str, output: Any
    ) -> bool:
        """The prompt's end and what was said; False when it had ended before."""
        content = [{"type": "text", "text": text}]
        message = names.derived_id("msg", step.id)
        said = {"message_id": message, "role": "assistant", "content": content}
        written = await self._db.fenced(
            fence,
            "finish_prompt",
            [NewEvent(EventType.MESSAGE_CREATED, data=said)],
            step=step.id,
            thread=turn.thread_id,
            state=state.value,
            message=message,
            content=jsonb(content),
            output=jsonb(output),
        )
        return written.changed

    async def lose_prompt(self, fence: Fence, turn: Turn, step: Step, text: str) -> bool:
        """The prompt's session is gone, and what became of it is unknown: `text` says so."""
        written = await self._db.fenced(
            fence,
            "finish_prompt",
            _progress({"text": text}),
            step=step.id,
            thread=turn.thread_id,
            state=StepState.UNKNOWN.value,
            message=None,
            content=None,
            output=jsonb({"state": "interrupted", "text": text, "error": text}),
        )
        return written.changed

    async def progress(self, fence: Fence, turn: Turn, step: Step, data: dict[str, Any]) -> None:
        """News of a prompt that changes no state."""
        news = _progress(data)
        await self._db.fenced(
            fence, "tell_progress", news, turn=turn.id, thread=turn.thread_id, step=step.id
        )

    async def by_session(self, user_id: str, session_id: str | None) -> tuple[str, str] | None:
        """(turn, step) of the newest prompt in an OpenCode session of this user.

        Of a session that nobody knows: of the newest prompt that is under way.
        """
        row = await self._db.one("step_of_session", dict, user=user_id, session=session_id)
        row = row or await self._db.one("prompt_under_way", dict, user=user_id)
        return (row["turn_id"], row["step_id"]) if row else None

    async def get(self, step_id: str) -> Step:
        """The step with this id; KeyError when there is none."""
        step = await self._db.one("get_step", Step, step=step_id)
        if step is None:
            raise KeyError(step_id)
        return step


def tool_step_id(turn_id: str, tool_use_id: str) -> str:
    """The step of a tool call: the model's id for it is unique within the turn."""
    return names.derived_id("stp", turn_id, "tool", tool_use_id)


def _progress(data: dict[str, Any] | None) -> list[NewEvent]:
    return [NewEvent(EventType.SUB_AGENT_PROGRESS, data=data)] if data else []


def _again(step: Step, fence: Fence) -> bool:
    """The claim was written by this owner, whose acknowledgement got lost."""
    return step.state == StepState.INTENT and step.epoch == fence.epoch
