"""A Messages API server over real sockets: streams, refuses what the real one refuses, and fails
as it is told. What it does is written in the user's last message:

    [[tools NAME {json} ; NAME {json}]]   calls these tools in one reply
    [[bad-args NAME raw]]                 calls a tool with `raw` as its arguments
    [[say TEXT]]                          says this, behind the results of tools it was to call
    [[thinking]]                          thinks first, with a signature
    [[slow SECONDS]]                      waits before every event
    [[status CODE]] [[status CODE N]]     answers CODE (the first N times)
    [[cut]] [[cut N]]                     ends the connection in the middle (the first N times)
    [[error TYPE]]                        an error event in the middle of the stream

Without a directive it answers as the offline model does. `failures` holds orders for the next
requests, see failures.py. Run alone:
`python -m tests.fakes.messages_api --port 8900 --key sk-test`.
"""

from __future__ import annotations

import argparse
import json
import re
import threading
import time
import uuid
from collections.abc import Iterator
from typing import Any, NamedTuple

from growqr.models.offline import compose
from tests.fakes.failures import before_reply
from tests.fakes.messages_rules import Refused, check, signature
from tests.fakes.model_server import ModelExchange, ModelServer

_DIRECTIVE = re.compile(r"\[\[(\S+?)(?:\s+(.*?))?\]\](?!\])", re.DOTALL)
THOUGHT = "Let me think about what is asked."
RETRY_AFTER = "0.05"

Event = dict[str, Any]

OVERLOADED: Event = {
    "type": "error",
    "error": {"type": "overloaded_error", "message": "Overloaded"},
}


class Recorded(NamedTuple):
    """One request as it came, and when (monotonic); header names in lower case."""

    headers: dict[str, str]
    body: dict[str, Any]
    at: float = 0.0


class MessagesApi(ModelServer):
    """The server. `with MessagesApi() as api:` serves on a free loopback port, see `url`."""

    def __init__(self, port: int = 0, key: str | None = None) -> None:
        self.key = key
        self.requests: list[Recorded] = []
        self.thought: dict[str, str] = {}
        self.says = "as told"
        """The message of an error that was ordered."""
        super().__init__(_Exchange, port)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


