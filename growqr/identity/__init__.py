"""Who is calling: bearer tokens of people, and the tokens of agents and stacks.

    jwt           the only user of python-jose: what is read of a token, and how
    verifier      the one place that trusts a JWT, whoever issued it
    crypto        secrets at rest, and the ring of their keys
    oauth         signing in with GitHub and Google, and their tokens (a room of its own)
    local_issuer  the built-in issuer: key at first start, tokens minted offline
    foreign       issuers of others: Clerk, and any that speaks OpenID
    published     what such an issuer publishes, fetched and read
    jwks          its keys: kept by id, renewed in time
    issuers       which issuers the settings name
    tokens        what agents show to the gateway, bound to lease and epoch, and services of
                  stacks, bound to user, role and generation; passwords of these services
    api_keys      keys of programs
    tickets       cookies, links, invites: random, and kept as hashes
    profile       what production does not start with
    policy        who may do what: the one function that every door asks

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
    from growqr.identity.api_keys import KEY_PREFIX, KeyProof, make_key, read_key
    from growqr.identity.crypto import KeyRing, Place, new_key
    from growqr.identity.issuers import clerk_url, open_verifier, origin_of
    from growqr.identity.local_issuer import LocalIssuer, ensure_key, mint
    from growqr.identity.oauth import Account, Finished, OAuth, open_providers, redirect_uri
    from growqr.identity.policy import Access, Kind, Principal, Verb, Verdict, decide, owns
    from growqr.identity.profile import check_profile
    from growqr.identity.tickets import new_ticket, read_ticket
    from growqr.identity.verifier import Identity, KeySource, Verifier

_HOMES = {
    "api_keys": (
        "KEY_PREFIX",
        "KeyProof",
        "make_key",
        "read_key",
    ),
    "crypto": (
        "KeyRing",
        "Place",
        "new_key",
    ),
    "issuers": (
        "open_verifier",
        "clerk_url",
        "origin_of",
    ),
    "local_issuer": (
        "LocalIssuer",
        "ensure_key",
        "mint",
    ),
    "oauth": (
        "Account",
        "Finished",
        "OAuth",
        "open_providers",
        "redirect_uri",
    ),
    "policy": (
        "Access",
        "Kind",
        "Principal",
        "Verb",
        "Verdict",
        "decide",
        "owns",
    ),
    "profile": ("check_profile",),
    "tickets": (
        "new_ticket",
        "read_ticket",
    ),
    "verifier": (
        "Identity",
        "KeySource",
        "Verifier",
    ),
}

__all__ = [
    "KEY_PREFIX",
    "Access",
    "Account",
    "Bearer",
    "Finished",
    "Identity",
    "KeyProof",
    "KeyRing",
    "KeySource",
    "Kind",
    "LocalIssuer",
    "OAuth",
    "Place",
    "Principal",
    "Verb",
    "Verdict",
    "Verifier",
    "agent_token",
    "check_profile",
    "clerk_url",
    "decide",
    "ensure_key",
    "instance_secret",
    "make_key",
    "mint",
    "new_key",
    "new_ticket",
    "open_providers",
    "open_verifier",
    "origin_of",
    "owns",
    "read_key",
    "read_ticket",
    "read_token",
    "redirect_uri",
    "service_password",
    "stack_of",
    "stack_token",
]


def __getattr__(name: str) -> Any:
    for module, names in _HOMES.items():
        if name in names:
            return getattr(import_module(f"{__name__}.{module}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
