"""A Clerk on loopback: its keys, its session tokens, and enough of its script for a real browser.

`with FakeClerk() as clerk:` serves from a thread, for tests of any kind. `clerk.publishable_key`
names it as a real key does: growqr derives issuer and key address from it. It is an OpenID issuer
too (`/.well-known/openid-configuration`).

- Keys: `/.well-known/jwks.json`, counted in `clerk.fetches`. `rotate()` adds a key and signs with
  it; `withdraw(kid)` takes one out of the set. `clerk.answers = "down"` and the like spoil the set
  (see `Answers`); "slow" holds the answer until `clerk.release.set()`.
- Tokens: `clerk.token(...)`, with any claim or header; what is None is left out.
- Browsers: see `clerk_browser.py`.
"""

from __future__ import annotations

import base64
import json
import threading
import time
import uuid
from collections.abc import Callable
from functools import lru_cache
from http.server import ThreadingHTTPServer
from types import TracebackType
from typing import Any, Literal, Self

from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.fakes.clerk_browser import ClerkExchange

Answers = Literal[
    "good", "down", "slow", "large", "redirect", "error", "html", "weak", "ec", "failing", "empty"
]


@lru_cache(maxsize=32)
def private_key(number: int, bits: int = 2048) -> rsa.RSAPrivateKey:
    """The same key for the same number: making one takes a tenth of a second."""
    return rsa.generate_private_key(public_exponent=65537, key_size=bits)


def b64(content: bytes) -> str:
    """base64url without padding."""
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def jwk(kid: str, key: rsa.RSAPrivateKey) -> dict[str, str]:
    """The public half as Clerk publishes it."""
    public = key.public_key().public_numbers()
    n = b64(public.n.to_bytes((public.n.bit_length() + 7) // 8))
    return {"use": "sig", "kty": "RSA", "kid": kid, "alg": "RS256", "n": n, "e": "AQAB"}


def signed(
    header: dict[str, Any], claims: dict[str, Any], key: rsa.RSAPrivateKey | None = None
) -> str:
    """A token of exactly these parts; without a key its signature is rubbish."""
    body = ".".join(b64(json.dumps(part).encode()) for part in (header, claims))
    made = key.sign(body.encode(), padding.PKCS1v15(), SHA256()) if key else b"rubbish"
    return f"{body}.{b64(made)}"


class FakeClerk:
    """One Clerk application with the user Ann. `clock` dates its tokens, in seconds since 1970."""

    def __init__(self, clock: Callable[[], float] = time.time, port: int = 0) -> None:
        self.clock = clock
        self.answers: Answers = "good"
        self.release = threading.Event()
        self.fetches = 0
        self.discoveries = 0
        self.token_requests = 0
        self.sessions: dict[str, str] = {}  # browser token → session id
        self.custom: dict[str, Any] = {}  # claims added to the tokens that browsers get
        self.keys: dict[str, rsa.RSAPrivateKey] = {}
        self._made = 0
        self.rotate()
        self._server = _Server(("127.0.0.1", port), ClerkExchange)
        self._server.clerk = self
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self.issuer = self.url
        """What its discovery document says; tokens say `url` unless told otherwise."""

    @property
    def publishable_key(self) -> str:
        """For CLERK_PUBLISHABLE_KEY."""
        host = self.url.removeprefix("http://")
        return "pk_test_" + base64.b64encode(f"{host}$".encode()).decode()

    @property
    def pem(self) -> str:
        """The current public key, for CLERK_JWT_KEY."""
        public = self.keys[self.kid].public_key()
        return public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()

    def rotate(self) -> str:
        """Publish one more key and sign with it from now on. Returns its id."""
        self.kid = f"ins_{uuid.uuid4().hex[:20]}"
        self.keys[self.kid] = private_key(self._made)
        self._made += 1
        return self.kid

    def withdraw(self, kid: str) -> None:
        """Publish the key of that id no longer; whoever kept it can still sign with it."""
        del self.keys[kid]

    def key_set(self, bits: int = 2048) -> dict[str, Any]:
        """Its JWKS; of other keys of that many bits under the same ids unless of 2048."""
        own = {kid: key if bits == 2048 else private_key(0, bits) for kid, key in self.keys.items()}
        return {"keys": [jwk(kid, key) for kid, key in own.items()]}

    def claims(self, subject: str = "user_2Ann", **changed: Any) -> dict[str, Any]:
        """Of a session token as Clerk makes them; a claim of None is left out."""
        now = int(self.clock())
        usual = {
            "iss": self.url, "sub": subject, "sid": "sess_2Ann", "iat": now, "nbf": now,
            "exp": now + 60, "azp": None, "sts": "active", "v": 2, "fva": [0, -1],
        }  # fmt: skip
        return {name: value for name, value in (usual | changed).items() if value is not None}

    def token(
        self,
        subject: str = "user_2Ann",
        header: dict[str, Any] | None = None,
        key: rsa.RSAPrivateKey | None = None,
        **changed: Any,
    ) -> str:
        """A session token signed with the current key, or with `key` under the same id."""
        head = {"alg": "RS256", "typ": "JWT", "kid": self.kid} | (header or {})
        head = {name: value for name, value in head.items() if value is not None}
        return signed(head, self.claims(subject, **changed), key or self.keys[self.kid])

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.release.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128
    clerk: FakeClerk

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is no news here."""
