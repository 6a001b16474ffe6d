"""Sub-agents: made, given work, stopped. Each answers in its own channel thread."""

from __future__ import annotations

import hashlib
from typing import Annotated

from fastapi import APIRouter, Header

from growqr.agents import types
from growqr.api.auth import Caller, Door, Owner, asked
from growqr.api.context import Context, Here
from growqr.api.idempotency import KEY_HEADER, check_key
from growqr.api.inputs import Body, Cursor, Limit, NewSubAgent, NewTask, read_cursor
from growqr.api.paging import paged
from growqr.api.views import Page, QueuedView, SubAgentView
from growqr.errors import Conflict, Invalid, KeyReused
from growqr.identity import Principal
from growqr.store import SubAgent

router = APIRouter(prefix="/actors", tags=["sub-agents"], route_class=Door)

Key = Annotated[str | None, Header(alias=KEY_HEADER, include_in_schema=False)]


@router.post("/{user}/sub-agents", status_code=201)
async def spawn_sub_agent(
    here: Here, owner: Owner, caller: Caller, body: NewSubAgent, key: Key = None
) -> SubAgentView:
    """A sub-agent with a channel of its own; a live one of this type and channel is that one."""
    asked(caller, body)
    made = await spawn(here, owner, body.type, body.channel_id, check_key(key))
    return SubAgentView.of(made)


@router.get("/{user}/sub-agents")
async def list_sub_agents(
    here: Here, owner: Owner, limit: Limit = 50, cursor: Cursor = None
) -> Page[SubAgentView]:
    """Your sub-agents by id, stopped ones too."""
    after = read_cursor("sub_agent", cursor, str)
    rows = await here.store.sub_agents.list(owner, limit=limit + 1, after=after)
    return paged("sub_agent", rows, limit, SubAgentView.of, lambda row: row.id)


@router.get("/{user}/sub-agents/{sub_agent_id}")
async def read_sub_agent(here: Here, owner: Owner, sub_agent_id: str) -> SubAgentView:
    """One sub-agent."""
    return SubAgentView.of(await here.store.sub_agents.get(owner, sub_agent_id))


@router.post("/{user}/sub-agents/{sub_agent_id}/run", status_code=202)
async def run_sub_agent(
    here: Here,
    owner: Owner,
    caller: Caller,
    sub_agent_id: str,
    body: NewTask,
    key: Key = None,
) -> QueuedView:
    """Give it a task; the turn tells how it goes. The same `Idempotency-Key` is the same task."""
    asked(caller, body)
    agent = await here.store.sub_agents.get(owner, sub_agent_id)
    return await run(here, caller, agent, body.prompt, check_key(key))


@router.post("/{user}/sub-agents/{sub_agent_id}/stop", status_code=202)
async def stop_sub_agent(
    here: Here, owner: Owner, caller: Caller, sub_agent_id: str, body: Body | None = None
) -> SubAgentView:
    """No further work; what is under way is cancelled. May be repeated."""
    asked(caller, body)
    stopped = await here.store.sub_agents.stop(owner, sub_agent_id, actor=owner)
    for lease in await here.store.turns.cancel_all(owner, stopped.lease_key):
        here.wake(lease)
    return SubAgentView.of(await here.store.sub_agents.get(owner, sub_agent_id))


async def spawn(
    here: Context, user_id: str, type: str, channel_id: str | None, key: str | None
) -> SubAgent:
    """A sub-agent of a known type; a key makes its id, so that a repeat is the same one.

    Raises Invalid for another type, KeyReused where the key came with another channel.
    """
    if type not in types():
        known = ", ".join(types())
        raise Invalid(f"there is no sub-agent type {type!r}; the types are {known}")
    digest = hashlib.sha256(f"{user_id}\n{key}".encode()).hexdigest()[:8]
    made = await here.store.sub_agents.spawn(
        user_id,
        type,
        channel_id=channel_id,
        sub_agent_id=f"{type}-{digest}" if key else None,
        actor=user_id,
    )
    if key and channel_id not in (None, made.channel_id):
        raise KeyReused(f"the Idempotency-Key {key!r} came with another channel before")
    return made


async def run(
    here: Context, caller: Principal, agent: SubAgent, prompt: str, key: str | None
) -> QueuedView:
    """Queue a task in the sub-agent's channel. Raises Conflict when it was stopped."""
    if agent.stopped_at is not None:
        raise Conflict(f"the sub-agent {agent.id} was stopped")
    accepted = await here.store.messages.accept(
        agent.user_id, prompt, thread_id=agent.thread_id, client_key=key, api_key=caller.api_key
    )
    here.wake(accepted.lease)
    return QueuedView(turn_id=accepted.turn_id, thread_id=accepted.thread_id)
