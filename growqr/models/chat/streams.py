"""A streamed reply: events of the Messages API ⇄ chunks of chat completions."""

from __future__ import annotations

import json
import re
import time
import uuid
from collections.abc import Iterable, Iterator
from typing import Any

from growqr.models.base import Block, Reply, StreamEvent
from growqr.models.stream import Assembly

Chunk = dict[str, Any]

DONE = b"data: [DONE]\n\n"

_NOT_NAME = re.compile(r"[^a-zA-Z0-9_-]")

_FINISH = {"tool_use": "tool_calls", "max_tokens": "length", "refusal": "content_filter"}
_STOP = {
    "tool_calls": "tool_use",
    "function_call": "tool_use",
    "length": "max_tokens",
    "content_filter": "refusal",
}


def encode_chunk(chunk: Chunk) -> bytes:
    """One chunk as server-sent bytes."""
    body = json.dumps(chunk, ensure_ascii=False, separators=(",", ":"))
    return f"data: {body}\n\n".encode(errors="replace")


class Chunks:
    """Our events as chunks. `feed` each event; `completion` is the whole of them."""

    def __init__(self, *, include_usage: bool = False) -> None:
        self._seen = Assembly()
        self._include_usage = include_usage
        self._id = f"chatcmpl-{uuid.uuid4().hex}"
        self._created = int(time.time())
        self._calls: dict[int, int] = {}
        self._silent: dict[int, Block] = {}

    def feed(self, event: StreamEvent) -> list[Chunk]:
        """What a client of chat completions is told of this event."""
        self._seen.feed(event)
        match event["type"]:
            case "message_start":
                return [self._chunk({"role": "assistant", "content": ""})]
            case "content_block_start" if event["content_block"]["type"] == "tool_use":
                return [self._call(event["index"], event["content_block"])]
            case "content_block_delta":
                return [self._chunk(d) for d in self._delta(event["index"], event["delta"])]
            case "content_block_stop" if call := self._silent.pop(event["index"], None):
                return [self._chunk(self._arguments(event["index"], json.dumps(call["input"])))]
            case "message_stop":
                return self._end()
        return []

    def completion(self) -> Chunk:
        """The whole reply as one object. Raises ModelUnavailable when its end never came."""
        reply = self._seen.reply()
        message: Chunk = {"role": "assistant", "content": reply.text or None}
        if calls := [_tool_call(call) for call in reply.tool_calls]:
            message["tool_calls"] = calls
        choice = {"index": 0, "message": message, "finish_reason": _finish(reply.stop_reason)}
        head = self._head("chat.completion")
        return head | {"choices": [choice], "usage": _usage(reply)}

    def _head(self, kind: str) -> Chunk:
        model = self._seen.model
        return {"id": self._id, "object": kind, "created": self._created, "model": model}

    def _chunk(self, delta: Chunk, finish: str | None = None) -> Chunk:
        choice = {"index": 0, "delta": delta, "finish_reason": finish}
        return self._head("chat.completion.chunk") | {"choices": [choice]}

    def _call(self, index: int, block: Block) -> Chunk:
        number = self._calls.setdefault(index, len(self._calls))
        self._silent[index] = block  # until its arguments come
        function = {"name": block["name"], "arguments": ""}
        call = {"index": number, "id": block["id"], "type": "function", "function": function}
        return self._chunk({"tool_calls": [call]})

    def _arguments(self, index: int, piece: str) -> Chunk:
        return {"tool_calls": [{"index": self._calls[index], "function": {"arguments": piece}}]}

    def _delta(self, index: int, delta: Chunk) -> Iterator[Chunk]:
        match delta.get("type"):
            case "text_delta":
                yield {"content": delta["text"]}
            case "thinking_delta":
                yield {"reasoning_content": delta["thinking"]}
            case "input_json_delta" if delta["partial_json"]:
                self._silent.pop(index, None)
                yield self._arguments(index, delta["partial_json"])

    def _end(self) -> list[Chunk]:
        reply = self._seen.reply()
        chunks = [self._chunk({}, _finish(reply.stop_reason))]
        if self._include_usage:
            told = {"choices": [], "usage": _usage(reply)}
            chunks.append(self._head("chat.completion.chunk") | told)
        return chunks


