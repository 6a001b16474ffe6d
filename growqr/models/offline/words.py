"""Sentences, note names and search words out of what a person typed."""

from __future__ import annotations

import hashlib
import re
import unicodedata

_SMALL = frozenset(
    "a about am an and any are as at be been but by can did do does for from had has have he her "
    "his i if in into is it its me my of on or our she so than that the their them then there "
    "they this to was we were what when where which who will with you your".split()
)
_MOST = 6
_LONGEST = 50  # characters, so that any script stays below 255 bytes


def significant(text: str) -> list[str]:
    """The words that carry meaning, in lower case and order; all words when none does."""
    found = re.findall(r"\w+", text.lower())
    return [word for word in found if word not in _SMALL] or found


def sentence(text: str) -> str:
    """With a capital first letter and an end."""
    text = " ".join(text.split())
    text = text[:1].upper() + text[1:]
    return text if text[-1:] in ".!?" else text + "."


def note_path(text: str) -> str:
    """`notes/<significant words>.md`: equal for equal texts, and told apart where cut."""
    plain = unicodedata.normalize("NFC", text).replace("_", " ")
    whole = "-".join(significant(plain))
    slug = "-".join(significant(plain)[:_MOST])[:_LONGEST].rstrip("-")
    if slug == whole and slug:
        return f"notes/{slug}.md"
    digest = hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:6]
    return f"notes/{slug or 'note'}-{digest}.md"
