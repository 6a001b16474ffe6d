"""The Messages API's event stream: bytes ⇄ events ⇄ content blocks."""

from __future__ import annotations

import json
from collections.abc import AsyncIterable, AsyncIterator, Iterator
from typing import Any

from growqr.errors import ModelUnavailable
from growqr.models.base import Block, Reply, StreamEvent

INVALID_JSON = "invalid_json"
"""Only key of a tool call's input when its arguments were no JSON object; holds what was sent."""

MAX_EVENT = 8 << 20
"""Bytes one event may have."""

_CUT = {"reason": "cut"}

_TOKENS = {
    "input_tokens": "input_tokens",
    "output_tokens": "output_tokens",
    "cache_read_input_tokens": "cache_read_tokens",
    "cache_creation_input_tokens": "cache_write_tokens",
}


_DELTAS = {
    "text_delta": ("text", "text", "text"),
    "thinking_delta": ("thinking", "thinking", "thinking"),
    "signature_delta": ("thinking", "signature", "signature"),
}
"""Type of a delta → type of its block, key in the block, key in the delta."""


class Assembly:
    """A reply while it arrives. Unknown events and deltas are passed over, as the API asks.

    What is not as the API has it is no reply: half a block never becomes part of one.
    """

    def __init__(self) -> None:
        self.content: list[Block] = []
        self.model = ""
        self.stop_reason: str | None = None
        self.usage = dict.fromkeys(_TOKENS.values(), 0)
        self.started = False
        self.complete = False
        self._open: dict[int, Block] = {}
        self._arguments: dict[int, str] = {}
        self._calls: set[str] = set()

    def feed(self, event: StreamEvent) -> tuple[str, str] | None:
        """Take the next event; returns ("text" | "thinking", piece) when there is one to show.

        Raises ModelUnavailable when the event is not as the API has it.
        """
        try:
            return self._take(event)
        except (LookupError, TypeError, AttributeError, ValueError):
            kind = event.get("type") if isinstance(event, dict) else type(event).__name__
            said = f"the model's server sent a malformed event: {kind}"
            raise ModelUnavailable(said, _CUT) from None

    def _take(self, event: StreamEvent) -> tuple[str, str] | None:
        match event.get("type"):
            case "message_start":
                self._start(event["message"])
            case "content_block_start":
                self._begin(event["index"], dict(event["content_block"]))
            case "content_block_delta":
                return self._delta(event["index"], event["delta"])
            case "content_block_stop":
                self._close(event["index"])
            case "message_delta":
                self.stop_reason = event["delta"].get("stop_reason") or self.stop_reason
                self._count(event.get("usage"))
            case "message_stop":
                _require(self.started and not self._open)
                self.complete = True
        return None

    def reply(self) -> Reply:
        """The whole reply. Raises ModelUnavailable when its end never came."""
        if not self.complete:
            raise ModelUnavailable("the model's reply was cut before its end", _CUT)
        return Reply(self.content, self.stop_reason or "end_turn", self.model, self.usage)

    def _start(self, message: dict[str, Any]) -> None:
        _require(not self.started)
        self.started = True
        self.model = str(message.get("model") or "")
        self._count(message.get("usage"))

    def _begin(self, index: int, block: Block) -> None:
        _require(self.started and index not in self._open)
        if block["type"] == "tool_use":
            _require(all(isinstance(block[key], str) and block[key] for key in ("id", "name")))
            _require(isinstance(block.setdefault("input", {}), dict))
            _require(block["id"] not in self._calls)
            self._calls.add(block["id"])
        elif block["type"] in ("text", "thinking"):
            _require(isinstance(block.get(block["type"], ""), str))
        self._open[index] = block

    def _count(self, usage: dict[str, Any] | None) -> None:
        """The API's counts are running totals: the last one said of each kind holds."""
        for theirs, ours in _TOKENS.items():
            if isinstance(count := (usage or {}).get(theirs), int):
                self.usage[ours] = count

    def _delta(self, index: int, delta: dict[str, Any]) -> tuple[str, str] | None:
        block, kind = self._open[index], delta.get("type")
        if kind == "input_json_delta":
            self._arguments[index] = self._arguments.get(index, "") + delta["partial_json"]
        elif kind in _DELTAS:
            of, key, said = _DELTAS[kind]
            _require(block["type"] == of)
            block[key] = block.get(key, "") + delta[said]
            return (of, delta[said]) if key == of else None
        return None

    def _close(self, index: int) -> None:
        block = self._open.pop(index)
        if block["type"] == "text" and not block.get("text"):
            return  # the API refuses an empty text block when it is sent back
        if block["type"] == "thinking" and not block.get("signature"):
            return  # and thinking that it has not signed itself
        if (arguments := self._arguments.pop(index, "")) and "input" in block:
            block["input"] = tool_input(arguments)
        self.content.append(block)


