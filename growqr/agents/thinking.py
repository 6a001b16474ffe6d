"""What an agent thinks with: the same for all of its turns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from growqr.models import Model
from growqr.store import Store
from growqr.tools import Tool, ToolServices


@dataclass(frozen=True, slots=True)
class Thinking:
    """Model, tools and truth of one agent. `model_name` None: whatever the gateway is set to."""

    store: Store
    model: Model
    tools: dict[str, Tool[Any]]
    system: str
    model_name: str | None
    max_tokens: int
    services: ToolServices
