"""Signing in at a provider, and the tokens it gives us: one leaf each, found by this door.

    base       what a provider is; github, google: the leaves
    wire       the calls to one, with their bounds
    accounts   the way there and back, and whose accounts are whose
    renewal    fresh access tokens, renewed by one replica at a time

A leaf is a module here with one subclass of `Provider` that has a `name`; its client is set by
`<NAME>_CLIENT_ID` and `<NAME>_CLIENT_SECRET`.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import time
from collections.abc import Callable

from growqr.config import Settings
from growqr.errors import InstanceError
from growqr.identity.oauth.accounts import LIFETIME, Finished, Linked, OAuth, redirect_uri, stale
from growqr.identity.oauth.base import Account, Provider, Tokens

__all__ = [
    "LIFETIME",
    "Account",
    "Finished",
    "Linked",
    "OAuth",
    "Provider",
    "Tokens",
    "known",
    "open_providers",
    "redirect_uri",
    "stale",
]

_NO_LEAVES = frozenset({"accounts", "base", "renewal", "wire"})


def known(package: str = __name__) -> dict[str, type[Provider]]:
    """Every provider by its name. Raises InstanceError when two have the same."""
    found: dict[str, type[Provider]] = {}
    for module in pkgutil.iter_modules(importlib.import_module(package).__path__):
        if module.name in _NO_LEAVES:
            continue
        leaf = importlib.import_module(f"{package}.{module.name}")
        for _, kind in inspect.getmembers(leaf, inspect.isclass):
            if kind.__module__ != leaf.__name__ or not issubclass(kind, Provider):
                continue
            if found.setdefault(kind.name, kind) is not kind:
                raise InstanceError(f"two sign-in providers are called {kind.name}")
    return found


def open_providers(
    settings: Settings, clock: Callable[[], float] = time.time
) -> dict[str, Provider]:
    """Those whose client id is set, by name; no connection yet. `clock`: seconds since 1970.

    Raises InstanceError naming the variable that is missing or wrong, or the extra to install.
    """
    opened = {name: kind.open(settings, clock) for name, kind in sorted(known().items())}
    chosen = {name: provider for name, provider in opened.items() if provider is not None}
    if chosen:
        _require_library()
    return chosen


def _require_library() -> None:
    try:
        importlib.import_module("httpx2")  # without it Authlib would take httpx, and complain
        importlib.import_module("authlib.integrations.httpx_client")
    except ImportError:
        raise InstanceError(
            'signing in with a provider needs Authlib: pip install "growqr[oauth]"'
        ) from None
