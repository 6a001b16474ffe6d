"""From a request to the blocks of a reply: the first recipe that matches decides."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from growqr.models.base import Block
from growqr.models.offline import recipes, talk
from growqr.models.offline.talk import SIGNATURE, Say, Talk, Use

MODEL = "growqr-offline"


def compose(body: dict[str, Any]) -> tuple[list[Block], str]:
    """(content, stop_reason) that answer a request of the Messages API.

    Equal for equal requests, tool_use ids too; these differ from all others in the conversation.
    """
    heard = talk.read(body)
    move = decide(heard)
    if isinstance(move, Say):
        text = f"{move.text} {SIGNATURE}" if move.signed else move.text
        return [{"type": "text", "text": text}], "end_turn"
    so_far = json.dumps(body["messages"], sort_keys=True)
    blocks = [
        {
            "type": "tool_use",
            "id": _tool_use_id(so_far, position, call.name, call.input),
            "name": heard.offered(call.name) or call.name,
            "input": call.input,
        }
        for position, call in enumerate(move.calls)
    ]
    return blocks, "tool_use"


def decide(talk: Talk) -> Say | Use:
    """What the first matching recipe wants. Tools that failed are answered in plain words."""
    for recipe in recipes.all_recipes():
        if recipe.longest is not None and len(talk.said) > recipe.longest:
            continue
        if recipe.place and recipe.place not in talk.tools:
            continue
        if recipe.about and not recipe.about.search(talk.system):
            continue
        if not (match := recipe.pattern.search(talk.said)):
            continue
        if recipe.tool and not talk.offered(recipe.tool):
            return Say(f"I cannot do that here: the tool {recipe.tool} is not offered to me.")
        return recipe.act(talk, match)
    raise LookupError("no recipe matches; the last one must match everything")


def _tool_use_id(so_far: str, position: int, name: str, given: dict[str, Any]) -> str:
    seed = f"{so_far}\n{position}\n{name}\n{json.dumps(given, sort_keys=True)}"
    return "toolu_" + hashlib.sha256(seed.encode()).hexdigest()[:24]
