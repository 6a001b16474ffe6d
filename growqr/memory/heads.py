"""Branches and tags of a bare repository here, and what they say about those over there."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any, Final

from growqr.errors import Unavailable
from growqr.memory.bare import BareRepository

ASIDE: Final = "set-aside-"
"""What branches begin with that keep somebody else's commits over there."""


def heads_of(folder: Path) -> str:
    """Digest of all branches and tags of a bare repository; empty where there are none.

    Raises Unavailable when it cannot be read.
    """
    if not folder.exists():
        return ""
    ours, _ = _opened(folder)
    lines = [f"{name} {tip!r}" for name, tip in sorted(ours.items())]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest() if lines else ""


def over(folder: Path, there: Mapping[str, str]) -> tuple[dict[str, str], list[str]]:
    """Of the refs over there: those that are over, with their tips, and those of somebody else
    that have the place of one of ours, as `a` has of `a/b`. Raises Unavailable.

    Over is what is not here by a name, but by its tip: nothing is lost with it.
    """
    ours, repo = _opened(folder)
    others = {
        ref: tip
        for ref, tip in there.items()
        if ref not in ours and not ref.startswith(f"refs/heads/{ASIDE}")
    }
    gone = {ref: tip for ref, tip in others.items() if tip in repo}
    places = {str(parent) for ref in ours for parent in PurePosixPath(ref).parents}
    foreign = [
        ref
        for ref in others.keys() - gone.keys()
        if ref in places or any(str(parent) in ours for parent in PurePosixPath(ref).parents)
    ]
    return gone, sorted(foreign)


def _opened(folder: Path) -> tuple[dict[str, Any], Any]:
    """(branches and tags with their tips, the repository)."""
    import pygit2

    try:
        repo = BareRepository(folder).open()
        names_here = [n for n in repo.references if n.startswith(("refs/heads/", "refs/tags/"))]
        return {name: repo.references[name].raw_target for name in names_here}, repo
    except (pygit2.GitError, KeyError, OSError) as error:
        raise Unavailable(f"cannot read the repository {folder.name}: {error}") from error
