"""Users: who you are, and everything of yours made ready."""

from __future__ import annotations

from fastapi import APIRouter

from growqr.api.auth import Caller, OnceDoor, asked
from growqr.api.context import Here
from growqr.api.inputs import Body
from growqr.api.views import (
    BootstrapView,
    BudgetView,
    Page,
    UserView,
    agent_view,
    lease_of,
    user_view,
)
from growqr.store import BudgetLimits

router = APIRouter(prefix="/users", tags=["users"], route_class=OnceDoor)


@router.get("/me")
async def read_me(here: Here, caller: Caller) -> UserView:
    """Who you are, as your issuer named you."""
    return await user_view(here.store, caller.user_id)


@router.get("/me/usage")
async def read_usage(here: Here, caller: Caller) -> Page[BudgetView]:
    """What you have spent today, and what you may."""
    limits = BudgetLimits.of(here.settings)
    spent = await here.store.budgets.spent(caller.user_id, limits)
    return Page(data=[BudgetView.of(budget) for budget in spent])


@router.post("/bootstrap")
async def bootstrap(here: Here, caller: Caller, body: Body | None = None) -> BootstrapView:
    """Mirror you, wake your agent. May be called at every log-in."""
    asked(caller, body)
    user = await user_view(here.store, caller.user_id)
    here.wake(await lease_of(here.store, caller.user_id))
    agent = await agent_view(here.store, caller.user_id)
    return BootstrapView(user=user, agent=agent, stack=agent.stack)
