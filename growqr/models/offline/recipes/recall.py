"""What is remembered: search, list, read."""

from __future__ import annotations

import re

from growqr.models.offline.talk import Call, Outcome, Recipe, Say, Talk, Use
from growqr.models.offline.words import significant

RANK = 10

_MOST_SHOWN = 5
_ABOUT = re.compile(
    r"\b(?:what|anything) (?:do|did|else do|can) (?:you|i|we) (?:still |already )?"
    r"(?:remember|know|recall|tell you|note|have noted|have)\b.*?\b(?:about|of|on)\s+(?P<topic>.+)"
    r"|\bdo you (?:still )?(?:remember|recall|know)\s+(?:about\s+|anything about\s+)?(?P<it>.+)",
    re.IGNORECASE | re.DOTALL,
)
_ALL = re.compile(
    r"\bwhat do you (?:still )?(?:remember|know|recall)\b"
    r"|^(?:please )?(?:list|show)(?: me)?(?: all)? (?:my |your |the )?(?:memory|memories|notes)\b",
    re.IGNORECASE,
)
_READ = re.compile(
    r"^(?:please )?(?:read|show|open)(?: me)?(?: the)?(?: file| note)? (?P<path>\S*[\w-]\.\w+)\W*$",
    re.IGNORECASE,
)
_NOTE = re.compile(
    r"^(?:please )?(?:read|find|show|open)(?: me)?(?: the| my| your)? notes? (?:about|on|of) "
    r"(?P<topic>.+)",
    re.IGNORECASE | re.DOTALL,
)


def _search(talk: Talk, match: re.Match[str]) -> Say | Use:
    topic = (match["topic"] or match["it"] or "").strip(" ?!.\n\"'")
    if not talk.outcomes:
        return Use([Call("search_memory", {"query": " ".join(significant(topic)) or topic})])
    if trouble := _trouble(talk.outcomes[-1]):
        return trouble
    found = talk.outcomes[-1].fields.get("results") or []
    told = [" ".join(str(one.get("snippet") or one.get("path")).split()) for one in found]
    if not told:
        return Say(f"I have nothing about {topic} in memory.")
    if len(told) == 1:
        return Say(f"You told me: {told[0]}")
    return Say("You told me:\n" + "\n".join(f"- {line}" for line in told[:_MOST_SHOWN]) + "\n")


def _list(talk: Talk, match: re.Match[str]) -> Say | Use:
    if not talk.outcomes:
        return Use([Call("list_memory", {})])
    if trouble := _trouble(talk.outcomes[-1]):
        return trouble
    paths = [file["path"] for file in talk.outcomes[-1].fields.get("files") or []]
    if not paths:
        return Say("I remember nothing yet. Tell me “remember that …”.")
    return Say("These are my notes:\n" + "\n".join(f"- {path}" for path in paths) + "\n")


def _read(talk: Talk, match: re.Match[str]) -> Say | Use:
    if not talk.outcomes:
        return Use([Call("read_memory", {"path": match["path"]})])
    if trouble := _trouble(talk.outcomes[-1]):
        return trouble
    last = talk.outcomes[-1]
    return Say(f"{match['path']} says:\n{str(last.fields.get('content', last.text)).rstrip()}\n")


def _note(talk: Talk, match: re.Match[str]) -> Say | Use:
    """Search, then read what was found first."""
    topic = match["topic"].strip(" ?!.\n\"'")
    if not talk.outcomes:
        return Use([Call("search_memory", {"query": " ".join(significant(topic)) or topic})])
    last = talk.outcomes[-1]
    if trouble := _trouble(last):
        return trouble
    if "results" not in last.fields:
        return Say(f"The note says:\n{str(last.fields.get('content', last.text)).rstrip()}\n")
    if not (found := last.fields["results"]):
        return Say(f"There is no note about {topic}.")
    return Use([Call("read_memory", {"path": found[0]["path"]})])


def _trouble(outcome: Outcome) -> Say | None:
    if not outcome.is_error:
        return None
    return Say(f"I could not look into memory: {outcome.text.strip()}")


RECIPES = (
    Recipe(_NOTE, _note, "search_memory"),
    Recipe(_ABOUT, _search, "search_memory"),
    Recipe(_ALL, _list, "list_memory"),
    Recipe(_READ, _read, "read_memory"),
)
