"""The built-in issuer: no account, no network. Its key is made at first start, 0600.

Tokens are minted offline by whoever may read the key file and live 12 hours at most.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from growqr.config import Settings
from growqr.errors import InstanceError, Invalid
from growqr.identity.jwt import REQUIRED, PublicKey, Refused, public_key, sign
from growqr.identity.verifier import Person
from growqr.names import LOCAL_USER, local_user_id

LIFETIME = 12 * 3600.0
"""Longest life of a token, in seconds."""


class LocalIssuer:
    """`KeySource` of this instance. Its name carries the key's fingerprint."""

    max_lifetime = LIFETIME
    required = REQUIRED
    audience: str | None = None

    def __init__(self, settings: Settings) -> None:
        ensure_key(settings)
        self._private = _load(key_path(settings))
        public = self._private.public_key()
        der = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        self.kid = hashlib.sha256(der).hexdigest()[:16]
        self.issuer = f"growqr:{self.kid}"
        self._key = public_key(public)

    async def key(self, kid: str | None) -> PublicKey | None:
        """The instance's one key."""
        return self._key if kid == self.kid else None

    def person(self, claims: Mapping[str, Any]) -> Person:
        """alice → `u_alice`, shown as alice."""
        session = claims.get("sid")
        if not isinstance(session, str) or not session:
            raise Refused("no_sid")
        return Person(local_user_id(claims["sub"]), claims["sub"], session)

    def mint(self, name: str, ttl: float = LIFETIME) -> str:
        """A token for a local user. Raises Invalid for a wrong name or lifetime."""
        if not LOCAL_USER.fullmatch(name):
            raise Invalid(f"user name {name!r} must match {LOCAL_USER.pattern}")
        if not 0 < ttl <= LIFETIME:
            raise Invalid(f"a token lives between 0 and {LIFETIME:.0f} seconds, not {ttl}")
        now = int(time.time())
        claims = {
            "iss": self.issuer,
            "sub": name,
            "iat": now,
            "nbf": now,
            "exp": now + int(ttl),
            "sid": secrets.token_urlsafe(12),
        }
        return sign(claims, _pem(self._private).decode(), self.kid)


def mint(settings: Settings, name: str, ttl: float = LIFETIME) -> str:
    """A bearer token for the local user `name`, good for `ttl` seconds."""
    return LocalIssuer(settings).mint(name, ttl)


def ensure_key(settings: Settings) -> None:
    """Make the key unless it is there. Of several at once one wins and all use its key."""
    path = key_path(settings)
    if path.exists():
        return
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    fresh = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    try:
        _write(fresh, _pem(private))
        os.link(fresh, path)  # unlike a rename, never replaces a key that is there
    except FileExistsError:
        pass
    finally:
        fresh.unlink(missing_ok=True)


def key_path(settings: Settings) -> Path:
    """File of the private key."""
    return settings.secrets / "issuer.pem"


def _write(path: Path, content: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _pem(private: rsa.RSAPrivateKey) -> bytes:
    return private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _load(path: Path) -> rsa.RSAPrivateKey:
    try:
        private = load_pem_private_key(path.read_bytes(), password=None)
    except (OSError, ValueError) as error:
        raise InstanceError(f"cannot read the issuer's key {path}: {error}") from None
    if not isinstance(private, rsa.RSAPrivateKey) or private.key_size < 2048:
        raise InstanceError(f"{path} must hold an RSA key of 2048 bits or more")
    return private
