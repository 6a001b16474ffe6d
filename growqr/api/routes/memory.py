"""Memory: files that are remembered. A write is accepted by its row; git follows."""

from __future__ import annotations

import asyncio
from typing import Annotated

from fastapi import APIRouter, Query
from starlette.convertors import StringConvertor, register_url_convertor

from growqr.api.auth import Caller, OnceDoor, asked
from growqr.api.context import Context, Here
from growqr.api.inputs import (
    Cursor,
    Limit,
    NewContent,
    Text,
    Undone,
    Words,
    known_id,
    read_cursor,
)
from growqr.api.paging import paged
from growqr.api.preconditions import Unchanged
from growqr.api.views import CommitView, ContentView, FileView, FoundView, Page, VersionView
from growqr.errors import Conflict, NotFound, PreconditionFailed
from growqr.identity import Principal
from growqr.memory import check_content, check_path, refuse_secrets
from growqr.names import new_id

router = APIRouter(tags=["memory"], route_class=OnceDoor)

COMMIT_SECONDS = 2.0
"""How long a write waits for git's commit id."""

MAX_MESSAGE = 200
"""Characters of a message that is made here."""


class _Version(StringConvertor):
    """Takes ids of versions alone, so that a file `a/history/b` can be read as well."""

    regex = "mem_[0-9a-f]{32}"


register_url_convertor("memory_version", _Version())

Prefix = Annotated[Text, Query(max_length=500, description="Only paths that begin so.")]


@router.get("/memory")
async def list_memory(
    here: Here, caller: Caller, prefix: Prefix = "", limit: Limit = 50, cursor: Cursor = None
) -> Page[FileView]:
    """Your memory files by path."""
    after = read_cursor("path", cursor, str)
    rows = await here.store.memory.list(caller.user_id, prefix, limit=limit + 1, after=after)
    return paged("path", rows, limit, FileView.of, lambda row: row.path)


@router.get("/memory-search")
async def search_memory(here: Here, caller: Caller, q: Words, limit: Limit = 20) -> Page[FoundView]:
    """Files that hold the words, best first."""
    hits = await here.store.memory.search(caller.user_id, q, limit=limit)
    found = [FoundView.model_validate(file._asdict() | {"snippet": text}) for file, text in hits]
    return Page(data=found)


@router.get("/memory/{path:path}/history")
async def read_history(
    here: Here, caller: Caller, path: str, limit: Limit = 50, cursor: Cursor = None
) -> Page[CommitView]:
    """Writes of one path, newest first."""
    path = check_path(path)
    before = read_cursor("history", cursor, int)
    rows = await here.store.memory.history(caller.user_id, path, limit=limit + 1, before=before)
    if not rows and before is None:
        raise NotFound(f"memory never held a file {path!r}")
    return paged("history", rows, limit, CommitView.of, lambda row: row.number)


@router.get("/memory/{path:path}/history/{id:memory_version}")
async def read_version(here: Here, caller: Caller, path: str, id: str) -> VersionView:
    """One write of a path: what it made of the file, and what the file held before."""
    row, previous = await here.store.memory.version(caller.user_id, check_path(path), id)
    return VersionView.beside(row, previous)


@router.get("/memory/{path:path}")
async def read_memory(here: Here, caller: Caller, path: str) -> ContentView:
    """One file as it was accepted last, in git or not yet."""
    file = await here.store.memory.get(caller.user_id, check_path(path))
    return ContentView.model_validate(file._asdict())


@router.put("/memory/{path:path}")
async def write_memory(
    here: Here, caller: Caller, path: str, body: NewContent, only: Unchanged
) -> ContentView:
    """Remember a file. `pending` says that it is safe but not yet in git."""
    asked(caller, body)
    path = check_path(path)
    check_content(body.content)
    message = body.message or f"Write {path}"
    refuse_secrets(path, body.content, message)
    fresh, behind = only
    try:
        return await _commit(here, caller, path, body.content, message, behind=behind, fresh=fresh)
    except Conflict as error:
        version = error.detail.get("version")
        raise PreconditionFailed(error.message, {"version": version}) from None


@router.post("/memory/{path:path}/undo")
async def undo_memory(here: Here, caller: Caller, path: str, body: Undone) -> ContentView:
    """Undo the newest write of a path by another one. `stale` when it is not the newest."""
    asked(caller, body)
    path = check_path(path)
    version = known_id(body.id, "mem", "version")
    row, previous = await here.store.memory.version(caller.user_id, path, version)
    message = f"Undo: {row.message}"[:MAX_MESSAGE]
    return await _commit(here, caller, path, previous, message, behind=row.id)


@router.delete("/memory/{path:path}")
async def remove_memory(here: Here, caller: Caller, path: str) -> ContentView:
    """Remove a file; its history stays."""
    path = check_path(path)
    await here.store.memory.get(caller.user_id, path)
    return await _commit(here, caller, path, None, f"Remove {path}")


async def _commit(
    here: Context,
    caller: Principal,
    path: str,
    content: str | None,
    message: str,
    *,
    behind: str | None = None,
    fresh: bool = False,
) -> ContentView:
    row = await here.store.memory.accept(
        caller.user_id,
        path,
        content,
        message=message,
        author=caller.name,
        operation_id=new_id("req"),
        behind=behind,
        fresh=fresh,
    )
    commit = row.commit_id or await _commit_id(here, row.id)
    return ContentView(
        path=path, content=content, version=row.id, commit=commit, pending=commit is None
    )


async def _commit_id(here: Context, row_id: str) -> str | None:
    """Git's id of an accepted write, None when it takes longer than COMMIT_SECONDS."""
    loop = asyncio.get_running_loop()
    end, pause = loop.time() + COMMIT_SECONDS, 0.01
    while (commit := await here.store.memory.commit_of(row_id)) is None:
        if loop.time() + pause > end:
            return None
        await asyncio.sleep(pause)
        pause = min(pause * 1.5, 0.2)
    return commit
