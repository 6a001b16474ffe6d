"""Reads bearer tokens of any issuer that is let in.

Whatever is wrong, the caller sees the same 401; the reason goes to the log as a code.
"""

from __future__ import annotations

import hashlib
import logging
import math
import re
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from growqr.errors import Unauthorized
from growqr.identity.jwt import LEEWAY, PublicKey, Refused, decode, key_id, part

log = logging.getLogger(__name__)

_MAX_HEADER = 4096
_CACHE_SECONDS = 60.0
_CACHE_ENTRIES = 10_000
_BEARER = re.compile(r"Bearer ([A-Za-z0-9_-]{1,512})\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)")


class Identity(NamedTuple):
    """A caller whose token was good. `expires`: seconds since 1970.

    `email` is what the issuer says and does not call unverified.
    """

    user_id: str
    issuer: str
    subject: str
    name: str
    session: str
    expires: float
    email: str | None = None


class Person(NamedTuple):
    """Whom an issuer's claims name. `session` is empty where its tokens have none."""

    user_id: str
    name: str
    session: str
    email: str | None = None


class KeySource(Protocol):
    """An issuer: its keys and its rules. `audience` None: `aud` is not looked at."""

    issuer: str
    max_lifetime: float
    required: frozenset[str]
    audience: str | None

    async def key(self, kid: str | None) -> PublicKey | None:
        """The public key of that id, None when the issuer has none such."""

    def person(self, claims: Mapping[str, Any]) -> Person:
        """Whom verified claims name. Raises Refused or ValueError for what it never issued."""


class Verifier:
    """Reads Authorization headers; a token verified once is remembered for a minute at most."""

    def __init__(
        self, sources: Iterable[KeySource], clock: Callable[[], float] = time.time
    ) -> None:
        self._sources = {source.issuer: source for source in sources}
        self._clock = clock
        self._seen: dict[bytes, tuple[Identity, float]] = {}

    @property
    def issuers(self) -> tuple[str, ...]:
        """The `iss` of every source."""
        return tuple(self._sources)

    async def verify(self, headers: Sequence[str]) -> Identity:
        """Who sent these Authorization headers. Raises Unauthorized, always the same."""
        digest = hashlib.sha256("\n".join(headers).encode("utf-8", "surrogatepass")).digest()
        known = self._seen.get(digest)
        if known is not None and self._clock() < known[1]:
            return known[0]
        kid: str | None = None
        try:
            text = _single(headers)
            kid = key_id(text)
            found = await self._check(text, kid)
        except Exception as error:  # noqa: BLE001 - jose raises whatever its parsers raise
            reason = str(error) if isinstance(error, Refused) else type(error).__name__
            log.info("token refused: %s (kid %.40r)", reason, kid)
            raise Unauthorized from None
        self._remember(digest, found)
        return found

    async def _check(self, text: str, kid: str | None) -> Identity:
        # What the token says of its issuer only chooses whose key it must be signed with.
        named = part(text, 1).get("iss")
        if named not in self._sources:
            raise Refused("unknown_issuer")
        source = self._sources[named]
        key = await source.key(kid)
        if key is None:
            raise Refused("unknown_kid" if kid else "no_kid")
        claims = decode(text, key, source.issuer, source.audience, source.required)
        expires = self._check_times(claims, source.max_lifetime)
        who = source.person(claims)
        session = who.session or hashlib.sha256(text.encode()).hexdigest()[:32]
        return Identity(
            who.user_id, source.issuer, claims["sub"], who.name, session, expires, who.email
        )

    def _check_times(self, claims: dict[str, Any], max_lifetime: float) -> float:
        """Expiry in seconds. jose itself would take strings and booleans for numbers."""
        for name in ("exp", "iat", "nbf"):
            value = claims.get(name, 0)
            if type(value) not in (int, float) or not math.isfinite(value):
                raise Refused("times_not_numbers")
        now = self._clock()
        if claims["exp"] < now - LEEWAY:
            raise Refused("expired")
        if max(claims["iat"], claims.get("nbf", 0)) > now + LEEWAY:
            raise Refused("issued_in_future")
        if claims["exp"] - claims["iat"] > max_lifetime:
            raise Refused("lives_too_long")
        return float(claims["exp"])

    def _remember(self, digest: bytes, found: Identity) -> None:
        if len(self._seen) >= _CACHE_ENTRIES:
            self._seen.clear()
        self._seen[digest] = (found, min(found.expires, self._clock() + _CACHE_SECONDS))


def _single(headers: Sequence[str]) -> str:
    if len(headers) != 1:
        raise Refused("no_header" if not headers else "several_headers")
    if len(headers[0]) > _MAX_HEADER:
        raise Refused("too_long")
    if not _BEARER.fullmatch(headers[0]):
        raise Refused("no_bearer_jwt")
    return headers[0].removeprefix("Bearer ")
