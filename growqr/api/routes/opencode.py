"""OpenCode as a user sees it: one workspace a user, and sessions in it, which are sub-agents."""

from __future__ import annotations

from typing import Literal

from fastapi import APIRouter

from growqr.api.auth import Caller, Door, asked
from growqr.api.context import Context, Here
from growqr.api.idempotency import check_key
from growqr.api.inputs import Body, NewSession, NewTask
from growqr.api.resume import After
from growqr.api.routes.sub_agents import Key, run, spawn
from growqr.api.stream import EventStream
from growqr.api.views import QueuedView, ServiceView, SubAgentView, WorkspaceView
from growqr.errors import NotFound
from growqr.identity import Principal

router = APIRouter(prefix="/opencode", tags=["opencode"], route_class=Door)


@router.post("/provision", status_code=202)
async def provision_workspace(
    here: Here, caller: Caller, body: Body | None = None
) -> WorkspaceView:
    """Have your OpenCode started and kept ready. May be repeated."""
    return await _want(here, asked(caller, body), "ready")


@router.get("/workspaces/{workspace_id}")
async def read_workspace(here: Here, caller: Caller, workspace_id: str) -> WorkspaceView:
    """Your workspace; its id is yours."""
    user_id = _mine(caller, workspace_id)
    return await _workspace(here, user_id)


@router.post("/workspaces/{workspace_id}/start", status_code=202)
async def start_workspace(
    here: Here, caller: Caller, workspace_id: str, body: Body | None = None
) -> WorkspaceView:
    """Have it started."""
    asked(caller, body)
    return await _want(here, _mine(caller, workspace_id), "ready")


@router.post("/workspaces/{workspace_id}/stop", status_code=202)
async def stop_workspace(
    here: Here, caller: Caller, workspace_id: str, body: Body | None = None
) -> WorkspaceView:
    """Have it stopped; its files stay, and the next task starts it again."""
    asked(caller, body)
    return await _want(here, _mine(caller, workspace_id), "stopped")


@router.post("/workspaces/{workspace_id}/sessions", status_code=201)
async def create_session(
    here: Here, caller: Caller, workspace_id: str, body: NewSession, key: Key = None
) -> SubAgentView:
    """A session: a sub-agent, `general` unless a type is named."""
    asked(caller, body)
    user_id = _mine(caller, workspace_id)
    made = await spawn(here, user_id, body.type, body.channel_id, check_key(key))
    return SubAgentView.of(made)


@router.post("/sessions/{session_id}/messages", status_code=202)
async def prompt_session(
    here: Here, caller: Caller, session_id: str, body: NewTask, key: Key = None
) -> QueuedView:
    """Give the session a task."""
    asked(caller, body)
    agent = await here.store.sub_agents.get(caller.user_id, session_id)
    return await run(here, caller, agent, body.prompt, check_key(key))


@router.get("/sessions/{session_id}/events", response_class=EventStream, status_code=200)
async def stream_session(here: Here, caller: Caller, session_id: str, after: After) -> EventStream:
    """The events of a session, live."""
    agent = await here.store.sub_agents.get(caller.user_id, session_id)
    return EventStream(here.hub, caller, after, agent.thread_id)


def _mine(caller: Principal, workspace_id: str) -> str:
    if workspace_id not in (caller.user_id, "me"):
        raise NotFound("there is no such workspace")
    return caller.user_id


async def _want(here: Context, user_id: str, desired: Literal["ready", "stopped"]) -> WorkspaceView:
    again = desired == "ready"  # asked for by its user, so a pause after failures is over
    await here.store.services.want(user_id, "opencode", desired, again=again)
    return await _workspace(here, user_id)


async def _workspace(here: Context, user_id: str) -> WorkspaceView:
    service = await here.store.services.get(user_id, "opencode")
    return WorkspaceView(id=user_id, user_id=user_id, opencode=ServiceView.of(service))
