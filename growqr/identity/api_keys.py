"""API keys: `gq_<8 id>_<secret><check>`. The secret is 32 random bytes; kept is a SHA-256.

The check lets scanners of secrets be sure, and us refuse a mistyped key without the database.
"""

from __future__ import annotations

import hashlib
import re
import secrets
import zlib
from typing import NamedTuple

_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_SECRET, _CHECK = 43, 6
"""Characters of 32 bytes, and of a CRC-32, in base 62."""

_KEY = re.compile(rf"gq_([A-Za-z0-9]{{8}})_([A-Za-z0-9]{{{_SECRET}}})([A-Za-z0-9]{{{_CHECK}}})")

KEY_PREFIX = "gq_"


class KeyProof(NamedTuple):
    """What of a key is kept and looked for."""

    id: str
    sha: bytes


def make_key(seed: str | None = None) -> tuple[str, KeyProof]:
    """A new key, and what to keep of it. The same seed gives the same id, never the same key."""
    chosen = hashlib.sha256(seed.encode()).digest() if seed else secrets.token_bytes(8)
    key_id = _base62(int.from_bytes(chosen), 8)
    body = f"{KEY_PREFIX}{key_id}_{_base62(int.from_bytes(secrets.token_bytes(32)), _SECRET)}"
    key = body + _check(body)
    return key, KeyProof(key_id, _sha(key))


def read_key(text: str) -> KeyProof | None:
    """What to look for; None when it cannot be a key."""
    parts = _KEY.fullmatch(text)
    if parts is None or _check(text[:-_CHECK]) != parts[3]:
        return None
    return KeyProof(parts[1], _sha(text))


def _sha(key: str) -> bytes:
    return hashlib.sha256(key.encode()).digest()  # 256 random bits need no slow hash


def _check(body: str) -> str:
    return _base62(zlib.crc32(body.encode()), _CHECK)


def _base62(number: int, length: int) -> str:
    """The lowest `length` digits."""
    digits = ""
    for _ in range(length):
        number, digit = divmod(number, 62)
        digits = _DIGITS[digit] + digits
    return digits
