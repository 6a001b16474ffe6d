"""Every family of recipes, found by this door: a module with `RANK` and `RECIPES`.

Families of a lower rank are asked first; within one, its own order counts.
"""

from __future__ import annotations

import functools
import importlib
import pkgutil

from growqr.models.offline.talk import Recipe


@functools.cache
def all_recipes() -> tuple[Recipe, ...]:
    """All recipes in the order in which they are tried; the last one matches everything."""
    families = [
        importlib.import_module(f"{__name__}.{module.name}")
        for module in pkgutil.iter_modules(__path__)
    ]
    families.sort(key=lambda family: (family.RANK, family.__name__))
    return tuple(recipe for family in families for recipe in family.RECIPES)
