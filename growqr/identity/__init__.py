"""Who is calling: bearer tokens of people, and the tokens of agents and stacks.

    jwt           the one place that trusts a JWT, and the only user of python-jose
    local_issuer  the built-in issuer: key at first start, tokens minted offline
    tokens        what agents show to the gateway, bound to lease and epoch, and services of
                  stacks, bound to user, role and generation; passwords of these services

Only `tokens` is loaded with the room: agents need it, and nothing else of this, in memory.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from growqr.identity.tokens import (
    Bearer,
    agent_token,
    instance_secret,
    read_token,
    service_password,
    stack_of,
    stack_token,
)

if TYPE_CHECKING:
    from growqr.identity.jwt import Identity, KeySource, Verifier
    from growqr.identity.local_issuer import LocalIssuer, check_profile, ensure_key, mint

__all__ = [
    "Bearer",
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
    "service_password",
    "stack_of",
    "stack_token",
]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from growqr.identity import jwt, local_issuer

    return getattr(jwt if name in ("Identity", "KeySource", "Verifier") else local_issuer, name)
