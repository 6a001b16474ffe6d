"""Who is calling: bearer tokens of people, and the tokens of agents and stacks.

    jwt           the only user of python-jose: what is read of a token, and how
    verifier      the one place that trusts a JWT, whoever issued it
    local_issuer  the built-in issuer: key at first start, tokens minted offline
    foreign       issuers of others: Clerk, and any that speaks OpenID
    published     what such an issuer publishes, fetched and read
    jwks          its keys: kept by id, renewed in time
    issuers       which issuers the settings name
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
    from growqr.identity.issuers import open_verifier
    from growqr.identity.local_issuer import LocalIssuer, check_profile, ensure_key, mint
    from growqr.identity.verifier import Identity, KeySource, Verifier

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
    "open_verifier",
    "read_token",
    "service_password",
    "stack_of",
    "stack_token",
]


_LATER = {
    **dict.fromkeys(("Identity", "KeySource", "Verifier"), "verifier"),
    **dict.fromkeys(("LocalIssuer", "check_profile", "ensure_key", "mint"), "local_issuer"),
    "open_verifier": "issuers",
}


def __getattr__(name: str) -> Any:
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_LATER[name]}"), name)
