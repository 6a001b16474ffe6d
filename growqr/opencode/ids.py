"""Ids of a prompt, made by us and journaled before it is sent: sending the same ids twice is one
prompt."""

from __future__ import annotations

import hashlib
import secrets
import string
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

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


def record_before(ids: PromptIds) -> PromptIds:
    """The ids of the record that stands before this prompt in a session begun anew: always the
    same ones, so that it stands there once."""
    head = int(ids.message_id[4:16], 16) & ~0xFFF
    digest = hashlib.sha256(ids.message_id.encode()).digest()
    tail = "".join(_LETTERS[byte % len(_LETTERS)] for byte in digest[:14])
    return replace(ids, message_id=f"msg_{head:012x}{tail}", part_id=f"prt_{head:012x}{tail}")


def _make(prefix: str, ms: int, n: int) -> str:
    head = (ms * 4096 + n) & 0xFFFF_FFFF_FFFF
    return f"{prefix}_{head:012x}" + "".join(secrets.choice(_LETTERS) for _ in range(14))
