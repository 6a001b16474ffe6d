"""An OpenAI chat completions server over real sockets, for coding agents: it streams, calls tools
and fails as it is told. What it does is written in the last user message:

    [[bash COMMAND]]               calls the tool bash
    [[write PATH ::: CONTENT]]     calls the tool write
    [[call NAME {json}]]           calls any tool
    [[say TEXT]]                   its last word, instead of one that names the results
    [[slow SECONDS]]               waits before every piece
    [[silent SECONDS]]             sends headers, then nothing for so long
    [[status CODE]] [[status CODE N]]   answers CODE (the first N times)
    [[cut]] [[cut N]]              ends the connection in the middle (the first N times)

Tool directives are done one in a reply, in their order; after the last result comes a text that
names all results. A request for a title is answered with one, whatever is written.
`failures` holds orders for the next requests, see failures.py.
Run alone: `python -m tests.fakes.chat_completions --port 8901`.
"""

from __future__ import annotations

import argparse
import json
import re
import threading
import time
import uuid
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from tests.fakes.failures import before_reply
from tests.fakes.model_server import ModelExchange, ModelServer

_DIRECTIVE = re.compile(r"\[\[(\S+?)(?:\s+(.*?))?\]\](?!\])", re.DOTALL)
_TOOLS = {"bash", "write", "call"}

Chunk = dict[str, Any]

DONE = b"data: [DONE]\n\n"
OVERLOADED: Chunk = {"error": {"message": "Overloaded", "type": "server_error", "code": 503}}


class Refused(Exception):
    """The request is not valid: answered 400."""


class Recorded(NamedTuple):
    """One request as it came; header names in lower case."""

    headers: dict[str, str]
    body: dict[str, Any]

    @property
    def title(self) -> bool:
        """It asks for a conversation's title."""
        return _asks_title(self.body)


class ChatCompletions(ModelServer):
    """The server. `with ChatCompletions() as api:` serves on a free loopback port, see `url`."""

    def __init__(self, port: int = 0) -> None:
        self.requests: list[Recorded] = []
        super().__init__(_Exchange, port)

    @property
    def url(self) -> str:
        """The base URL a client is configured with."""
        return f"http://127.0.0.1:{self.port}/v1"

    @property
    def prompts(self) -> list[Recorded]:
        """The requests that are no title's."""
        return [request for request in self.requests if not request.title]


