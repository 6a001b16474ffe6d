"""One agent from settings: what actors and the local directory both build."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from growqr.agents.grow_agent import GrowAgent
from growqr.agents.keeper import Keeper
from growqr.agents.loop import Thinking
from growqr.config import Settings
from growqr.directory import Fence
from growqr.models import Model
from growqr.store import Store
from growqr.tools import discover


@cache
def prompt(name: str) -> str:
    """The text of prompts/<name>.md."""
    return (files("growqr.agents") / "prompts" / f"{name}.md").read_text(encoding="utf-8")


def compose(
    settings: Settings, store: Store, model: Model, fence: Fence, user_id: str
) -> GrowAgent:
    """The agent that may take the epoch of `fence`; it does nothing until it is run."""
    thinking = Thinking(
        store=store,
        model=model,
        tools=discover(),
        system=prompt("grow_agent"),
        model_name=settings.llm_model,
        max_tokens=settings.llm_max_tokens,
    )
    keeper = Keeper(store, fence, ttl=settings.lease_ttl, idle_ttl=settings.idle_lease_ttl)
    return GrowAgent(
        thinking,
        keeper,
        user_id,
        turn_deadline=settings.turn_deadline,
        idle_sleep=settings.idle_sleep,
    )
