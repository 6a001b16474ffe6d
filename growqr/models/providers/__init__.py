"""Where models come from: one leaf each, found by this door.

A leaf is a module here with one class that has `name` and the verbs of `models.base.Provider`.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from typing import Any

from growqr.config import Providers, Settings
from growqr.errors import InstanceError
from growqr.models.base import Provider

__all__ = ["chosen_by_keys", "known", "open_named", "open_provider"]


def known() -> dict[str, type[Provider]]:
    """Every provider by its name. Raises InstanceError when two have the same."""
    found: dict[str, Any] = {}
    for module in pkgutil.iter_modules(__path__):
        leaf = importlib.import_module(f"{__name__}.{module.name}")
        for _, kind in inspect.getmembers(leaf, inspect.isclass):
            name = getattr(kind, "name", None)
            if kind.__module__ != leaf.__name__ or name is None:
                continue
            if found.setdefault(name, kind) is not kind:
                raise InstanceError(f"two model providers are called {name}")
    return found


def chosen_by_keys(providers: Providers) -> str:
    """Name of the provider that `auto` stands for."""
    if providers.anthropic_api_key:
        return "anthropic"
    if providers.openai_api_key or providers.openai_base_url:
        return "openai_compatible"
    return "scripted"


def open_provider(settings: Settings, providers: Providers) -> Provider:
    """The provider of LLM_PROVIDER; `auto`: the first whose key or address is set, else scripted.

    Raises InstanceError naming what is missing.
    """
    asked = settings.llm_provider
    return open_named(chosen_by_keys(providers) if asked == "auto" else asked, settings, providers)


def open_named(name: str, settings: Settings, providers: Providers) -> Provider:
    """The provider of that name. Raises InstanceError when there is none, or its key is missing."""
    kinds = known()
    if name not in kinds:
        raise InstanceError(f"no model provider {name!r}; known: {', '.join(sorted(kinds))}")
    return kinds[name].open(settings, providers)
