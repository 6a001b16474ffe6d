"""The SQL texts of queries/*.sql by name: `-- name --`, comment lines on why, one statement."""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files

_NAME = re.compile(r"^-- ([a-z_]+) --$", re.MULTILINE)
_FRAGMENT = re.compile(r"\{([a-z_]+)\}")
_THEN = "-- then\n"


@cache
def texts() -> dict[str, str]:
    """Every named statement of the store. Raises ValueError when a name stands twice."""
    found: dict[str, str] = {}
    for file in sorted((files("growqr.store") / "queries").iterdir(), key=lambda entry: entry.name):
        if not file.name.endswith(".sql"):
            continue
        parts = _NAME.split(file.read_text(encoding="utf-8"))
        for name, text in zip(parts[1::2], parts[2::2], strict=True):
            if name in found:
                raise ValueError(f"the query {name} stands twice, again in {file.name}")
            found[name] = _without_comments(text)
    return {name: _with_fragments(text, found) for name, text in found.items()}


@cache
def fenced(name: str) -> str:
    """The named change inside the one form of a fenced write (queries/_fenced.sql)."""
    change, _, then = texts()[name].partition(_THEN)
    return texts()["fenced"].replace("{change}", change.strip()).replace("{then}", then.rstrip())


def _with_fragments(text: str, found: dict[str, str]) -> str:
    """`{name}` of another text stands for that text; `{change}` and `{then}` are of `fenced`."""
    return _FRAGMENT.sub(lambda match: found.get(match[1], match[0]), text)


def _without_comments(text: str) -> str:
    lines = text.splitlines(keepends=True)
    return "".join(line for line in lines if line == _THEN or not line.startswith("--")).strip()