class _Exchange(ModelExchange):
    retry_after = dict.fromkeys((429, 503, 529), RETRY_AFTER)

    def do_GET(self) -> None:
        self.answer(200, {"status": "ok"})

    def do_POST(self) -> None:
        api, at = self.server.api, time.monotonic()
        raw, headers = self.received()
        if self.path.split("?")[0] != "/v1/messages":
            return self._refuse(404, "not_found_error", self.path)
        try:
            body = json.loads(raw)
            api.requests.append(Recorded(headers, body, at))
            if not headers.get("x-api-key") or api.key not in (None, headers["x-api-key"]):
                return self._refuse(401, "authentication_error", "invalid x-api-key")
            if "anthropic-version" not in headers:
                raise Refused("anthropic-version: header is required")
            check(body, api.thought)
        except (Refused, ValueError, KeyError, TypeError) as error:
            return self._refuse(400, "invalid_request_error", str(error))
        self._answer(body)

    def _answer(self, body: dict[str, Any]) -> None:
        orders = _orders(body)
        failure = self.next_failure()
        if before_reply(self, failure):
            return
        if "status" in orders and (code := self.due("status", orders["status"])):
            kind = "overloaded_error" if code == 529 else "api_error"
            return self._refuse(
                code, kind if code != 429 else "rate_limit_error", self.server.api.says
            )
        content, stop_reason = _content(body, orders)
        if content[0]["type"] == "thinking":
            signed = content[0]["signature"]
            self.server.api.thought |= {b["id"]: signed for b in content if b["type"] == "tool_use"}
        message = _message(body, content, stop_reason)
        if body.get("stream") is not True:
            return self.answer(200, message)
        events = list(_events(message))
        if "cut" in orders and self.due("cut", "1 " + orders["cut"]):
            return self._stream(events[: 2 * len(events) // 3], orders, "none", cut=True)
        if "error" in orders:
            error = {"type": orders["error"] or "overloaded_error", "message": self.server.api.says}
            events = [*events[: len(events) // 2], {"type": "error", "error": error}]
        self._stream(events, orders, failure)

    def _stream(
        self, events: list[Event], orders: dict[str, str], failure: str, *, cut: bool = False
    ) -> None:
        pause = float(orders.get("slow", 0))
        self.stream(map(_sent, events), failure, error=_sent(OVERLOADED), pause=pause, cut=cut)

    def _refuse(self, status: int, kind: str, message: str) -> None:
        self.answer(status, {"type": "error", "error": {"type": kind, "message": message}})


def _sent(event: Event) -> bytes:
    return f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode()


def _orders(body: dict[str, Any]) -> dict[str, str]:
    """Directives of the last user message that has text."""
    for message in reversed(body["messages"]):
        if message["role"] == "user" and (text := _text(message["content"])):
            return {found[1]: found[2] or "" for found in _DIRECTIVE.finditer(text)}
    return {}


def _content(body: dict[str, Any], orders: dict[str, str]) -> tuple[list[dict[str, Any]], str]:
    thinking = {"type": "thinking", "thinking": THOUGHT, "signature": signature(THOUGHT)}
    before = [thinking] if "thinking" in orders else []
    results = _results(body["messages"][-1])
    told = {"type": "text", "text": orders.get("say", "")}
    if told["text"] and (results or not orders.keys() & {"tools", "bad-args"}):
        return [*before, told], "end_turn"
    if results:
        said = "; ".join(results)
        if orders.keys() & {"tools", "bad-args"}:
            return [*before, {"type": "text", "text": f"The tools answered: {said}"}], "end_turn"
    elif "tools" in orders:
        return before + [_tool_use(call) for call in orders["tools"].split(" ; ")], "tool_use"
    elif "bad-args" in orders:
        name, _, raw = orders["bad-args"].partition(" ")
        return [*before, _tool_use(name) | {"raw": raw}], "tool_use"
    content, stop_reason = compose(body)
    return before + content, stop_reason


def _tool_use(call: str) -> dict[str, Any]:
    name, _, given = call.strip().partition(" ")
    use = {"type": "tool_use", "id": f"toolu_{uuid.uuid4().hex[:24]}", "name": name}
    return use | {"input": json.loads(given or "{}")}


def _results(message: dict[str, Any]) -> list[str]:
    content = message["content"] if isinstance(message["content"], list) else []
    return [
        ("failed: " if block.get("is_error") else "") + _text(block.get("content", ""))
        for block in content
        if block["type"] == "tool_result"
    ]


def _text(content: str | list[dict[str, Any]]) -> str:
    if isinstance(content, str):
        return content
    return "\n".join(block["text"] for block in content if block["type"] == "text")


def _message(
    body: dict[str, Any], content: list[dict[str, Any]], stop_reason: str
) -> dict[str, Any]:
    usage = {
        "input_tokens": max(1, len(json.dumps(body["messages"])) // 4),
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": 7,
        "output_tokens": max(1, len(json.dumps(content)) // 4),
        "service_tier": "standard",
    }
    return {
        "id": f"msg_{uuid.uuid4().hex[:24]}",
        "type": "message",
        "role": "assistant",
        "model": body["model"],
        "content": content,
        "stop_reason": stop_reason,
        "stop_sequence": None,
        "usage": usage,
    }


def _events(message: dict[str, Any]) -> Iterator[Event]:
    """As the real server sends them, pings and running counts included."""
    start = message | {"content": [], "stop_reason": None}
    yield {
        "type": "message_start",
        "message": start | {"usage": message["usage"] | {"output_tokens": 2}},
    }
    yield {"type": "ping"}
    for index, block in enumerate(message["content"]):
        empty, deltas = _apart(block)
        yield {"type": "content_block_start", "index": index, "content_block": empty}
        for delta in deltas:
            yield {"type": "content_block_delta", "index": index, "delta": delta}
        yield {"type": "content_block_stop", "index": index}
    yield {
        "type": "message_delta",
        "delta": {"stop_reason": message["stop_reason"], "stop_sequence": None},
        "usage": {"output_tokens": message["usage"]["output_tokens"]},
    }
    yield {"type": "message_stop"}


def _apart(block: dict[str, Any]) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    if block["type"] == "text":
        pieces = _pieces(block["text"], 9)
        return {"type": "text", "text": ""}, [{"type": "text_delta", "text": p} for p in pieces]
    if block["type"] == "thinking":
        deltas = [{"type": "thinking_delta", "thinking": p} for p in _pieces(block["thinking"], 9)]
        deltas.append({"type": "signature_delta", "signature": block["signature"]})
        return {"type": "thinking", "thinking": "", "signature": ""}, deltas
    raw = block.get("raw", json.dumps(block.get("input")))
    empty = {key: block[key] for key in ("type", "id", "name")} | {"input": {}}
    return empty, [{"type": "input_json_delta", "partial_json": p} for p in ["", *_pieces(raw, 5)]]


def _pieces(text: str, size: int) -> list[str]:
    return [text[at : at + size] for at in range(0, len(text), size)]


def main() -> None:
    """Serve until interrupted."""
    parser = argparse.ArgumentParser(description="a scripted Messages API server")
    parser.add_argument("--port", type=int, default=8900)
    parser.add_argument("--key", default=None, help="the only key that is accepted")
    chosen = parser.parse_args()
    with MessagesApi(chosen.port, chosen.key) as api:
        print(api.url, flush=True)
        threading.Event().wait()


if __name__ == "__main__":
    main()
