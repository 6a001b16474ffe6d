"""Who is calling: bearer tokens of people, and the tokens of agents and stacks.

    crypto        secrets at rest, and the ring of their keys
    oauth         signing in with GitHub and Google, and their tokens (a room of its own)
    jwt           the one place that trusts a JWT, and the only user of python-jose
    local_issuer  the built-in issuer: key at first start, tokens minted offline
    tokens        what agents show to the gateway, bound to lease and epoch, and services of
                  stacks, bound to user, role and generation; passwords of these services

Only `tokens` is loaded with the room: agents need it, and nothing else of this, in memory.
"""

from __future__ import annotations

from importlib import import_module
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
    from growqr.identity.crypto import KeyRing, Place, new_key
    from growqr.identity.jwt import Identity, KeySource, Verifier
    from growqr.identity.local_issuer import LocalIssuer, check_profile, ensure_key, mint
    from growqr.identity.oauth import Account, Finished, OAuth, open_providers, redirect_uri

__all__ = [
    "Account",
    "Bearer",
    "Finished",
    "Identity",
    "KeyRing",
    "KeySource",
    "LocalIssuer",
    "OAuth",
    "Place",
    "Verifier",
    "agent_token",
    "check_profile",
    "ensure_key",
    "instance_secret",
    "mint",
    "new_key",
    "open_providers",
    "read_token",
    "redirect_uri",
    "service_password",
    "stack_of",
    "stack_token",
]


_LAZY = {
    "crypto": ("KeyRing", "Place", "new_key"),
    "jwt": ("Identity", "KeySource", "Verifier"),
    "oauth": ("Account", "Finished", "OAuth", "open_providers", "redirect_uri"),
    "local_issuer": ("LocalIssuer", "check_profile", "ensure_key", "mint"),
}


def __getattr__(name: str) -> Any:
    for module, names in _LAZY.items():
        if name in names:
            return getattr(import_module(f"{__name__}.{module}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
