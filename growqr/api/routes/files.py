"""Files of your workspace, read as they lie there; nothing is started for it."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response

from growqr.api.auth import Caller, Door
from growqr.api.context import Here
from growqr.api.inputs import Text
from growqr.api.views import EntryView, Page
from growqr.stacks import Workspace

router = APIRouter(prefix="/files", tags=["files"], route_class=Door)

DEADLINE = 10.0

Folder = Annotated[Text, Query(max_length=1000, description="Folder, from the workspace's top.")]


@router.get("")
async def list_files(here: Here, caller: Caller, folder: Folder = "") -> Page[EntryView]:
    """What lies in one folder, at most 1,000 entries by name."""
    workspace = Workspace(here.settings.workspace(caller.user_id))
    async with asyncio.timeout(DEADLINE):
        entries = await asyncio.to_thread(workspace.entries, folder)
    return Page(data=[EntryView.model_validate(entry._asdict()) for entry in entries])


_BYTES: dict[int | str, dict[str, Any]] = {
    200: {"content": {"application/octet-stream": {"schema": {"type": "string"}}}}
}


@router.get("/{path:path}", response_class=Response, responses=_BYTES)
async def read_file(here: Here, caller: Caller, path: str) -> Response:
    """One file's bytes, up to 10 MiB. Always as an attachment: nothing of it runs in a browser."""
    workspace = Workspace(here.settings.workspace(caller.user_id))
    async with asyncio.timeout(DEADLINE):
        content = await asyncio.to_thread(workspace.read, path)
    headers = {"content-disposition": "attachment"}
    return Response(content, media_type="application/octet-stream", headers=headers)