class _Exchange(ModelExchange):
    retry_after = dict.fromkeys((429, 503), "1")

    def do_POST(self) -> None:
        raw, headers = self.received()
        if self.path.split("?")[0] != "/v1/chat/completions":
            return self._refuse(404, f"no such path: {self.path}")
        try:
            body = json.loads(raw)
            self.server.api.requests.append(Recorded(headers, body))
            if not headers.get("authorization", "").startswith("Bearer "):
                return self._refuse(401, "no API key")
            _check(body)
        except (Refused, ValueError, KeyError, TypeError) as error:
            return self._refuse(400, str(error))
        self._answer(body)

    def _answer(self, body: dict[str, Any]) -> None:
        orders = [] if _asks_title(body) else _orders(body)
        told = dict(orders)
        failure = self.next_failure()
        if before_reply(self, failure):
            return
        if "status" in told and (code := self.due("status", told["status"])):
            return self._refuse(code, f"as told: {code}")
        chunks = list(_chunks(body, *_content(body, orders)))
        if body.get("stream") is not True:
            return self.answer(200, _whole(chunks))
        if "cut" in told and self.due("cut", "1 " + told["cut"]):
            begun = chunks[: max(1, len(chunks) // 2)]
            return self._stream(map(_sent, begun), told, "none", cut=True)
        self._stream([*map(_sent, chunks), DONE], told, failure)

    def _stream(
        self, pieces: Iterable[bytes], told: dict[str, str], failure: str, *, cut: bool = False
    ) -> None:
        pause, silence = float(told.get("slow", 0)), float(told.get("silent", 0))
        error = _sent(OVERLOADED)
        self.stream(pieces, failure, error=error, pause=pause, silence=silence, cut=cut)

    def _refuse(self, status: int, message: str) -> None:
        self.answer(status, {"error": {"message": message, "type": "api_error", "code": status}})


def _sent(chunk: Chunk) -> bytes:
    return f"data: {json.dumps(chunk)}\n\n".encode()


def _check(body: dict[str, Any]) -> None:
    """Refuses what the real API refuses: calls and results must pair."""
    if not isinstance(body.get("model"), str) or not body.get("messages"):
        raise Refused("model and messages are required")
    open_calls: set[str] = set()
    for index, message in enumerate(body["messages"]):
        if message["role"] == "tool":
            if message["tool_call_id"] not in open_calls:
                raise Refused(f"messages.{index}: a tool result without its call")
            open_calls.discard(message["tool_call_id"])
            continue
        if open_calls:
            raise Refused(f"messages.{index}: tool calls {sorted(open_calls)} have no result")
        open_calls = {call["id"] for call in message.get("tool_calls") or []}


def _asks_title(body: dict[str, Any]) -> bool:
    return not body.get("tools") and any(
        "title" in _text(message.get("content")).lower()
        for message in body["messages"]
        if message["role"] == "system"
    )


def _orders(body: dict[str, Any]) -> list[tuple[str, str]]:
    """Directives of the last user message."""
    for message in reversed(body["messages"]):
        if message["role"] == "user" and (text := _text(message["content"])):
            return [(found[1], found[2] or "") for found in _DIRECTIVE.finditer(text)]
    return []


def _content(
    body: dict[str, Any], orders: list[tuple[str, str]]
) -> tuple[str, dict[str, Any] | None]:
    """Text and tool call of the next reply."""
    if _asks_title(body):
        return "A scripted conversation", None
    results = _results(body["messages"])
    calls = [order for order in orders if order[0] in _TOOLS]
    if len(results) < len(calls):
        return f"Step {len(results) + 1}.", _call(*calls[len(results)])
    if said := dict(orders).get("say"):
        return said, None
    if results:
        return "The tools answered: " + "; ".join(results), None
    return "I am a scripted model and have nothing to do.", None


def _call(order: str, text: str) -> dict[str, Any]:
    name, given = order, {}
    if order == "bash":
        given = {"command": text, "description": "Runs what was asked"}
    elif order == "write":
        path, _, content = text.partition(" ::: ")
        given = {"filePath": path.strip(), "content": content}
    else:
        name, _, raw = text.partition(" ")
        given = json.loads(raw or "{}")
    return {"id": f"call_{uuid.uuid4().hex[:24]}", "name": name, "arguments": json.dumps(given)}


def _results(messages: list[dict[str, Any]]) -> list[str]:
    """Of the tools called since the last user message."""
    found: list[str] = []
    for message in reversed(messages):
        if message["role"] == "user":
            break
        if message["role"] == "tool":
            found.append(_text(message["content"]).strip())
    return found[::-1]


def _text(content: str | list[dict[str, Any]] | None) -> str:
    if isinstance(content, list):
        return "\n".join(part.get("text", "") for part in content if part["type"] == "text")
    return content or ""


def _chunks(body: dict[str, Any], text: str, call: dict[str, Any] | None) -> Iterator[Chunk]:
    """As the real server sends them, usage last."""
    common = {"id": f"chatcmpl-{uuid.uuid4().hex[:24]}", "object": "chat.completion.chunk"}
    common |= {"created": int(time.time()), "model": body["model"]}

    def chunk(delta: dict[str, Any], reason: str | None = None) -> Chunk:
        return common | {"choices": [{"index": 0, "delta": delta, "finish_reason": reason}]}

    yield chunk({"role": "assistant", "content": ""})
    for at in range(0, len(text), 12):
        yield chunk({"content": text[at : at + 12]})
    if call:
        function = {"name": call["name"], "arguments": ""}
        start = {"index": 0, "id": call["id"], "type": "function", "function": function}
        yield chunk({"tool_calls": [start]})
        for at in range(0, len(call["arguments"]), 20):
            piece = {"arguments": call["arguments"][at : at + 20]}
            yield chunk({"tool_calls": [{"index": 0, "function": piece}]})
    yield chunk({}, "tool_calls" if call else "stop")
    sent = max(1, len(json.dumps(body["messages"])) // 4)
    usage = {"prompt_tokens": sent, "completion_tokens": max(1, len(text) // 4)}
    yield common | {"choices": [], "usage": usage | {"total_tokens": sum(usage.values())}}


def _whole(chunks: list[Chunk]) -> dict[str, Any]:
    """The answer to a request that wants no stream; text only."""
    text = "".join(c["choices"][0]["delta"].get("content", "") for c in chunks if c["choices"])
    message = {"role": "assistant", "content": text}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    usage = {"usage": chunks[-1]["usage"]}
    return chunks[0] | {"object": "chat.completion", "choices": [choice]} | usage


def main() -> None:
    """Serve until interrupted."""
    parser = argparse.ArgumentParser(description="a scripted chat completions server")
    parser.add_argument("--port", type=int, default=8901)
    with ChatCompletions(parser.parse_args().port) as api:
        print(api.url, flush=True)
        threading.Event().wait()


if __name__ == "__main__":
    main()
