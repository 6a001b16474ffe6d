"""A request in the form of chat completions ⇄ one of the Messages API.

What one side cannot say is left out; what it would refuse (two messages of one role, a call
without its result) is mended.
"""

from __future__ import annotations

import json
import re
from typing import Any

from growqr.errors import Invalid
from growqr.models.base import Block
from growqr.models.stream import tool_input

Body = dict[str, Any]

NO_RESULT = "There is no result: the call was interrupted. It may or may not have happened."

_DATA_URL = re.compile(r"data:([\w/+.-]+);base64,(.+)", re.DOTALL)
_CHOICES = {"auto": "auto", "none": "none", "required": "any"}
_SAME = ("model", "temperature", "top_p", "stream")


def from_chat(body: Body) -> Body:
    """The request as the Messages API has it. Raises Invalid naming what cannot be read."""
    try:
        return _from_chat(body)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise Invalid(f"the request is no chat completion: {error!r}"[:300]) from None


def to_chat(body: Body) -> Body:
    """A request of the Messages API for a server of chat completions."""
    made: Body = {key: body[key] for key in _SAME if key in body}
    made |= {"max_tokens": body["max_tokens"], "messages": _said_to_chat(body)}
    if stops := body.get("stop_sequences"):
        made["stop"] = stops
    if tools := body.get("tools"):
        made["tools"] = [_function(tool) for tool in tools]
        if choice := body.get("tool_choice"):
            made["tool_choice"] = _choice_to_chat(choice)
    return made


def call_ids(body: Body) -> set[str]:
    """Ids of the tool calls in a request of the Messages API."""
    contents = [message["content"] for message in body["messages"]]
    blocks = [block for content in contents if not isinstance(content, str) for block in content]
    return {block["id"] for block in blocks if block["type"] == "tool_use"}


def _from_chat(body: Body) -> Body:
    system, messages = _conversation(body["messages"])
    made: Body = {key: body[key] for key in _SAME if body.get(key) is not None}
    made |= {"messages": _answered(messages)}
    if most := body.get("max_completion_tokens") or body.get("max_tokens"):
        made["max_tokens"] = most
    if system:
        made["system"] = system
    if "temperature" in made:
        made["temperature"] = min(made["temperature"], 1)
    if stops := body.get("stop"):
        made["stop_sequences"] = [stops] if isinstance(stops, str) else stops
    if tools := [_tool(tool["function"]) for tool in body.get("tools") or []]:
        made |= {"tools": tools} | _choice_from_chat(body)
    elif used := sorted(_used(messages)):  # a talk with calls in it is refused without tools
        made["tools"] = [_tool({"name": name}) for name in used]
        made["tool_choice"] = {"type": "none"}
    return made


def _conversation(messages: list[Body]) -> tuple[str, list[Body]]:
    """(system text, messages whose roles alternate)."""
    system: list[str] = []
    made: list[Body] = []
    for message in messages:
        role = message["role"]
        if role in ("system", "developer"):
            system += [block["text"] for block in _blocks(message["content"])]
            continue
        blocks = _assistant(message) if role == "assistant" else _user(message)
        role = "assistant" if role == "assistant" else "user"
        if made and made[-1]["role"] == role:
            made[-1]["content"] += blocks
        elif blocks:
            made.append({"role": role, "content": blocks})
    return "\n\n".join(system), made


def _assistant(message: Body) -> list[Block]:
    calls = [
        {
            "type": "tool_use",
            "id": _id(call["id"]),
            "name": call["function"]["name"],
            "input": tool_input(call["function"].get("arguments") or "{}"),
        }
        for call in message.get("tool_calls") or []
    ]
    return _blocks(message.get("content")) + calls


def _user(message: Body) -> list[Block]:
    content = _blocks(message.get("content"))
    if message["role"] != "tool":
        return content
    return [
        {"type": "tool_result", "tool_use_id": _id(message["tool_call_id"]), "content": content}
    ]


def _answered(messages: list[Body]) -> list[Body]:
    """The messages with a result for each call, ahead of what else was said after it."""
    made: list[Body] = []
    for index, message in enumerate(messages):
        made.append(message)
        asked = [block["id"] for block in message["content"] if block["type"] == "tool_use"]
        if not asked:
            continue
        if index + 1 == len(messages) or messages[index + 1]["role"] == "assistant":
            messages.insert(index + 1, {"role": "user", "content": []})
        after = messages[index + 1]["content"]
        came = {b["tool_use_id"]: b for b in after if b["type"] == "tool_result"}
        lost = {"type": "tool_result", "content": NO_RESULT, "is_error": True}
        results = [came.get(one) or lost | {"tool_use_id": one} for one in asked]
        messages[index + 1]["content"] = results + [b for b in after if b["type"] != "tool_result"]
    return made


