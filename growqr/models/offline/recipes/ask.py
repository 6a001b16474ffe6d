"""Asking back: "ask me which colour" becomes a question, and the answer is said."""

from __future__ import annotations

import re

from growqr.models.offline.talk import Call, Recipe, Say, Talk, Use

RANK = 20

_ASK = re.compile(r"^(?:please )?ask me (?:about )?(?P<what>.+)", re.IGNORECASE | re.DOTALL)


def _ask(talk: Talk, match: re.Match[str]) -> Say | Use:
    if not talk.outcomes:
        question = match["what"].strip().rstrip(".?!") + "?"
        return Use([Call("ask_user", {"question": question[:1].upper() + question[1:]})])
    last = talk.outcomes[-1]
    if last.is_error:
        return Say(f"I have no answer: {last.text}.")
    return Say(f"You said: {last.text}")


RECIPES = (Recipe(_ASK, _ask, "ask_user"),)
