"""The memory tools as an MCP server at `/mcp`, for the services of a user's stack.

Streamable HTTP without state: each POST is one JSON-RPC message, each answer one JSON document.
Our own, as four methods are needed and the `mcp` package would cost each replica 25 MB.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Awaitable, Callable
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from growqr import __version__, names
from growqr.api.admission import counting_strangers, judge, of_stack
from growqr.api.auth import check_depth
from growqr.api.context import Context, Here
from growqr.errors import GrowqrError, ToolError, Unauthorized, Unavailable
from growqr.identity import Access, Principal, instance_secret, read_token, stack_of
from growqr.tools import Tool, ToolCall, ToolServices, choose, definitions, discover, validate

router = APIRouter(include_in_schema=False)

Message = dict[str, Any]

VERSIONS = ("2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05")
"""Of the protocol, newest first. What we say is the same in all of them."""

_PARSE, _REQUEST, _METHOD, _PARAMS = -32700, -32600, -32601, -32602


class Refused(Exception):
    """Answered as a JSON-RPC error: code, message."""


@router.post("/mcp")
async def receive(request: Request, here: Here) -> Response:
    """One message. Raises Unauthorized without a token of a service as it now is."""
    async with counting_strangers(here, request):
        who = await _bearer(here, request)
    judge(here, request, who, Access("mcp", "write"))
    body = await request.body()
    try:
        check_depth(body)
        message = json.loads(body)
    except (ValueError, GrowqrError):
        return JSONResponse(_error(None, _PARSE, "the body is not JSON of a sensible depth"), 400)
    if not isinstance(message, dict) or not isinstance(message.get("method"), str):
        return JSONResponse(_error(None, _REQUEST, "one JSON-RPC request is expected"), 400)
    if "id" not in message:
        return Response(status_code=202)
    try:
        params = message.get("params") or {}
        if not isinstance(params, dict):
            raise Refused(_PARAMS, "params must be an object")
        answer = await _METHODS.get(message["method"], _unknown)(
            Caller(here, who.user_id, who.via), params
        )
    except Refused as error:
        return JSONResponse(_error(message["id"], *error.args))
    return JSONResponse({"jsonrpc": "2.0", "id": message["id"], "result": answer})


class Caller:
    """Whose tools are used, and by which service."""

    def __init__(self, here: Context, user_id: str, role: str) -> None:
        self.store = here.store
        self.services = ToolServices(here.store, here.directory, {})
        self.user_id = user_id
        self.role = role

    def call(self) -> ToolCall:
        """A new call: a client that asks again means it, as it has no name for a repeat."""
        use, turn = names.new_id("req"), "mcp"
        return ToolCall(self.user_id, "", turn, use, use, None, self.role, self.services)


async def _bearer(here: Context, request: Request) -> Principal:
    """The service that asks."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    secret = instance_secret(here.settings)
    fence = read_token(secret, token if scheme == "Bearer" else "")
    if (bearer := stack_of(fence)) is None:
        raise Unauthorized("a token of a service of a stack is required")
    row = await here.store.services.get(bearer.user_id, bearer.role)
    if row is None or row.generation != bearer.generation:
        raise Unauthorized("this token is of a generation that has passed")
    return await of_stack(here, request, bearer.user_id, bearer.role)


@functools.cache
def _tools() -> dict[str, Tool[Any]]:
    return {name: tool for name, tool in discover().items() if name.endswith("_memory")}


async def _initialize(caller: Caller, params: Message) -> Message:
    asked = params.get("protocolVersion")
    return {
        "protocolVersion": asked if asked in VERSIONS else VERSIONS[0],
        "capabilities": {"tools": {"listChanged": False}},
        "serverInfo": {"name": "growqr", "version": __version__},
        "instructions": "The user's long-term memory: search it before saying you do not know.",
    }


async def _ping(caller: Caller, params: Message) -> Message:
    return {}


async def _list(caller: Caller, params: Message) -> Message:
    return {"tools": [_described(made) for made in definitions(_tools())]}


def _described(made: Message) -> Message:
    effect = _tools()[made["name"]].effect
    hints = {"readOnlyHint": effect == "read_only", "destructiveHint": False}
    hints |= {"idempotentHint": effect in ("read_only", "idempotent"), "openWorldHint": False}
    shown = {"name": made["name"], "description": made["description"]}
    return shown | {"inputSchema": made["input_schema"], "annotations": hints}


async def _call(caller: Caller, params: Message) -> Message:
    """The tool's text; what went wrong is a result too, so that the model can mend it."""
    if not isinstance(name := params.get("name"), str):
        raise Refused(_PARAMS, "params.name must name a tool")
    try:
        tool = choose(_tools(), name)
        given = validate(tool, params.get("arguments") or {})
        result = await tool.run(caller.call(), given)
    except (ToolError, Unavailable) as error:
        return {"content": [{"type": "text", "text": error.message}], "isError": True}
    text = result if isinstance(result, str) else json.dumps(result, ensure_ascii=False)
    return {"content": [{"type": "text", "text": text}], "isError": False}


async def _unknown(caller: Caller, params: Message) -> Message:
    raise Refused(_METHOD, f"known methods are {', '.join(_METHODS)}")


_METHODS: dict[str, Callable[[Caller, Message], Awaitable[Message]]] = {
    "initialize": _initialize,
    "ping": _ping,
    "tools/list": _list,
    "tools/call": _call,
}


def _error(id: Any, code: int, message: str) -> Message:
    return {"jsonrpc": "2.0", "id": id, "error": {"code": code, "message": message}}
