"""Names of project repositories: each is one folder's name and one part of a URL."""

from __future__ import annotations

import re
from pathlib import Path

from growqr.config import Settings
from growqr.errors import Invalid

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}")
_USER = re.compile(r"[A-Za-z0-9_-]{1,100}")


def check_name(name: str) -> str:
    """The name as it came. Raises Invalid saying what a good one looks like."""
    if not _NAME.fullmatch(name) or ".." in name or name.endswith((".git", ".lock", ".")):
        raise Invalid(
            f"repository name {name[:80]!r} is not allowed: write it like my-project, 1 to 63 of "
            "a-z, 0-9, dot, dash, underscore; it begins with a letter or digit, has no two dots "
            "in a row and does not end with a dot, .git or .lock",
            {"field": "name"},
        )
    return name


def shelf_of(settings: Settings, user_id: str) -> Path:
    """Where all repositories of the user lie. Raises Invalid for an id that is none."""
    if not _USER.fullmatch(user_id):
        raise Invalid(f"user id {user_id[:40]!r} cannot be a folder")
    return settings.data / "repos" / user_id


def folder_of(settings: Settings, user_id: str, name: str) -> Path:
    """Where the user's repository of that name lies. Raises Invalid for a name that is none."""
    return shelf_of(settings, user_id) / f"{check_name(name)}.git"
