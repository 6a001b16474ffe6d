"""On the Grow Agent's side: work with files and commands is given to a sub-agent, and its report
is told on.
"""

from __future__ import annotations

import re

from growqr.models.offline.talk import SIGNATURE, Call, Recipe, Say, Talk, Use

RANK = 15

_PLEASE = r"^\W*(?:(?:please|now|can you|could you|will you|i want you to)[, ]+)*"
_FILE = r"[\w./~-]*\w\.(?!md\b|\d)\w{1,8}\b"
_THING = (
    r"(?:app|application|program|script|project|package|service|website|game|tool|function|class"
    r"|module|test|tests|code|file|api|library|bug)\b"
)
_WORK = re.compile(
    _PLEASE + r"(?:(?:create|scaffold|build|write|make|generate|implement|fix|refactor|edit|add)\b"
    rf"(?=.*?(?:\b{_FILE}|\b{_THING}))|(?:run|execute|code)\s+\S|(?:replace|change)\b.*\bin\s+{_FILE})",
    re.IGNORECASE | re.DOTALL,
)
_SKILL = re.compile(
    _PLEASE + r"(?:use|follow|apply)\s+(?:the |your |my )?(?:skill\b|[\w`\"'-]+ skill\b)", re.I
)
_ASK = re.compile(
    _PLEASE + r"(?:ask|let|have|tell)\s+(?:an?|the|your|my)\s+(?:(?P<type>\w+)\s+)?sub-?agent\s+"
    r"(?P<id>[a-z]+-[0-9a-f]{8}\s+)?(?:to\s+)?(?P<prompt>\S.*)",
    re.IGNORECASE | re.DOTALL,
)
_SPAWN = re.compile(
    _PLEASE + r"(?:spawn|start|create)\s+(?:an?|the)\s+(?:new )?(?:(?P<type>\w+)\s+)?sub-?agent\b"
    r"\W*$",
    re.IGNORECASE,
)
_LIST = re.compile(_PLEASE + r"(?:list|show|which|what)\b.{0,20}\bsub-?agents\b", re.IGNORECASE)
_STOP = re.compile(_PLEASE + r"stop\b.{0,20}?(?P<id>\b[a-z]+-[0-9a-f]{8})\b", re.IGNORECASE)


def _work(talk: Talk, match: re.Match[str]) -> Say | Use:
    return _run(talk, {"type": "coding", "prompt": talk.said})


def _ask(talk: Talk, match: re.Match[str]) -> Say | Use:
    if match["id"]:
        return _run(talk, {"sub_agent_id": match["id"].strip(), "prompt": match["prompt"]})
    kind = (match["type"] or "general").lower()
    return _run(talk, {"type": kind, "prompt": match["prompt"]})


def _run(talk: Talk, given: dict[str, str]) -> Say | Use:
    if not talk.outcomes:
        return Use([Call("run_sub_agent", given)])
    last = talk.outcomes[-1]
    said = last.text.replace(SIGNATURE, "").strip()
    if last.is_error:
        return Say(f"The sub-agent could not do it: {said}")
    return Say(f"The sub-agent reports:\n{said}\n")


def _spawn(talk: Talk, match: re.Match[str]) -> Say | Use:
    kind = (match["type"] or "general").lower()
    return _plainly(talk, Call("spawn_sub_agent", {"type": kind}), "It is there")


def _list(talk: Talk, match: re.Match[str]) -> Say | Use:
    return _plainly(talk, Call("list_sub_agents", {}), "These are the sub-agents")


def _stop(talk: Talk, match: re.Match[str]) -> Say | Use:
    return _plainly(talk, Call("stop_sub_agent", {"sub_agent_id": match["id"]}), "It is stopped")


def _plainly(talk: Talk, call: Call, good: str) -> Say | Use:
    if not talk.outcomes:
        return Use([call])
    last = talk.outcomes[-1]
    return Say(f"That did not work: {last.text}" if last.is_error else f"{good}: {last.text}")


RECIPES = (
    Recipe(_ASK, _ask, "run_sub_agent", place="run_sub_agent", longest=2000),
    Recipe(_SPAWN, _spawn, "spawn_sub_agent", place="run_sub_agent"),
    Recipe(_LIST, _list, "list_sub_agents", place="run_sub_agent"),
    Recipe(_STOP, _stop, "stop_sub_agent", place="run_sub_agent"),
    Recipe(_SKILL, _work, "run_sub_agent", place="run_sub_agent"),
    Recipe(_WORK, _work, "run_sub_agent", place="run_sub_agent", longest=2000),
)
