"""Secrets at rest: AES-256-GCM, sealed to the very place they stand in, under a ring of keys.

A sealed text is `v1.<kid>.<nonce>.<ciphertext>`. The first key of the ring seals, all of them
open. A ring of a file follows the file: nobody needs a restart after `growqr keys rotate`.
"""

from __future__ import annotations

import base64
import binascii
import fcntl
import hashlib
import os
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from growqr.config import Settings
from growqr.errors import InstanceError, SecretUnreadable
from growqr.logs import log
from growqr.redaction import know

KEY_BYTES = 32
_NONCE_BYTES = 12
_SEALED = re.compile(r"v1\.([0-9a-f]{8})\.([A-Za-z0-9_-]{16})\.([A-Za-z0-9_-]{22,})")
_HOW = "make one with `growqr keys new`"
_log = log("identity")


class Place(NamedTuple):
    """Where a sealed text stands; `user` is empty where it is nobody's yet."""

    table: str
    row: str
    column: str
    user: str

    @property
    def bound(self) -> bytes:
        """`table|row|column|user`: a ciphertext found in any other place does not open."""
        escaped = (part.replace("\\", "\\\\").replace("|", "\\|") for part in self)
        return "|".join(escaped).encode()


class KeyRing:
    """The keys of this instance, the first of which seals."""

    def __init__(self, settings: Settings) -> None:
        """Raises InstanceError, naming what is wrong with a key but never the key."""
        self._file: Path | None = None
        self._seen: tuple[int, int] | None = None
        self._keys: dict[str, AESGCM] = {}
        self.source = "ENCRYPTION_KEY"
        if settings.encryption_key:  # an empty one is an unset one, as compose files leave it
            self._take(settings.encryption_key.get_secret_value().split(","))
            return
        self._file = ring_path(settings)
        self.source = str(self._file)
        ensure_ring(settings)
        self._follow()

    @property
    def kids(self) -> list[str]:
        """What the keys are called, the active one first."""
        self._follow()
        return list(self._keys)

    @property
    def active(self) -> str:
        """What the key that seals is called."""
        return self.kids[0]

    def seal(self, text: str, place: Place) -> str:
        """`text` for this place alone."""
        kid, nonce = self.active, secrets.token_bytes(_NONCE_BYTES)
        sealed = self._keys[kid].encrypt(nonce, text.encode(), place.bound)
        return f"v1.{kid}.{_base64(nonce)}.{_base64(sealed)}"

    def unseal(self, sealed: str, place: Place) -> str:
        """What was sealed for this place. Raises SecretUnreadable."""
        parts = _SEALED.fullmatch(sealed)
        nonce, content = (_bytes(parts[2]), _bytes(parts[3])) if parts else (None, None)
        if parts is None or nonce is None or content is None:
            raise self._unreadable("it is no sealed text", place)
        self._follow()
        if parts[1] not in self._keys:
            self._follow(again=True)
        if (key := self._keys.get(parts[1])) is None:
            raise SecretUnreadable(
                f"a secret in {place.table} cannot be opened: the key {parts[1]} it was sealed "
                "with is not in ENCRYPTION_KEY, nor in secrets/encryption.keys of the data folder; "
                "put it back behind the first one",
                {"kid": parts[1], "table": place.table},
            )
        try:
            return key.decrypt(nonce, content, place.bound).decode()
        except (InvalidTag, UnicodeDecodeError):
            raise self._unreadable("it was moved here or changed", place, parts[1]) from None

    def rotate(self) -> bool:
        """Put a fresh key in front of a ring of a file; False: the ring is ENCRYPTION_KEY's."""
        if self._file is None:
            return False
        with _locked(self._file):
            _replace(self._file, f"{new_key()}\n{self._file.read_text()}")
        self._follow(again=True)
        return True

    def _unreadable(self, why: str, place: Place, kid: str = "") -> SecretUnreadable:
        _log.error("a sealed secret does not open", reason=why, kid=kid, **place._asdict())
        return SecretUnreadable(
            f"a secret in {place.table} cannot be opened: {why}; who owns it must enter it again",
            {"kid": kid, "table": place.table},
        )

    def _follow(self, *, again: bool = False) -> None:
        """Read the file anew when it is another one than last time."""
        if self._file is None:
            return
        try:
            found = self._file.stat()
            seen = (found.st_mtime_ns, found.st_ino)
            if again or seen != self._seen:
                self._take(self._file.read_text().split())
                self._seen = seen
        except OSError as error:
            raise InstanceError(f"cannot read the keys in {self._file}: {error}") from None

    def _take(self, encoded: list[str]) -> None:
        raw = [_key(text.strip(), self.source) for text in encoded]
        keys = {kid_of(key): AESGCM(key) for key in raw}
        if not keys or len(keys) < len(set(raw)):
            raise InstanceError(f"{self.source} holds no key, or two of one name; {_HOW}")
        self._keys = keys
        know(*(text.strip() for text in encoded))  # base64 has no form to tell a key by


def new_key() -> str:
    """A fresh key in base64, as ENCRYPTION_KEY takes it."""
    return base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode()


def kid_of(key: bytes) -> str:
    """What a key is called: it tells nothing about the key."""
    return hashlib.sha256(key).hexdigest()[:8]


def ring_path(settings: Settings) -> Path:
    """File of the keys where ENCRYPTION_KEY is unset: one a line, the active one first."""
    return settings.secrets / "encryption.keys"


def ensure_ring(settings: Settings) -> None:
    """Make the file unless it is there. Of several at once one wins and all use its key."""
    path = ring_path(settings)
    if path.exists():
        return
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with _locked(path):
        if not path.exists():
            _replace(path, f"{new_key()}\n")


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """One process at a time: a key that sealed something must never be written over."""
    lock = os.open(path.with_name(f".{path.name}.lock"), os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def _replace(path: Path, content: str) -> None:
    """The whole file or the former one, 0600, on the disk before anything is sealed with it."""
    fresh = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _key(text: str, source: str) -> bytes:
    try:
        key = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != KEY_BYTES:
        raise InstanceError(f"{source}: every key must be {KEY_BYTES} bytes in base64; {_HOW}")
    return key


def _base64(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def _bytes(text: str) -> bytes | None:
    """None where another text means the same bytes: one sealed text, one spelling."""
    try:
        content = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except binascii.Error:
        return None
    return content if _base64(content) == text else None
