"""“remember that …”: one note per fact, several facts in one reply."""

from __future__ import annotations

import re

from growqr.models.offline.talk import Call, Outcome, Recipe, Say, Talk, Use
from growqr.models.offline.words import note_path, sentence

RANK = 20

_REMEMBER = re.compile(
    r"^(?:please |can you |could you |will you )?(?:remember|note|memori[sz]e)(?: that\b|:)?\s+"
    r"(?P<facts>\S.*)",
    re.IGNORECASE | re.DOTALL,
)


def _remember(talk: Talk, match: re.Match[str]) -> Say | Use:
    if talk.outcomes:
        return Say(" ".join(_told(talk.outcomes)))
    calls: dict[str, Call] = {}
    for part in match["facts"].split(";"):
        fact = re.sub(r"^\s*(?:and\s+)?(?:that\s+)?", "", part, flags=re.IGNORECASE).strip()
        if not fact:
            continue
        path = note_path(fact)
        if path in calls:  # parallel calls must not write one file twice
            path = path.replace(".md", f"-{len(calls) + 1}.md")
        subject = f"remember: {' '.join(fact.split())[:72]}"
        note = {"path": path, "content": sentence(fact) + "\n", "message": subject}
        calls[path] = Call("commit_memory", note)
    return Use(list(calls.values())) if calls else Say("There is nothing in that to remember.")


def _told(outcomes: list[Outcome]) -> list[str]:
    noted = [_place(outcome) for outcome in outcomes if not outcome.is_error]
    failed = [
        f"I could not note {outcome.call.input.get('path')}: {outcome.text.strip()}"
        for outcome in outcomes
        if outcome.is_error
    ]
    return ([f"I have noted it: {', '.join(noted)}."] if noted else []) + failed


def _place(outcome: Outcome) -> str:
    path = outcome.fields.get("path") or outcome.call.input.get("path")
    commit = outcome.fields.get("commit")
    return f"{path} (commit {commit[:10]})" if commit else f"{path} (commit pending)"


RECIPES = (Recipe(_REMEMBER, _remember, "commit_memory", longest=None),)
