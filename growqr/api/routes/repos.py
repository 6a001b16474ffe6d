"""Project repositories: made here, read and written here file by file, cloned by routes/git.py."""

from __future__ import annotations

import base64
import binascii
from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, StringConstraints

from growqr.api.auth import Caller, OnceDoor, asked
from growqr.api.context import Context, Here, context
from growqr.api.inputs import Body, Cursor, Limit, Text, Title, make_cursor, read_cursor
from growqr.api.paging import paged
from growqr.api.views import Page
from growqr.errors import Invalid
from growqr.identity import Principal
from growqr.repos import Commit, Entry, File, Folder, Repository, Written, check_name, folder_of
from growqr.store import Repo

router = APIRouter(prefix="/git/repos", tags=["git"], route_class=OnceDoor)

Encoding = Literal["utf-8", "base64"]
Sha = Annotated[str, StringConstraints(max_length=64)]


class NewRepo(Body):
    """A project repository."""

    name: Title
    description: Annotated[Text, StringConstraints(max_length=1000)] = ""


class NewFile(Body):
    """What a file shall hold; with `sha` only if it is that blob still."""

    content: str
    encoding: Encoding = "utf-8"
    message: Title | None = None
    sha: Sha | None = None


class RepoView(BaseModel):
    """A project repository; clone it with any user name and a bearer token as password."""

    name: str
    description: str
    clone_url: str
    default_branch: str = "main"
    created_at: datetime

    @classmethod
    def of(cls, repo: Repo, request: Request) -> RepoView:
        top = context(request).settings.public_url or str(request.base_url)
        url = f"{top.rstrip('/')}/git/{repo.user_id}/{repo.name}.git"
        return cls(clone_url=url, **{k: v for k, v in repo._asdict().items() if k != "user_id"})


class EntryView(BaseModel):
    """One name in a folder."""

    name: str
    path: str
    type: Literal["file", "dir", "symlink", "submodule"]
    sha: str
    size: int | None

    @classmethod
    def of(cls, entry: Entry) -> EntryView:
        return cls.model_validate(entry._asdict())


class FileView(BaseModel):
    """A file of the newest commit; `content` is base64 where it is not UTF-8."""

    path: str
    type: Literal["file"] = "file"
    size: int
    content: str
    encoding: Encoding
    sha: str
    commit: str

    @classmethod
    def of(cls, file: File) -> FileView:
        encoding: Encoding = "utf-8"
        try:
            content = file.content.decode()
        except UnicodeDecodeError:
            content, encoding = base64.b64encode(file.content).decode(), "base64"
        return cls(
            path=file.path, size=len(file.content), content=content, encoding=encoding,
            sha=file.sha, commit=file.commit,
        )  # fmt: skip


class FolderView(BaseModel):
    """A folder of the newest commit; null `commit`: nothing is committed yet."""

    path: str
    type: Literal["dir"] = "dir"
    entries: list[EntryView]
    truncated: bool
    commit: str | None

    @classmethod
    def of(cls, folder: Folder) -> FolderView:
        entries = [EntryView.of(entry) for entry in folder.entries]
        return cls.model_validate(folder._asdict() | {"entries": entries})


class WrittenView(BaseModel):
    """The commit that holds a write; null `sha`: removed."""

    path: str
    sha: str | None
    commit: str

    @classmethod
    def of(cls, written: Written) -> WrittenView:
        return cls.model_validate(written._asdict())


class HistoryView(BaseModel):
    """One commit."""

    id: str
    message: str
    author: str
    date: datetime

    @classmethod
    def of(cls, commit: Commit) -> HistoryView:
        return cls.model_validate(commit._asdict())


@router.get("")
async def list_repos(
    here: Here, caller: Caller, request: Request, limit: Limit = 50, cursor: Cursor = None
) -> Page[RepoView]:
    """Your project repositories by name."""
    after = read_cursor("repo", cursor, str)
    rows = await here.store.repos.list(caller.user_id, limit=limit + 1, after=after)
    return paged("repo", rows, limit, lambda row: RepoView.of(row, request), lambda row: row.name)


