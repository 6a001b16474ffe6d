"""The one place that trusts a JWT: cheap checks first, then one pinned call of python-jose.

Whatever is wrong, the caller sees the same 401; the reason goes to the log as a code.
"""

from __future__ import annotations

import base64
import hashlib
import json
import logging
import math
import re
import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, Protocol, TypeAlias

from jose import jwk, jwt
from jose.backends.base import Key
from jose.backends.cryptography_backend import CryptographyRSAKey

from growqr.errors import InstanceError, Unauthorized

log = logging.getLogger(__name__)

PublicKey: TypeAlias = Key
"""A key to verify with, as python-jose holds it."""

ALGORITHM = "RS256"
LEEWAY = 5.0
"""Seconds by which clocks may differ."""

_MAX_HEADER = 4096
_CACHE_SECONDS = 60.0
_CACHE_ENTRIES = 10_000
_BEARER = re.compile(r"Bearer ([A-Za-z0-9_-]{1,512})\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)")
_OPTIONS = {
    **{f"require_{claim}": True for claim in ("exp", "iat", "nbf", "iss", "sub")},
    "verify_aud": False,  # no audience is configured; an issuer that has one will set it
    "leeway": LEEWAY,
}


class Identity(NamedTuple):
    """A caller whose token was good. `expires` is in seconds since 1970."""

    user_id: str
    issuer: str
    subject: str
    name: str
    session: str
    expires: float
    email: str | None = None


class KeySource(Protocol):
    """An issuer: its keys and its rules."""

    issuer: str
    max_lifetime: float

    async def key(self, kid: str) -> PublicKey | None:
        """The public key of that id, None when the issuer has none such."""

    def person(self, subject: str) -> tuple[str, str]:
        """(user id, shown name) of a subject. Raises ValueError for one it cannot have issued."""


class _Refused(Exception):
    """Why a token was not accepted: a code for the log, never for the caller."""


class Verifier:
    """Reads Authorization headers; a token verified once is remembered for a minute at most."""

    def __init__(self, source: KeySource, clock: Callable[[], float] = time.time) -> None:
        self._source = source
        self._clock = clock
        self._seen: dict[bytes, tuple[Identity, float]] = {}

    async def verify(self, headers: Sequence[str]) -> Identity:
        """Who sent these Authorization headers. Raises Unauthorized, always the same."""
        digest = hashlib.sha256("\n".join(headers).encode()).digest()
        known = self._seen.get(digest)
        if known is not None and self._clock() < known[1]:
            return known[0]
        kid: object = None
        try:
            text = _single(headers)
            kid = _kid(text)
            found = await self._check(text, str(kid))
        except Exception as error:  # noqa: BLE001 - jose raises whatever its parsers raise
            reason = str(error) if isinstance(error, _Refused) else type(error).__name__
            log.info("token refused: %s (kid %.40r)", reason, kid)
            raise Unauthorized from None
        self._remember(digest, found)
        return found

    async def _check(self, text: str, kid: str) -> Identity:
        key = await self._source.key(kid)
        if key is None:
            raise _Refused("unknown_kid")
        claims = jwt.decode(
            text, key, algorithms=[ALGORITHM], issuer=self._source.issuer, options=_OPTIONS
        )
        expires = self._check_times(claims)
        session = claims.get("sid")
        if not isinstance(session, str) or not session:
            raise _Refused("no_sid")
        user_id, name = self._source.person(claims["sub"])
        return Identity(user_id, self._source.issuer, claims["sub"], name, session, expires)

    def _check_times(self, claims: dict[str, Any]) -> float:
        """Expiry in seconds. jose itself would take strings and booleans for numbers."""
        for name in ("exp", "iat", "nbf"):
            value = claims[name]
            if type(value) not in (int, float) or not math.isfinite(value):
                raise _Refused("times_not_numbers")
        now = self._clock()
        if claims["iat"] > now + LEEWAY:
            raise _Refused("issued_in_future")
        if claims["exp"] - claims["iat"] > self._source.max_lifetime:
            raise _Refused("lives_too_long")
        return float(claims["exp"])

    def _remember(self, digest: bytes, found: Identity) -> None:
        if len(self._seen) >= _CACHE_ENTRIES:
            self._seen.clear()
        self._seen[digest] = (found, min(found.expires, self._clock() + _CACHE_SECONDS))


def sign(claims: dict[str, Any], private_pem: str, kid: str) -> str:
    """A token of these claims."""
    return str(jwt.encode(claims, private_pem, algorithm=ALGORITHM, headers={"kid": kid}))


def public_key(pem: str) -> PublicKey:
    """A verification key, built once. Raises InstanceError without the cryptography backend."""
    key = jwk.construct(pem, ALGORITHM)
    if not isinstance(key, CryptographyRSAKey):
        raise InstanceError("python-jose lacks its cryptography backend; reinstall growqr")
    return key


def _single(headers: Sequence[str]) -> str:
    if len(headers) != 1:
        raise _Refused("no_header" if not headers else "several_headers")
    if len(headers[0]) > _MAX_HEADER:
        raise _Refused("too_long")
    if not _BEARER.fullmatch(headers[0]):
        raise _Refused("no_bearer_jwt")
    return headers[0].removeprefix("Bearer ")


def _kid(text: str) -> str:
    part = text.split(".", 1)[0]
    header = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    if not isinstance(header, dict) or header.get("alg") != ALGORITHM:
        raise _Refused("wrong_algorithm")
    if "crit" in header or header.get("typ", "JWT") != "JWT":
        raise _Refused("wrong_header")
    kid = header.get("kid")
    if not isinstance(kid, str) or not 0 < len(kid) <= 128:
        raise _Refused("no_kid")
    return kid
