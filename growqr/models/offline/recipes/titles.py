"""A title for a conversation, as programs around a model ask for it."""

from __future__ import annotations

import re

from growqr.models.offline.talk import Recipe, Say, Talk

RANK = 0

_WORDS = 6
_ASKED = re.compile(r"title generator|thread title|conversation title", re.IGNORECASE)
_ORDER = re.compile(r"^\s*generate a title for this conversation:?\s*", re.IGNORECASE)


def _title(talk: Talk, match: re.Match[str]) -> Say:
    words = _ORDER.sub("", talk.said).split()[:_WORDS]
    title = " ".join(words).strip(" .,:;!?\"'")
    return Say(title[:1].upper() + title[1:] if title else "New conversation", signed=False)


RECIPES = (Recipe(re.compile(""), _title, about=_ASKED, longest=None),)
