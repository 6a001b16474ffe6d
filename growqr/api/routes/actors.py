"""Actors: your Grow Agent, awake or asleep, and its events."""

from __future__ import annotations

from fastapi import APIRouter

from growqr.api.auth import Caller, OnceDoor, Owner, asked
from growqr.api.context import Context, Here
from growqr.api.inputs import Body
from growqr.api.resume import After
from growqr.api.stream import EventStream
from growqr.api.views import AgentView, ProvisionView, agent_view, lease_of

router = APIRouter(prefix="/actors", tags=["actors"], route_class=OnceDoor)


@router.post("/provision", status_code=202)
async def provision(here: Here, caller: Caller, body: Body | None = None) -> ProvisionView:
    """Make agent and stack ready, at once also where a service rests after failures.

    May be repeated.
    """
    want = here.store.services.want
    await want(caller.user_id, "opencode", "ready", again=True)
    if here.settings.gitea == "per_user":
        await want(caller.user_id, "gitea", "ready", again=True)
    return await _wake(here, asked(caller, body))


@router.get("/{user}")
async def read_agent(here: Here, owner: Owner) -> AgentView:
    """Your agent as it stands; asks no actor."""
    return await agent_view(here.store, owner)


@router.post("/start", status_code=202, include_in_schema=False)
async def start_mine(here: Here, caller: Caller, body: Body | None = None) -> ProvisionView:
    """The same as for `me`."""
    return await _wake(here, asked(caller, body))


@router.post("/stop", status_code=202, include_in_schema=False)
async def stop_mine(here: Here, caller: Caller, body: Body | None = None) -> ProvisionView:
    """The same as for `me`."""
    return await _stop(here, asked(caller, body))


@router.post("/{user}/start", status_code=202)
async def start(
    here: Here, owner: Owner, caller: Caller, body: Body | None = None
) -> ProvisionView:
    """Wake the agent. It also wakes by itself for every message."""
    return await _wake(here, asked(caller, body))


@router.post("/{user}/stop", status_code=202)
async def stop(here: Here, owner: Owner, caller: Caller, body: Body | None = None) -> ProvisionView:
    """Send the agent to sleep after its current step. Work that is left wakes it again."""
    return await _stop(here, asked(caller, body))


@router.get("/{user}/events", response_class=EventStream, status_code=200)
async def stream_events(here: Here, owner: Owner, caller: Caller, after: After) -> EventStream:
    """Everything that happens to you, live, as server-sent events.

    `id` is the event's `seq`. Without a cursor it begins with the oldest event kept. A cursor
    older than that, or newer than the newest event (the database was restored from a backup), is
    answered with `event: reset` and `data: {"seq": n}`, without an `id`: forget what you have,
    read the snapshot again (`GET /actors/me`, `GET /threads/{id}/messages`) and skip the events
    up to its `seq`; the stream goes on behind `n`, as may a new one with this cursor. Deltas of a
    reply being written come as `event: delta` without an `id`; silence is broken by
    `event: ping`.
    """
    return EventStream(here.hub, caller, after)


async def _wake(here: Context, user_id: str) -> ProvisionView:
    here.wake(await lease_of(here.store, user_id))
    return await _provisioned(here, user_id)


async def _stop(here: Context, user_id: str) -> ProvisionView:
    here.stop(await lease_of(here.store, user_id))
    return await _provisioned(here, user_id)


async def _provisioned(here: Context, user_id: str) -> ProvisionView:
    agent = await agent_view(here.store, user_id)
    return ProvisionView(agent=agent, stack=agent.stack)
