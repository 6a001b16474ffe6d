"""Reminders: "remind me in 5 minutes to stretch" becomes a timer, and is said when it fires."""

from __future__ import annotations

import re

from growqr.models.offline.talk import Call, Recipe, Say, Talk, Use

RANK = 20

_SECONDS = {"second": 1, "minute": 60, "hour": 3600, "day": 86_400}
_REMIND = re.compile(
    r"^(?:please )?remind me in (?P<count>\d{1,6}|an?) (?P<unit>second|minute|hour|day)s?"
    r" (?:to|that|of|about) (?P<what>.+)",
    re.IGNORECASE | re.DOTALL,
)
_DUE = re.compile(r"^Reminder: (?P<what>.+)", re.DOTALL)


def _remind(talk: Talk, match: re.Match[str]) -> Say | Use:
    what, unit = match["what"].strip().rstrip(".!"), match["unit"].lower()
    if not talk.outcomes:
        count = int(match["count"]) if match["count"].isdigit() else 1
        wait = {"seconds": count * _SECONDS[unit], "text": f"Reminder: {what}"}
        return Use([Call("set_timer", wait)])
    last = talk.outcomes[-1]
    if last.is_error:
        return Say(f"I could not set a timer: {last.text}")
    return Say(
        f"I will remind you at {str(last.fields.get('due', ''))[:16].replace('T', ' ')} UTC."
    )


def _due(talk: Talk, match: re.Match[str]) -> Say:
    return Say(f"It is time: {match['what'].strip()}.")


RECIPES = (
    Recipe(_REMIND, _remind, "set_timer"),
    Recipe(_DUE, _due),
)
