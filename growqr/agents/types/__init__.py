"""Types of sub-agents: a leaf each, found by this door."""

from __future__ import annotations

import pkgutil
from dataclasses import dataclass
from functools import cache
from importlib import import_module


@dataclass(frozen=True, slots=True)
class SubAgentType:
    """What a sub-agent is for, and what OpenCode is told besides the prompt.

    `agent` is OpenCode's own agent: `build` may write, `plan` only reads.
    """

    name: str
    purpose: str
    system: str
    agent: str = "build"


@cache
def types() -> dict[str, SubAgentType]:
    """Every type by name. Raises ValueError when two leaves have the same."""
    found: dict[str, SubAgentType] = {}
    for module in pkgutil.iter_modules(__path__):
        leaf: SubAgentType = import_module(f"{__name__}.{module.name}").type
        if leaf.name in found:
            raise ValueError(f"two sub-agent types are named {leaf.name}")
        found[leaf.name] = leaf
    return found
