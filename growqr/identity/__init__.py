"""Who is calling: bearer tokens of people, and the tokens of agents and stacks.

    jwt           the one place that trusts a JWT, and the only user of python-jose
    local_issuer  the built-in issuer: key at first start, tokens minted offline
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
    from growqr.identity.jwt import Identity, KeySource, Verifier
    from growqr.identity.local_issuer import LocalIssuer, ensure_key, mint
    from growqr.identity.policy import Access, Kind, Principal, Verb, Verdict, decide, owns
    from growqr.identity.profile import check_profile
    from growqr.identity.tickets import new_ticket, read_ticket

_HOMES = {
    "api_keys": ("KEY_PREFIX", "KeyProof", "make_key", "read_key"),
    "jwt": ("Identity", "KeySource", "Verifier"),
    "local_issuer": ("LocalIssuer", "ensure_key", "mint"),
    "policy": ("Access", "Kind", "Principal", "Verb", "Verdict", "decide", "owns"),
    "profile": ("check_profile",),
    "tickets": ("new_ticket", "read_ticket"),
}

__all__ = [
    "KEY_PREFIX",
    "Access",
    "Bearer",
    "Identity",
    "KeyProof",
    "KeySource",
    "Kind",
    "LocalIssuer",
    "Principal",
    "Verb",
    "Verdict",
    "Verifier",
    "agent_token",
    "check_profile",
    "decide",
    "ensure_key",
    "instance_secret",
    "make_key",
    "mint",
    "new_ticket",
    "owns",
    "read_key",
    "read_ticket",
    "read_token",
    "service_password",
    "stack_of",
    "stack_token",
]


def __getattr__(name: str) -> Any:
    for module, names in _HOMES.items():
        if name in names:
            return getattr(import_module(f"{__name__}.{module}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
