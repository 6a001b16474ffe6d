"""Routes, one file per noun. A file with a `router` is found here and served under both paths."""

from __future__ import annotations

import importlib
import pkgutil

from fastapi import APIRouter


def routers() -> list[APIRouter]:
    """The routers of all nouns, by name of their file."""
    names = sorted(module.name for module in pkgutil.iter_modules(__path__))
    found: list[APIRouter] = []
    for name in names:
        found.append(importlib.import_module(f"{__name__}.{name}").router)
    return found
