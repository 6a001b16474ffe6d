"""Random texts that let somebody in: cookies, links, invites. Only their SHA-256 is kept."""

from __future__ import annotations

import hashlib
import re
import secrets

_TICKET = re.compile(r"[A-Za-z0-9_-]{43}")


def new_ticket() -> tuple[str, bytes]:
    """(32 random bytes as text, what to keep of it)."""
    text = secrets.token_urlsafe(32)
    return text, _sha(text)


def read_ticket(text: str | None) -> bytes | None:
    """What to look for; None when it cannot be one of ours."""
    return _sha(text) if text and _TICKET.fullmatch(text) else None


def _sha(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()
