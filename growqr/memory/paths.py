"""Which paths and contents memory accepts: what passes is safe in any git and any clone."""

from __future__ import annotations

import unicodedata
from pathlib import Path
from typing import Final

from growqr.config import Settings
from growqr.errors import Invalid, TooLarge

MAX_PATH: Final = 500
"""Characters of a path."""

MAX_CONTENT: Final = 1_000_000
"""Bytes of one file, as UTF-8."""

_MAX_NAME, _MAX_NAME_BYTES = 200, 255  # 255 bytes: what file systems take for one name
_PUNCTUATION = frozenset(" .-_")
_HINT = "write it like notes/launch.md: letters, digits, space, dot, dash, underscore"


def repository(settings: Settings, user_id: str) -> Path:
    """Folder of the user's bare repository; it exists once the first memory is in git."""
    return settings.repositories / f"{user_id}.git"


def check_path(path: str) -> str:
    """The path in Unicode form NFC.

    Raises Invalid saying what is wrong and what a good path looks like. What git, a shell or a
    file system could misread is refused: `..`, `.git`, backslashes, leading dashes.
    """
    path = unicodedata.normalize("NFC", path)
    if not path:
        raise _wrong(path, "it is empty")
    if len(path) > MAX_PATH:
        raise _wrong(path, f"it has {len(path)} characters, at most {MAX_PATH} are allowed")
    if path.startswith("/"):
        raise _wrong(path, "it begins with a slash")
    for name in path.split("/"):
        reason = _problem(name)
        if reason:
            raise _wrong(path, reason)
    return path


def check_content(content: str) -> str:
    """The content as it came. Raises TooLarge above 1 MB, Invalid for what is not text."""
    try:
        size = len(content.encode())
    except UnicodeEncodeError:
        raise Invalid("memory content is not valid Unicode text; send text only") from None
    if "\0" in content:
        raise Invalid("memory content holds a NUL character; memory keeps text only")
    if size > MAX_CONTENT:
        raise TooLarge(
            f"memory content has {size} bytes, at most {MAX_CONTENT} are allowed; split the file"
        )
    return content


def _problem(name: str) -> str | None:
    """What is wrong with one name between slashes, or None."""
    if not name:
        return "it has an empty name between slashes"
    if len(name) > _MAX_NAME or len(name.encode("utf-8", "replace")) > _MAX_NAME_BYTES:
        return f"a name is longer than {_MAX_NAME} characters or {_MAX_NAME_BYTES} bytes"
    if not (name[0] == "_" or unicodedata.category(name[0])[0] in "LN"):
        return f"the name {name[:40]!r} does not begin with a letter or digit"
    if name[-1] in " .":
        return f"the name {name[:40]!r} ends with a space or dot"
    bad = next((character for character in name if not _allowed(character)), None)
    return f"the character {bad!r} is not allowed" if bad else None


def _allowed(character: str) -> bool:
    # Marks (M) belong to the letters of many scripts; `\w` would refuse them.
    return character in _PUNCTUATION or unicodedata.category(character)[0] in "LNM"


def _wrong(path: str, reason: str) -> Invalid:
    return Invalid(
        f"memory path {path[:80]!r} is not allowed: {reason}; {_HINT}", {"field": "path"}
    )