def _require(right: bool) -> None:
    if not right:
        raise ValueError


def tool_input(arguments: str) -> dict[str, Any]:
    """A tool call's arguments as they were sent, or INVALID_JSON with them."""
    try:
        value = json.loads(arguments)
    except ValueError:
        value = None
    return value if isinstance(value, dict) else {INVALID_JSON: arguments[:2000]}


def encode(event: StreamEvent) -> bytes:
    """One event as server-sent bytes."""
    body = json.dumps(event, ensure_ascii=False, separators=(",", ":"))
    return f"event: {event['type']}\ndata: {body}\n\n".encode(errors="replace")


async def decode(chunks: AsyncIterable[bytes]) -> AsyncIterator[StreamEvent]:
    """Events of a stream of server-sent bytes, however it was cut into chunks, up to `[DONE]`.

    Raises ModelUnavailable when an event is no JSON or has no end.
    """
    buffer = b""
    async for chunk in chunks:
        *records, buffer = (buffer + chunk).replace(b"\r\n", b"\n").split(b"\n\n")
        for record in records:
            if record.removeprefix(b"data:").strip() == b"[DONE]":
                return
            if event := _event(record):
                yield event
        if len(buffer) > MAX_EVENT:
            raise ModelUnavailable("the model's server sent an event without end", _CUT)


def _event(record: bytes) -> StreamEvent | None:
    lines = [line[5:].strip() for line in record.split(b"\n") if line.startswith(b"data:")]
    if not lines:
        return None
    try:
        event = json.loads(b"\n".join(lines))
    except ValueError as error:
        raise ModelUnavailable(f"the model's server sent no JSON: {error}", _CUT) from None
    if not isinstance(event, dict):
        raise ModelUnavailable("the model's server sent an event that is no object", _CUT)
    return event


def events_of(
    content: list[Block], *, message_id: str, model: str, stop_reason: str, usage: dict[str, int]
) -> Iterator[StreamEvent]:
    """The events that stream a reply which is already known, text and thinking word by word.

    `usage` has the API's names (input_tokens, output_tokens).
    """
    message: dict[str, Any] = {
        "id": message_id,
        "type": "message",
        "role": "assistant",
        "model": model,
    }
    message |= {"content": [], "stop_reason": None, "stop_sequence": None}
    yield {"type": "message_start", "message": message | {"usage": usage | {"output_tokens": 1}}}
    for index, block in enumerate(content):
        empty, deltas = _taken_apart(block)
        yield {"type": "content_block_start", "index": index, "content_block": empty}
        for delta in deltas:
            yield {"type": "content_block_delta", "index": index, "delta": delta}
        yield {"type": "content_block_stop", "index": index}
    end = {"stop_reason": stop_reason, "stop_sequence": None}
    yield {"type": "message_delta", "delta": end, "usage": usage}
    yield {"type": "message_stop"}


def _taken_apart(block: Block) -> tuple[Block, list[dict[str, Any]]]:
    match block["type"]:
        case "text":
            pieces = words(block["text"])
            return block | {"text": ""}, [{"type": "text_delta", "text": p} for p in pieces]
        case "tool_use":
            body = json.dumps(block["input"], ensure_ascii=False)
            pieces = [body[: len(body) // 2], body[len(body) // 2 :]]
            return block | {"input": {}}, [
                {"type": "input_json_delta", "partial_json": piece} for piece in pieces
            ]
    return block, []


def words(text: str) -> list[str]:
    """`text` in pieces that join to it again, one word each."""
    pieces = text.split(" ")
    return [piece + " " for piece in pieces[:-1]] + [pieces[-1]]
