"""The one place that knows python-jose: cheap checks first, then one pinned call of it.

Its parsers raise anything at all on hostile text; whoever calls takes every exception for a no.
"""

from __future__ import annotations

import base64
import json
from functools import lru_cache
from typing import Any, TypeAlias

from cryptography.hazmat.primitives.asymmetric import rsa
from jose import jwk, jwt
from jose.backends.base import Key
from jose.backends.cryptography_backend import CryptographyRSAKey

from growqr.errors import InstanceError

PublicKey: TypeAlias = Key
"""A key to verify with, as python-jose holds it."""

ALGORITHM = "RS256"
LEEWAY = 5.0
"""Seconds by which clocks may differ."""

REQUIRED = frozenset({"exp", "iat", "nbf", "iss", "sub"})
"""Claims of every token that we or Clerk issue."""


class Refused(Exception):
    """Why a token was not accepted: a code for the log, never for the caller."""


def decode(
    text: str, key: PublicKey, issuer: str, audience: str | None, required: frozenset[str]
) -> dict[str, Any]:
    """The claims of a token that `key` signed. `audience` None: `aud` is not looked at."""
    return jwt.decode(
        text,
        key,
        algorithms=[ALGORITHM],
        issuer=issuer,
        audience=audience,
        options=_options(audience is not None, required),
    )


def key_id(text: str) -> str | None:
    """The key's id as the header has it. What the header says of keys themselves is not read."""
    header = part(text, 0)
    if header.get("alg") != ALGORITHM:
        raise Refused("wrong_algorithm")
    if "crit" in header or header.get("typ", "JWT") != "JWT":
        raise Refused("wrong_header")
    kid = header.get("kid")
    if kid is not None and (not isinstance(kid, str) or not 0 < len(kid) <= 128):
        raise Refused("wrong_kid")
    return kid


def part(text: str, number: int) -> dict[str, Any]:
    """The header (0) or the claims (1) as they came: nothing of them is proven."""
    piece = text.split(".", 2)[number]
    content = json.loads(base64.urlsafe_b64decode(piece + "=" * (-len(piece) % 4)))
    if not isinstance(content, dict):
        raise Refused("no_object")
    return content


def sign(claims: dict[str, Any], private_pem: str, kid: str) -> str:
    """A token of these claims."""
    return str(jwt.encode(claims, private_pem, algorithm=ALGORITHM, headers={"kid": kid}))


def public_key(key: rsa.RSAPublicKey) -> PublicKey:
    """A verification key, built once. Raises ValueError for a weak or monstrous one.

    Raises InstanceError without the cryptography backend.
    """
    if not 2048 <= key.key_size <= 8192:
        raise ValueError(f"an RSA key has 2048 to 8192 bits, not {key.key_size}")
    made = jwk.construct(key, ALGORITHM)  # type: ignore[arg-type]  # the stubs lack this form
    if not isinstance(made, CryptographyRSAKey):
        raise InstanceError("python-jose lacks its cryptography backend; reinstall growqr")
    return made


@lru_cache(maxsize=16)
def _options(audience: bool, required: frozenset[str]) -> dict[str, Any]:
    """What jose is told to look at. It lets a missing `aud` pass unless that is required too."""
    return {
        **{f"require_{claim}": True for claim in required},
        "require_aud": audience,
        "verify_aud": audience,
        "verify_at_hash": False,  # binds an access token to this one; nobody shows us any
        "leeway": LEEWAY,
    }
