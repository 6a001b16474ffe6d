"""CPU of a bearer token that was not seen before, beside its bare signature. Needs no instance."""

from __future__ import annotations

import asyncio
import base64
import time
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from benchmarks.figures import Figure, alternate
from growqr.identity import Verifier
from growqr.identity.foreign import Clerk
from growqr.identity.jwt import PublicKey, public_key, sign

ROUNDS = 2000
ISSUER = "https://clerk.example.com"


def run() -> list[Figure]:
    """Microseconds of CPU: the verifier as the api uses it, and `key.verify` of the same token."""
    private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    tokens = _tokens(private)
    key = public_key(private.public_key())
    verifier = Verifier([Clerk(ISSUER, _Held(key), frozenset({ISSUER}))])
    ours, floor = asyncio.run(_measure(verifier, key, tokens))
    return [Figure("fresh token, CPU", "µs", ours, "key.verify of its signature", floor)]


class _Held:
    """A key that is in memory, as all are but for the first use of a new one."""

    def __init__(self, key: PublicKey) -> None:
        self._key = key

    async def key(self, kid: str | None) -> PublicKey | None:
        return self._key


async def _measure(
    verifier: Verifier, key: PublicKey, tokens: list[str]
) -> tuple[list[float], list[float]]:
    ours, bare = iter(tokens), iter(tokens)

    async def verify() -> float:
        headers = [f"Bearer {next(ours)}"]
        began = time.process_time_ns()
        await verifier.verify(headers)
        return (time.process_time_ns() - began) / 1e3

    async def signature() -> float:
        body, signed = next(bare).rsplit(".", 1)
        raw = base64.urlsafe_b64decode(signed + "==")
        began = time.process_time_ns()
        good = key.verify(body.encode(), raw)
        took = (time.process_time_ns() - began) / 1e3
        assert good
        return took

    return await alternate(ROUNDS, verify, signature)


def _tokens(private: rsa.RSAPrivateKey) -> list[str]:
    """As many as are needed, of the size and claims of Clerk's."""
    pem = private.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()
    now = int(time.time())
    claims: dict[str, Any] = {
        "iss": ISSUER, "sub": "user_2abcdefghijklmnopqrstuvwxyz", "azp": ISSUER, "sts": "active",
        "iat": now, "nbf": now, "exp": now + 3600, "v": 2, "fva": [0, -1],
        "email": "ann@example.com", "name": "Ann Example",
    }  # fmt: skip
    kid = "ins_2abcdefghijklmnopqrstuvwxyz"
    return [sign({**claims, "sid": f"sess_{n:028}"}, pem, kid) for n in range(ROUNDS + 1)]
