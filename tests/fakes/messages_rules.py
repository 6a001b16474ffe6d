"""What the Messages API refuses, in its own words where they are known."""

from __future__ import annotations

import hashlib
import re
from typing import Any

_TOOL_NAME = re.compile(r"[a-zA-Z0-9_-]{1,128}")
_TOOL_USE_KEYS = {"type", "id", "name", "input", "cache_control", "caller"}


class Refused(Exception):
    """The request is not valid: answered 400."""


def check(body: dict[str, Any], thought: dict[str, str]) -> None:
    """Raises Refused. `thought`: signatures of the thinking that led to a tool call, by its id."""
    _check_top(body)
    _check_tools(body)
    messages = body["messages"]
    if messages[0]["role"] != "user":
        raise Refused("messages.0: the first message must use the user role")
    for index, message in enumerate(messages):
        if index and message["role"] == messages[index - 1]["role"]:
            raise Refused(f"messages.{index}: roles must alternate between user and assistant")
        _check_content(index, message)
    _check_pairs(messages)
    _check_thinking(messages, thought)
    uses = [block["id"] for message in messages for block in _blocks(message, "tool_use")]
    if len(set(uses)) != len(uses):
        raise Refused("messages: `tool_use` ids must be unique")
    if uses and not body.get("tools"):
        raise Refused("tools: required, as messages hold tool_use blocks")


def signature(thinking: str) -> str:
    """The signature this server gives to a thinking block."""
    return "sig-" + hashlib.sha256(thinking.encode()).hexdigest()[:24]


def _check_top(body: dict[str, Any]) -> None:
    if not isinstance(body.get("model"), str):
        raise Refused("model: Field required")
    if not isinstance(body.get("max_tokens"), int) or body["max_tokens"] < 1:
        raise Refused("max_tokens: must be greater than or equal to 1")
    if not isinstance(body.get("messages"), list) or not body["messages"]:
        raise Refused("messages: at least one message is required")


def _check_tools(body: dict[str, Any]) -> None:
    names = [str(tool.get("name")) for tool in body.get("tools") or []]
    if len(set(names)) != len(names):
        raise Refused("tools: Tool names must be unique")
    for index, tool in enumerate(body.get("tools") or []):
        if not _TOOL_NAME.fullmatch(names[index]):
            raise Refused(f"tools.{index}.name: must match {_TOOL_NAME.pattern}")
        if (tool.get("input_schema") or {}).get("type") != "object":
            raise Refused(f"tools.{index}.input_schema.type: Field required")


def _check_content(index: int, message: dict[str, Any]) -> None:
    content = message["content"]
    if not content:
        raise Refused(f"messages.{index}: all messages must have non-empty content")
    for position, block in enumerate(content if isinstance(content, list) else []):
        where = f"messages.{index}.content.{position}"
        if block["type"] == "text" and not block["text"].strip():
            raise Refused(f"{where}: text content blocks must be non-empty")
        if block["type"] == "tool_use":
            if not isinstance(block["input"], dict):
                raise Refused(f"{where}.tool_use.input: Input should be a valid dictionary")
            if extra := set(block) - _TOOL_USE_KEYS:
                raise Refused(f"{where}.tool_use.{extra.pop()}: Extra inputs are not permitted")


def _check_pairs(messages: list[dict[str, Any]]) -> None:
    asked: list[str] = []
    for index, message in enumerate(messages):
        content = message["content"] if isinstance(message["content"], list) else []
        kinds = [block["type"] for block in content]
        results = [block["tool_use_id"] for block in _blocks(message, "tool_result")]
        if kinds[: len(results)] != ["tool_result"] * len(results):
            raise Refused(f"messages.{index}: `tool_result` blocks must come first")
        if missing := [one for one in asked if one not in results]:
            raise Refused(
                f"messages.{index}: `tool_use` ids were found without `tool_result` blocks "
                f"immediately after: {', '.join(missing)}"
            )
        if strange := [one for one in results if one not in asked]:
            raise Refused(
                f"messages.{index}: unexpected `tool_use_id` found in `tool_result` blocks: "
                f"{', '.join(strange)}"
            )
        if len(set(results)) != len(results):
            raise Refused(f"messages.{index}: each tool_use must have a single result")
        asked = [block["id"] for block in _blocks(message, "tool_use")]
    if asked:
        raise Refused("messages: the last `tool_use` ids have no `tool_result`")


def _check_thinking(messages: list[dict[str, Any]], thought: dict[str, str]) -> None:
    for index, message in enumerate(messages):
        thinking = _blocks(message, "thinking")
        for block in thinking:
            if block.get("signature") != signature(block["thinking"]):
                raise Refused(f"messages.{index}: Invalid `signature` in `thinking` block")
        signed = {block["signature"] for block in thinking}
        for block in _blocks(message, "tool_use"):
            if block["id"] in thought and thought[block["id"]] not in signed:
                raise Refused(
                    f"messages.{index}: Expected `thinking`, but found `tool_use`; a final "
                    "`assistant` message must start with a thinking block"
                )


def _blocks(message: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    content = message["content"]
    return [b for b in content if b["type"] == kind] if isinstance(content, list) else []
