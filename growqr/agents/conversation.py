"""What the model is told, made from messages: always valid, whatever crashed or was cancelled.

Every tool call has exactly one result in the message behind it, and roles alternate.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import uuid4

from growqr.store import Message

Block = dict[str, Any]

BUDGET = 400_000
"""Characters of conversation sent at most; whole turns are left out from the oldest on."""

LOST = "interrupted: no result was recorded; check what happened before trying again"


class Conversation:
    """The messages of a thread as its current turn sees them, in memory while the turn lasts."""

    def __init__(self, messages: Sequence[Message], turn_id: str) -> None:
        kept = _within_budget(messages)
        self._said = [(m.role, m.content) for m in kept]
        own = [m for m in kept if m.turn_id == turn_id]
        self.replies = sum(m.role == "assistant" for m in own)
        """How many replies this turn has already journaled."""
        last = own[-1] if own else None
        self.open_calls = _calls(last.content) if last and last.role == "assistant" else []
        """Tool calls of its last reply that still wait for their results."""

    def with_own_ids(self, content: list[Block]) -> list[Block]:
        """The same reply; a call under an id that was used before gets one of its own."""
        taken = {block["id"] for _, said in self._said for block in _calls(said)}
        own: list[Block] = []
        for block in content:
            if block["type"] == "tool_use":
                if block["id"] in taken:
                    block = block | {"id": f"toolu_{uuid4().hex[:24]}"}
                taken.add(block["id"])
            own.append(block)
        return own

    def reply(self, content: list[Block]) -> None:
        """The model said this."""
        self._said.append(("assistant", content))

    def results(self, content: list[Block]) -> None:
        """Its tools answered this."""
        self._said.append(("tool", content))

    def messages(self) -> list[dict[str, Any]]:
        """The `messages` of a model request: user and assistant in turn, user first."""
        merged: list[dict[str, Any]] = []
        for role, content in _paired(self._said):
            if merged and merged[-1]["role"] == role:
                merged[-1]["content"] += content
            elif content:
                merged.append({"role": role, "content": list(content)})
        while merged and merged[0]["role"] != "user":
            merged.pop(0)
        return merged


def result_block(tool_use_id: str, content: Any, *, is_error: bool = False) -> Block:
    """A `tool_result` block; `is_error` only where true, as providers write it."""
    block: Block = {"type": "tool_result", "tool_use_id": tool_use_id, "content": content}
    return block | {"is_error": True} if is_error else block


def _calls(content: Iterable[Block]) -> list[Block]:
    return [block for block in content if block["type"] == "tool_use"]


def _paired(said: Iterable[tuple[str, list[Block]]]) -> Iterable[tuple[str, list[Block]]]:
    """The same, with a result for every call that was left without one."""
    open_ids: list[str] = []
    for role, content in said:
        if role == "tool":
            given = [block for block in content if block["tool_use_id"] in open_ids]
            got = {block["tool_use_id"] for block in given}
            yield "user", given + [_lost(i) for i in open_ids if i not in got]
            open_ids = []
            continue
        if open_ids:
            yield "user", [_lost(i) for i in open_ids]
        open_ids = [block["id"] for block in _calls(content)]
        yield role, content
    if open_ids:
        yield "user", [_lost(i) for i in open_ids]


def _lost(tool_use_id: str) -> Block:
    return result_block(tool_use_id, LOST, is_error=True)


def _within_budget(messages: Sequence[Message]) -> list[Message]:
    """The newest whole turns that fit; the last turn always stays."""
    turns: dict[str, list[Message]] = {}
    for message in messages:
        turns.setdefault(message.turn_id, []).append(message)
    kept: list[list[Message]] = []
    used = 0
    for turn in reversed(turns.values()):
        used += sum(len(str(message.content)) for message in turn)
        if kept and used > BUDGET:
            break
        kept.insert(0, turn)
    return [message for turn in kept for message in turn]
