"""Agents from settings: what actors and the local directory both build."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import aiohttp

from growqr.agents.agent import Agent, Look, Work
from growqr.agents.keeper import Keeper
from growqr.agents.loop import TurnLoop
from growqr.agents.service_care import ServiceCare
from growqr.agents.thinking import Thinking
from growqr.agents.types import types
from growqr.config import Settings
from growqr.directory import Directory, Fence
from growqr.models import Model
from growqr.store import BudgetLimits, Store, SubAgent, Turn
from growqr.tools import ToolServices, discover


@cache
def prompt(name: str) -> str:
    """The text of prompts/<name>.md."""
    return (files("growqr.agents") / "prompts" / f"{name}.md").read_text(encoding="utf-8")


@dataclass(frozen=True, slots=True)
class Parts:
    """What every agent of a process is made with."""

    settings: Settings
    store: Store
    directory: Directory

    def grow_agent(self, fence: Fence, user_id: str, model: Model) -> Agent:
        """The Grow Agent that may take this epoch; it does nothing until it is run."""
        thinking = Thinking(
            store=self.store,
            model=model,
            tools=discover(),
            system=prompt("grow_agent"),
            model_name=self.settings.llm_model,
            max_tokens=self.settings.llm_max_tokens,
            services=ToolServices(
                store=self.store,
                directory=self.directory,
                sub_agent_types={name: kind.purpose for name, kind in types().items()},
                decision_expiry=self.settings.decision_expiry,
            ),
        )
        keeper = self._keeper(fence)

        async def work(turn: Turn) -> None:
            await TurnLoop(thinking, keeper, turn).run()

        care = ServiceCare(self.store, fence, user_id)
        return self._agent(keeper, user_id, work, self.settings.idle_sleep, on_wake=care.decide)

    def sub_agent(
        self, fence: Fence, row: SubAgent, secret: bytes, session: aiohttp.ClientSession
    ) -> Agent:
        """The sub-agent that may take this epoch."""
        # Here, so that a Grow Agent's process carries nothing of OpenCode.
        from growqr.agents.sub_agent import Allowance, Prompting, UserOpenCode
        from growqr.opencode import Bridge

        keeper = self._keeper(fence)
        service = UserOpenCode(self.store, secret, row.user_id)
        bridge = Bridge(service.server, session)
        directory = str(self.settings.workspace(row.user_id))
        kind = types()[row.type]
        budget = Allowance(BudgetLimits.of(self.settings), self.settings.decision_expiry)
        prompting = Prompting(self.store, keeper, row, kind, bridge, service, directory, budget)
        sleep = self.settings.sub_agent_sleep
        return self._agent(keeper, row.user_id, prompting.run, sleep, on_end=bridge.leave)

    def _keeper(self, fence: Fence) -> Keeper:
        ttl, idle = self.settings.lease_ttl, self.settings.idle_lease_ttl
        return Keeper(self.store, fence, ttl=ttl, idle_ttl=idle)

    def _agent(
        self,
        keeper: Keeper,
        user_id: str,
        work: Work,
        sleep: float,
        on_end: Callable[[], None] = lambda: None,
        on_wake: Look | None = None,
    ) -> Agent:
        return Agent(
            self.store,
            keeper,
            user_id,
            work,
            self.directory,
            turn_deadline=self.settings.turn_deadline,
            idle_sleep=sleep,
            on_end=on_end,
            on_wake=on_wake,
        )
