"""Issuers of others: what tokens of Clerk and of any OpenID issuer must say, and whom they name."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Protocol, TypeGuard

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from growqr.identity.jwt import REQUIRED, PublicKey, Refused, public_key
from growqr.identity.verifier import Person
from growqr.names import foreign_user_id

MAX_LIFETIME = 3600.0
"""Longest life in seconds of a token that another issuer made."""

_CLERK_SUBJECT = re.compile(r"user_[A-Za-z0-9]{1,64}")
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+")


class Keys(Protocol):
    """Where the keys of an issuer come from."""

    async def key(self, kid: str | None) -> PublicKey | None:
        """The key of that id, None when there is none such."""


class OneKey:
    """A key out of the settings: it is meant whatever key a token names."""

    def __init__(self, pem: str) -> None:
        """Raises ValueError unless `pem` is an armoured public RSA key of 2048 bits or more."""
        text = pem.strip().strip("\"'").replace("\\r", "").replace("\\n", "\n").strip()
        if not re.match(r"-----BEGIN (RSA )?PUBLIC KEY-----\n", text):
            raise ValueError("it must begin with -----BEGIN PUBLIC KEY----- on a line of its own")
        key = load_pem_public_key(text.encode())
        if not isinstance(key, RSAPublicKey):
            raise ValueError("it is no RSA key")
        self._key = public_key(key)

    async def key(self, kid: str | None) -> PublicKey | None:
        """The key."""
        return self._key


class Clerk:
    """`KeySource` of a Clerk application. `parties` None: `azp` is not looked at."""

    max_lifetime = MAX_LIFETIME
    required = REQUIRED
    audience: str | None = None

    def __init__(self, issuer: str, keys: Keys, parties: frozenset[str] | None) -> None:
        self.issuer, self.key, self._parties = issuer, keys.key, parties

    def person(self, claims: Mapping[str, Any]) -> Person:
        """Who has this session. Tokens of templates have none and are refused."""
        if not _CLERK_SUBJECT.fullmatch(claims["sub"]):
            raise Refused("wrong_sub")
        if not _word(claims.get("sid")):
            raise Refused("no_sid")
        if claims.get("sts") == "pending":
            raise Refused("pending")
        if "azp" in claims and self._parties is not None and claims["azp"] not in self._parties:
            raise Refused("wrong_azp")
        return _person(self.issuer, claims, claims["sid"], _email(claims, unsaid=True))


class Oidc:
    """`KeySource` of an OpenID issuer, whose tokens need neither `nbf` nor `sid`."""

    max_lifetime = MAX_LIFETIME
    required = REQUIRED - {"nbf"}

    def __init__(self, issuer: str, keys: Keys, audience: str | None) -> None:
        self.issuer, self.key, self.audience = issuer, keys.key, audience

    def person(self, claims: Mapping[str, Any]) -> Person:
        """Whom the subject names."""
        if not _word(claims["sub"]):
            raise Refused("wrong_sub")
        session = next((claims[c] for c in ("sid", "jti") if _word(claims.get(c))), "")
        return _person(self.issuer, claims, session, _email(claims, unsaid=False))


def _person(issuer: str, claims: Mapping[str, Any], session: str, email: str | None) -> Person:
    subject = claims["sub"]
    names = (claims.get("name"), email and email.split("@")[0], subject)
    shown = next(filter(None, (_shown(name) for name in names)), "")
    return Person(foreign_user_id(issuer, subject), shown, session, email)


def _email(claims: Mapping[str, Any], *, unsaid: bool) -> str | None:
    """The address if the issuer has verified it. `unsaid`: what a token means that does not say.

    Clerk's primary address always is; elsewhere people may write there what they like.
    """
    email = claims.get("email")
    if claims.get("email_verified", unsaid) is not True or not _word(email):
        return None
    return email if _EMAIL.fullmatch(email) else None


def _shown(name: object) -> str:
    """A name without control characters and such that turn the text around; empty for no name."""
    if not isinstance(name, str):
        return ""
    return "".join(letter for letter in name if letter.isprintable()).strip()[:100]


def _word(value: object) -> TypeGuard[str]:
    return isinstance(value, str) and 0 < len(value) <= 255 and value.isprintable()
