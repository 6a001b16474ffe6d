"""A conversation as recipes see it: what was said last, and what came of the tools since."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

from growqr.names import RESTORED

SIGNATURE = "(offline model)"
"""Ends every reply, so that nobody takes it for more than it is."""


class Call(NamedTuple):
    """A tool to call."""

    name: str
    input: dict[str, Any]


class Outcome(NamedTuple):
    """What a call came to; `text` is the result as the model is shown it."""

    call: Call
    text: str
    is_error: bool

    @property
    def fields(self) -> dict[str, Any]:
        """The result where it is a JSON object, else nothing."""
        try:
            value = json.loads(self.text)
        except ValueError:
            return {}
        return value if isinstance(value, dict) else {}


@dataclass(frozen=True, slots=True)
class Say:
    """Answer, and end the turn. `signed` False: without the words that tell who speaks."""

    text: str
    signed: bool = True


@dataclass(frozen=True, slots=True)
class Use:
    """Call these tools, all in one reply, and be asked again with their results."""

    calls: list[Call]


@dataclass(frozen=True, slots=True)
class Talk:
    """`said` by the user last; `outcomes` of every tool call since, in order."""

    said: str
    outcomes: list[Outcome]
    tools: frozenset[str]
    system: str = ""

    def offered(self, name: str) -> str | None:
        """What the tool is called here: where it comes over MCP, the server's name goes before."""
        if name in self.tools:
            return name
        return min((tool for tool in self.tools if tool.endswith(f"_{name}")), default=None)


@dataclass(frozen=True, slots=True)
class Recipe:
    """What to do about a message that matches `pattern`; asked again after each tool round.

    `tool` is needed; where it is not offered, the reply says so. The recipe is passed over where
    `place` is not offered, a tool that tells where the model is, where `about` finds nothing in
    the system prompt, and for a message of more than `longest` characters, which a pattern
    therefore need not fear.
    """

    pattern: re.Pattern[str]
    act: Callable[[Talk, re.Match[str]], Say | Use]
    tool: str | None = None
    place: str | None = None
    about: re.Pattern[str] | None = None
    longest: int | None = 500


def read(body: dict[str, Any]) -> Talk:
    """The talk in a request of the Messages API."""
    tools = frozenset(str(tool.get("name")) for tool in body.get("tools") or [])
    messages, system = body["messages"], _text(body.get("system") or "")
    for index in range(len(messages) - 1, -1, -1):
        if messages[index]["role"] == "user" and (said := _said(messages[index]["content"])):
            return Talk(said.strip(), _outcomes(messages[index:]), tools, system)
    return Talk("", [], tools, system)


def _outcomes(messages: list[dict[str, Any]]) -> list[Outcome]:
    blocks = [
        block
        for message in messages
        if isinstance(message["content"], list)
        for block in message["content"]
    ]
    results = {block["tool_use_id"]: block for block in blocks if block["type"] == "tool_result"}
    return [
        Outcome(
            Call(block["name"], block["input"]),
            _text(results[block["id"]].get("content", "")),
            bool(results[block["id"]].get("is_error")),
        )
        for block in blocks
        if block["type"] == "tool_use" and block["id"] in results
    ]


def _said(content: str | list[dict[str, Any]]) -> str:
    """The text, without what only tells of earlier work."""
    blocks = [{"type": "text", "text": content}] if isinstance(content, str) else content
    wishes = [b for b in blocks if b["type"] != "text" or not b["text"].startswith(RESTORED)]
    return _text(wishes)


def _text(content: str | list[dict[str, Any]]) -> str:
    """Its text; of several blocks those of type text, the last one said last."""
    if isinstance(content, str):
        return content
    return "\n".join(block["text"] for block in content if block["type"] == "text")
