"""Ids of a prompt, made by us and journaled before it is sent: sending the same ids twice is one
prompt."""

from __future__ import annotations

import secrets
import string
import time
from collections.abc import Callable
from dataclasses import dataclass

_LETTERS = string.digits + string.ascii_uppercase + string.ascii_lowercase


@dataclass(frozen=True)
class PromptIds:
    """What a `prompt` step's input holds; `PromptIds(**input)` and `dataclasses.asdict` convert."""

    session_id: str
    message_id: str
    part_id: str
    directory: str
    """Absolute, as the server sees it."""


def new_prompt(
    session_id: str, directory: str, *, clock: Callable[[], float] = time.time
) -> PromptIds:
    """Fresh ids in OpenCode's own form, which sorts by time."""
    ms = int(clock() * 1000)
    return PromptIds(session_id, _make("msg", ms, 1), _make("prt", ms, 2), directory)


def _make(prefix: str, ms: int, n: int) -> str:
    head = (ms * 4096 + n) & 0xFFFF_FFFF_FFFF
    return f"{prefix}_{head:012x}" + "".join(secrets.choice(_LETTERS) for _ in range(14))
