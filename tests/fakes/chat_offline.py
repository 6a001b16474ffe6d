"""A chat completions server that answers as the offline model does, several calls in one reply
included. It refuses what the real API refuses. An ASGI app, to be run by `serving`.
"""

from __future__ import annotations

import json
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, StreamingResponse

from growqr.models.offline import compose
from tests.fakes.chat_completions import Refused, _check

Body = dict[str, Any]


def offline_chat(key: str, requests: list[Body]) -> FastAPI:
    """The app; every accepted request is added to `requests`."""
    app = FastAPI()

    @app.get("/v1/models")
    async def models() -> Body:
        return {"object": "list", "data": [{"id": "only-one", "object": "model"}]}

    @app.post("/v1/chat/completions", response_model=None)
    async def completions(request: Request) -> StreamingResponse | JSONResponse:
        body = await request.json()
        if request.headers.get("authorization") != f"Bearer {key}":
            return JSONResponse({"error": {"message": "Incorrect API key"}}, 401)
        try:
            _check(body)
        except Refused as error:
            return JSONResponse({"error": {"message": str(error)}}, 400)
        requests.append(body)
        return StreamingResponse(_stream(body), media_type="text/event-stream")

    return app


async def _stream(body: Body) -> Any:
    content, _ = compose({"messages": _talk(body["messages"]), "tools": _tools(body)})
    yield _piece({"role": "assistant", "content": ""})
    calls = [block for block in content if block["type"] == "tool_use"]
    for block in content:
        if block["type"] == "text":
            for at in range(0, len(block["text"]), 9):
                yield _piece({"content": block["text"][at : at + 9]})
    for index, call in enumerate(calls):
        function = {"name": call["name"], "arguments": ""}
        start = {"index": index, "id": call["id"], "type": "function", "function": function}
        yield _piece({"tool_calls": [start]})
        sent = json.dumps(call["input"])
        for at in range(0, len(sent), 7):
            piece = {"index": index, "function": {"arguments": sent[at : at + 7]}}
            yield _piece({"tool_calls": [piece]})
    yield _piece({}, "tool_calls" if calls else "stop")
    usage: Body = {"prompt_tokens": 20, "completion_tokens": 5, "total_tokens": 25}
    usage["prompt_tokens_details"] = {"cached_tokens": 8}
    if body.get("stream_options") == {"include_usage": True}:
        yield _sent({"id": "c-1", "model": body["model"], "choices": [], "usage": usage})
    yield b"data: [DONE]\n\n"


def _piece(delta: Body, reason: str | None = None) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": reason}
    return _sent({"id": "c-1", "model": "m", "choices": [choice]})


def _sent(chunk: Body) -> bytes:
    return f"data: {json.dumps(chunk)}\n\n".encode()


def _tools(body: Body) -> list[Body]:
    return [{"name": tool["function"]["name"]} for tool in body.get("tools") or []]


def _talk(messages: list[Body]) -> list[Body]:
    """As the offline model wants it."""
    made: list[Body] = []
    for message in messages:
        if message["role"] == "tool":
            block = {"type": "tool_result", "tool_use_id": message["tool_call_id"]}
            made.append({"role": "user", "content": [block | {"content": message["content"]}]})
        elif message["role"] == "assistant":
            calls = [
                {"type": "tool_use", "id": call["id"], "name": call["function"]["name"]}
                | {"input": json.loads(call["function"]["arguments"])}
                for call in message.get("tool_calls") or []
            ]
            made.append({"role": "assistant", "content": calls})
        elif message["role"] == "user":
            made.append(message)
    return made
