"""Greetings, who am I, thanks; and what to say to everything else."""

from __future__ import annotations

import re

from growqr.models.offline.talk import Recipe, Say, Talk

RANK = 90

ABILITIES = (
    "I can keep notes: say “remember that the launch is on Friday”, ask “what do you remember "
    "about the launch?”, or “read notes/launch-friday.md”. I can also remind you: “remind me in "
    "5 minutes to stretch”."
)
_REAL = "Set ANTHROPIC_API_KEY to talk with a real model."


def _always(text: str, pattern: str) -> Recipe:
    return Recipe(re.compile(pattern, re.IGNORECASE), lambda talk, match: Say(text))


def _fallback(talk: Talk, match: re.Match[str]) -> Say:
    heard = " ".join(talk.said.split())
    heard = heard if len(heard) <= 80 else heard[:79] + "…"
    return Say(f"I heard “{heard}”, but offline I understand little. {ABILITIES} {_REAL}")


RECIPES = (
    _always(
        f"I am your Grow Agent, speaking through the built-in offline model. {ABILITIES} {_REAL}",
        r"\b(?:who|what) are you\b|^\W*help\b|\bwhat can you do\b",
    ),
    _always(f"Hello! {ABILITIES}", r"^\W*(?:hello|hi|hey|good (?:morning|day|evening))\b"),
    _always("I am well, and ready. What shall I remember?", r"\bhow are you\b"),
    _always("You are welcome.", r"\bthank(?:s| you)\b|^\W*thx\b"),
    _always("Good bye. What you told me stays noted.", r"^\W*(?:bye|good ?bye|see you)\b"),
    Recipe(re.compile(""), _fallback, longest=None),
)