def _blocks(content: Any) -> list[Block]:
    """Text and images; what is neither, or empty, is left out."""
    if isinstance(content, str):
        content = [{"type": "text", "text": content}]
    made: list[Block] = []
    for part in content or []:
        if part["type"] == "text" and part["text"].strip():
            made.append({"type": "text", "text": part["text"]})
        elif part["type"] == "image_url":
            made.append({"type": "image", "source": _source(part["image_url"]["url"])})
    return made


def _source(url: str) -> Body:
    if found := _DATA_URL.fullmatch(url):
        return {"type": "base64", "media_type": found[1], "data": found[2]}
    return {"type": "url", "url": url}


def _used(messages: list[Body]) -> set[str]:
    blocks = [block for message in messages for block in message["content"]]
    return {block["name"] for block in blocks if block["type"] == "tool_use"}


def _tool(function: Body) -> Body:
    schema = function.get("parameters") or {"type": "object", "properties": {}}
    described = {"description": text} if (text := function.get("description")) else {}
    return {"name": function["name"]} | described | {"input_schema": schema}


def _choice_from_chat(body: Body) -> Body:
    asked = body.get("tool_choice") or "auto"
    if isinstance(asked, dict):
        choice: Body = {"type": "tool", "name": asked["function"]["name"]}
    else:
        choice = {"type": _CHOICES[asked]}
    if body.get("parallel_tool_calls") is False and choice["type"] != "none":
        choice["disable_parallel_tool_use"] = True
    return {} if choice == {"type": "auto"} else {"tool_choice": choice}


def _id(text: str) -> str:
    """An id the Messages API takes: others may have dots or colons in them."""
    return re.sub(r"[^\w-]", "_", text, flags=re.ASCII)


def _said_to_chat(body: Body) -> list[Body]:
    system = body.get("system") or ""
    made: list[Body] = [{"role": "system", "content": text}] if (text := _text(system)) else []
    for message in body["messages"]:
        content = message["content"]
        blocks = [{"type": "text", "text": content}] if isinstance(content, str) else content
        made += _to_assistant(blocks) if message["role"] == "assistant" else _to_user(blocks)
    return made


def _to_assistant(blocks: list[Block]) -> list[Body]:
    """One message; thinking stays here, as no such server takes it back."""
    calls = [
        {
            "id": block["id"],
            "type": "function",
            "function": {"name": block["name"], "arguments": json.dumps(block["input"])},
        }
        for block in blocks
        if block["type"] == "tool_use"
    ]
    message: Body = {"role": "assistant", "content": _text(blocks) or None}
    return [message | ({"tool_calls": calls} if calls else {})]


def _to_user(blocks: list[Block]) -> list[Body]:
    """Results as messages of their own, then one with all the rest; images always in the rest."""
    made: list[Body] = []
    rest: list[Block] = []
    for block in blocks:
        if block["type"] != "tool_result":
            rest.append(block)
            continue
        content = block.get("content") or ""
        text = ("Error: " if block.get("is_error") else "") + _text(content)
        made.append({"role": "tool", "tool_call_id": block["tool_use_id"], "content": text})
        rest += [part for part in content if not isinstance(part, str) and part["type"] == "image"]
    parts = [part for block in rest if (part := _part(block))]
    if parts and all(part["type"] == "text" for part in parts):
        made.append({"role": "user", "content": "\n\n".join(part["text"] for part in parts)})
    elif parts:
        made.append({"role": "user", "content": parts})
    return made


def _part(block: Block) -> Body | None:
    if block["type"] == "text":
        return {"type": "text", "text": block["text"]}
    if block["type"] != "image":
        return None
    source = block["source"]
    url = source.get("url") or f"data:{source['media_type']};base64,{source['data']}"
    return {"type": "image_url", "image_url": {"url": url}}


def _text(content: str | list[Block]) -> str:
    if isinstance(content, str):
        return content
    return "\n\n".join(block["text"] for block in content if block["type"] == "text")


def _function(tool: Body) -> Body:
    described = {"description": text} if (text := tool.get("description")) else {}
    made = {"name": tool["name"]} | described | {"parameters": tool["input_schema"]}
    return {"type": "function", "function": made}


def _choice_to_chat(choice: Body) -> Any:
    if choice["type"] == "tool":
        return {"type": "function", "function": {"name": choice["name"]}}
    return {ours: theirs for theirs, ours in _CHOICES.items()}[choice["type"]]
