"""Who is calling: bearer tokens of people, and the tokens agents show to the gateway.

    jwt           the one place that trusts a JWT, and the only user of python-jose
    local_issuer  the built-in issuer: key at first start, tokens minted offline
    tokens        what an agent shows to the gateway, bound to its lease and epoch

Only `tokens` is loaded with the room: agents need it, and nothing else of this, in memory.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from growqr.identity.tokens import agent_token, instance_secret, read_token

if TYPE_CHECKING:
    from growqr.identity.jwt import Identity, KeySource, Verifier
    from growqr.identity.local_issuer import LocalIssuer, check_profile, ensure_key, mint

__all__ = [
    "Identity",
    "KeySource",
    "LocalIssuer",
    "Verifier",
    "agent_token",
    "check_profile",
    "ensure_key",
    "instance_secret",
    "mint",
    "read_token",
]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from growqr.identity import jwt, local_issuer

    return getattr(jwt if name in ("Identity", "KeySource", "Verifier") else local_issuer, name)
