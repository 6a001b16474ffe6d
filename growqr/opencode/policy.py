"""Permission requests are answered at once and by rule: nothing in the server times out, so an
unanswered one would keep a run busy for ever."""

from __future__ import annotations

DENIED = frozenset({"question", "external_directory", "doom_loop"})
"""No person is there to answer, the user's folder is the whole world, and loops must end."""

RULES = [{"permission": "question", "pattern": "*", "action": "deny"}]
"""Given to every session. Not the other two: a session's rules come last, and would also take away
the folder where OpenCode keeps the long outputs it has cut."""

REFUSAL = "This is not allowed here. Go on without it, or say what you would need."
"""Told to the model: a refusal without words would end the run with no error."""


def allows(permission: str) -> bool:
    """Whether a request for `permission` is granted, once."""
    return permission not in DENIED