@router.post("", status_code=201)
async def create_repo(here: Here, caller: Caller, body: NewRepo, request: Request) -> RepoView:
    """Make an empty project repository."""
    asked(caller, body)
    folder = folder_of(here.settings, caller.user_id, check_name(body.name))
    await Repository(folder, caller.user_id).create()  # first: a row is never without its folder
    conn = getattr(request.state, "conn", None)
    row = await here.store.repos.create(caller.user_id, body.name, body.description, conn=conn)
    return RepoView.of(row, request)


@router.get("/{repo}/commits")
async def list_commits(
    here: Here, caller: Caller, repo: str, limit: Limit = 50, cursor: Cursor = None
) -> Page[HistoryView]:
    """Commits of the default branch, newest first; later pages stand for the first one's tip."""
    after = None
    if text := read_cursor("commit", cursor, str):
        start, _, seen = text.partition(":")
        if len(start) != 40 or not seen.isdecimal() or len(seen) > 9:
            raise Invalid("the cursor is not one of this list", {"code": "bad_cursor"})
        after = (start, int(seen))
    repository = await _of(here, caller, repo)
    commits, start_id = await repository.commits(limit=limit + 1, after=after)
    seen_by_now = (after[1] if after else 0) + limit
    more = make_cursor("commit", f"{start_id}:{seen_by_now}") if len(commits) > limit else None
    return Page(data=[HistoryView.of(c) for c in commits[:limit]], next_cursor=more)


@router.get("/{repo}/contents")
async def read_top(here: Here, caller: Caller, repo: str) -> FolderView:
    """The topmost folder."""
    found = await (await _of(here, caller, repo)).read("")
    assert isinstance(found, Folder)
    return FolderView.of(found)


@router.get("/{repo}/contents/{path:path}")
async def read_contents(here: Here, caller: Caller, repo: str, path: str) -> FileView | FolderView:
    """A file or a folder of the default branch."""
    found = await (await _of(here, caller, repo)).read(path)
    return FileView.of(found) if isinstance(found, File) else FolderView.of(found)


@router.put("/{repo}/contents/{path:path}")
async def write_contents(
    here: Here, caller: Caller, repo: str, path: str, body: NewFile
) -> WrittenView:
    """Commit a file to the default branch."""
    asked(caller, body)
    repository = await _of(here, caller, repo)
    written = await repository.write(
        path,
        _decoded(body),
        message=body.message or f"Write {path}",
        author=caller.name,
        sha=body.sha,
    )
    here.changed_in_git(caller.user_id)
    return WrittenView.of(written)


@router.delete("/{repo}/contents/{path:path}")
async def remove_contents(
    here: Here,
    caller: Caller,
    repo: str,
    path: str,
    sha: Annotated[Sha | None, Query(description="Only if the file is this blob still.")] = None,
) -> WrittenView:
    """Commit the removal of a file; its history stays."""
    repository = await _of(here, caller, repo)
    message = f"Remove {path}"
    written = await repository.write(path, None, message=message, author=caller.name, sha=sha)
    here.changed_in_git(caller.user_id)
    return WrittenView.of(written)


async def _of(here: Context, caller: Principal, name: str) -> Repository:
    """The caller's repository of that name. Raises NotFound, foreign or unknown alike."""
    row = await here.store.repos.get(caller.user_id, check_name(name))
    return Repository(folder_of(here.settings, caller.user_id, row.name), caller.user_id)


def _decoded(body: NewFile) -> bytes:
    try:
        if body.encoding == "base64":
            return base64.b64decode(body.content, validate=True)
        return body.content.encode()
    except (binascii.Error, ValueError) as error:
        raise Invalid(
            f"the content is not {body.encoding}: {error}", {"field": "content"}
        ) from None
