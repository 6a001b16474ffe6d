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
from collections import Counter, deque
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, NamedTuple, Self

from tests.fakes.failures import before_reply, breaks, spoil

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


class ChatCompletions:
    """The server. `with ChatCompletions() as api:` serves on a free loopback port, see `url`."""

    def __init__(self, port: int = 0) -> None:
        self.requests: list[Recorded] = []
        self.hung_up = threading.Event()
        self.seen: Counter[str] = Counter()
        self.failures: deque[str] = deque()
        self._server = _Server(("127.0.0.1", port), _Exchange)
        self._server.api = self
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))

    @property
    def url(self) -> str:
        """The base URL a client is configured with."""
        return f"http://127.0.0.1:{self._server.server_address[1]}/v1"

    @property
    def prompts(self) -> list[Recorded]:
        """The requests that are no title's."""
        return [request for request in self.requests if not request.title]

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128
    api: ChatCompletions

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is no news here."""


class _Exchange(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def do_POST(self) -> None:
        raw = self.rfile.read(int(self.headers.get("content-length", 0)))
        headers = {name.lower(): value for name, value in self.headers.items()}
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
        failures = self.server.api.failures
        failure = failures.popleft() if failures else "none"
        if before_reply(self, failure):
            return
        if "status" in told and (code := self._due("status", told["status"])):
            return self._refuse(code, f"as told: {code}")
        chunks = list(_chunks(body, *_content(body, orders)))
        if body.get("stream") is not True:
            return self._json(200, _whole(chunks))
        if "cut" in told and self._due("cut", "1 " + told["cut"]):
            return self._stream(chunks[: max(1, len(chunks) // 2)], told, cut=True)
        self._stream(chunks, told, cut=breaks(failure), failure=failure)

    def _due(self, order: str, text: str) -> int:
        """The number of an order, 0 once it was done as often as it says."""
        number, *times = [int(part) for part in text.split()]
        if times:
            self.server.api.seen[f"{order} {text}"] += 1
            if self.server.api.seen[f"{order} {text}"] > times[0]:
                return 0
        return number

    def _stream(
        self, chunks: list[Chunk], told: dict[str, str], cut: bool = False, failure: str = "none"
    ) -> None:
        self.send_response(200)
        self.send_header("content-type", "text/event-stream; charset=utf-8")
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()
        try:
            time.sleep(float(told.get("silent", 0)))
            for piece in spoil(failure, [*map(_sent, chunks), DONE], _sent(OVERLOADED)):
                time.sleep(piece if isinstance(piece, float) else float(told.get("slow", 0)))
                if isinstance(piece, bytes) and not (cut and piece is DONE):
                    self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
            if not cut:
                self.wfile.write(b"0\r\n\r\n")
        except OSError:
            self.server.api.hung_up.set()
        self.close_connection = self.close_connection or cut

    def _refuse(self, status: int, message: str) -> None:
        self._json(status, {"error": {"message": message, "type": "api_error", "code": status}})

    def _json(self, status: int, body: Any) -> None:
        sent = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(sent)))
        if status in (429, 503):
            self.send_header("retry-after", "1")
        self.end_headers()
        self.wfile.write(sent)


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
