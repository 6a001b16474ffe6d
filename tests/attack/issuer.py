"""An issuer whose tokens an attack starts from: good ones, and forgeries of every kind."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
)

from growqr.config import Settings
from growqr.identity import LocalIssuer
from growqr.store import User
from tests.fakes.clerk import FakeClerk

Signer = Callable[[bytes], bytes]


@dataclass
class Issuer:
    """`good` are claims that are accepted, of whom they are about; `private` signs them."""

    kid: str
    private: rsa.RSAPrivateKey
    good: dict[str, Any]

    def token(self, header: dict[str, Any] | None = None, **changes: Any) -> str:
        """A token signed as it should be; a claim that is changed to None is left out."""
        claims = {k: v for k, v in (self.good | changes).items() if v is not None}
        return jws(self.header() | (header or {}), claims, rs256(self.private))

    def header(self, alg: str = "RS256") -> dict[str, Any]:
        return {"alg": alg, "kid": self.kid, "typ": "JWT"}

    def hmacs(self, secret: bytes) -> str:
        """The same claims under a secret that is known to everybody."""
        return jws(self.header("HS256"), self.good, hs256(secret))

    def public(self, encoding: Encoding) -> bytes:
        return self.private.public_key().public_bytes(encoding, PublicFormat.SubjectPublicKeyInfo)


def local(settings: Settings, user: User) -> Issuer:
    """The built-in issuer."""
    ours = LocalIssuer(settings)
    private = load_pem_private_key((settings.secrets / "issuer.pem").read_bytes(), None)
    assert isinstance(private, rsa.RSAPrivateKey)
    now = int(time.time())
    good = {"iss": ours.issuer, "sub": user.subject, "sid": secrets.token_urlsafe(12)}
    return Issuer(ours.kid, private, good | {"iat": now, "nbf": now, "exp": now + 60})


def clerk(fake: FakeClerk) -> Issuer:
    """A Clerk application, whose user nobody here has seen before."""
    return Issuer(fake.kid, fake.keys[fake.kid], fake.claims())


def jws(header: dict[str, Any] | str, claims: dict[str, Any], signer: Signer) -> str:
    """A compact JWS; a header that is text is taken as it is."""
    head = header if isinstance(header, str) else json.dumps(header)
    text = f"{b64(head.encode())}.{b64(json.dumps(claims).encode())}"
    return f"{text}.{b64(signer(text.encode()))}"


def rs256(private: rsa.RSAPrivateKey) -> Signer:
    return lambda text: private.sign(text, padding.PKCS1v15(), hashes.SHA256())


def hs256(secret: bytes) -> Signer:
    return lambda text: hmac.new(secret, text, hashlib.sha256).digest()


def b64(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()