class Events:
    """Chunks of a chat completion as our events. `feed` each chunk, then `end` once.

    `taken`: ids that earlier calls have. Some servers number anew in each reply, or use signs
    that the Messages API refuses; then the call is given another id.
    """

    def __init__(self, taken: Iterable[str] = ()) -> None:
        self._taken = set(taken)
        self._begun = False
        self._text: tuple[str, int] | None = None  # (kind, index) of the open text or thinking
        self._open: dict[int, tuple[int, str]] = {}  # their index → (our index, id) of a call
        self._count = 0
        self._stop: str | None = None
        self._usage: dict[str, int] = {}

    def feed(self, chunk: Chunk) -> Iterator[StreamEvent]:
        """Events of one chunk. Raises KeyError or TypeError when it is none."""
        if not self._begun:
            self._begun = True
            yield _message_start(chunk)
        if usage := chunk.get("usage"):
            self._usage = _counts(usage)
        for choice in chunk.get("choices") or []:
            if choice.get("index", 0) == 0:
                yield from self._delta(choice.get("delta") or choice.get("message") or {})
                if reason := choice.get("finish_reason"):
                    self._stop = _STOP.get(reason, "end_turn")

    def end(self) -> Iterator[StreamEvent]:
        """The last events; none when the server never said that it had finished."""
        if self._stop is None:
            return
        called = bool(self._open)
        yield from self._close()
        stop = "tool_use" if called and self._stop == "end_turn" else self._stop
        delta = {"stop_reason": stop, "stop_sequence": None}
        yield {"type": "message_delta", "delta": delta, "usage": self._usage}
        yield {"type": "message_stop"}

    def _delta(self, delta: Chunk) -> Iterator[StreamEvent]:
        if thought := delta.get("reasoning_content") or delta.get("reasoning"):
            yield from self._piece("thinking", thought)
        if text := delta.get("content") or delta.get("refusal"):
            yield from self._piece("text", text)
        for position, call in enumerate(delta.get("tool_calls") or []):
            yield from self._tool(call, position)

    def _piece(self, kind: str, piece: str) -> Iterator[StreamEvent]:
        if self._text is None or self._text[0] != kind:
            yield from self._close_text()
            self._text = kind, self._next()
            yield _start(self._text[1], {"type": kind, kind: ""})
        yield _delta(self._text[1], {"type": f"{kind}_delta", kind: piece})

    def _tool(self, call: Chunk, position: int) -> Iterator[StreamEvent]:
        """Calls stay open to the end, as servers may send several at once, piece by piece."""
        function, given = call.get("function") or {}, call.get("id") or ""
        key = call.get("index", position)
        if key in self._open and function.get("name") and given not in ("", self._open[key][1]):
            key = -1 - self._count  # some servers give every call the same index
        if key not in self._open:
            if not function.get("name"):  # goes on with the call that began last
                key = list(self._open)[-1]
            else:
                yield from self._close_text()
                self._open[key] = index, _ = self._next(), given
                name = _NOT_NAME.sub("_", function["name"])
                use = {"type": "tool_use", "id": self._own(given), "name": name, "input": {}}
                yield _start(index, use)
        if piece := function.get("arguments"):
            text = piece if isinstance(piece, str) else json.dumps(piece)
            delta = {"type": "input_json_delta", "partial_json": text}
            yield _delta(self._open[key][0], delta)

    def _own(self, given: str) -> str:
        if not given or _NOT_NAME.search(given) or given in self._taken:
            given = f"call_{uuid.uuid4().hex[:24]}"
        self._taken.add(given)
        return given

    def _next(self) -> int:
        self._count += 1
        return self._count - 1

    def _close(self) -> Iterator[StreamEvent]:
        yield from self._close_text()
        for index, _ in self._open.values():
            yield {"type": "content_block_stop", "index": index}

    def _close_text(self) -> Iterator[StreamEvent]:
        if self._text is not None:
            yield {"type": "content_block_stop", "index": self._text[1]}
            self._text = None


def _start(index: int, block: Block) -> StreamEvent:
    return {"type": "content_block_start", "index": index, "content_block": block}


def _delta(index: int, delta: Chunk) -> StreamEvent:
    return {"type": "content_block_delta", "index": index, "delta": delta}


def _message_start(chunk: Chunk) -> StreamEvent:
    message: Chunk = {
        "id": chunk.get("id") or f"msg_{uuid.uuid4().hex[:24]}",
        "type": "message",
        "role": "assistant",
        "model": chunk.get("model") or "",
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": {"input_tokens": 0, "output_tokens": 0},
    }
    return {"type": "message_start", "message": message}


def _finish(stop_reason: str) -> str:
    return _FINISH.get(stop_reason, "stop")


def _tool_call(call: Block) -> Chunk:
    function = {"name": call["name"], "arguments": json.dumps(call["input"], ensure_ascii=False)}
    return {"id": call["id"], "type": "function", "function": function}


def _usage(reply: Reply) -> dict[str, Any]:
    """Their prompt tokens count what was cached, ours do not."""
    cached = reply.usage["cache_read_tokens"]
    asked = reply.usage["input_tokens"] + cached + reply.usage["cache_write_tokens"]
    said = reply.usage["output_tokens"]
    return {
        "prompt_tokens": asked,
        "completion_tokens": said,
        "total_tokens": asked + said,
        "prompt_tokens_details": {"cached_tokens": cached},
    }


def _counts(usage: Chunk) -> dict[str, int]:
    cached = (usage.get("prompt_tokens_details") or {}).get("cached_tokens") or 0
    return {
        "input_tokens": max(0, (usage.get("prompt_tokens") or 0) - cached),
        "output_tokens": usage.get("completion_tokens") or 0,
        "cache_read_input_tokens": cached,
    }
