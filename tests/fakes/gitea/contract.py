"""The calls we make of Gitea's API, and what we rely on in its answers: our own words, held against
the stand-in, a real server, and Gitea's own description where one is given."""

from __future__ import annotations

import asyncio
import base64
import re
import secrets
from pathlib import Path
from typing import Any, NamedTuple

import aiohttp

from growqr.memory.push import push

PASSWORD = "a-long-Password-1"


class Made(NamedTuple):
    """One call: the status when it works, those we understand when not, fields we read or send."""

    method: str
    path: str
    done: int
    errors: frozenset[int] = frozenset()
    reads: tuple[str, ...] = ()
    sends: tuple[str, ...] = ()


CALLS = (
    Made("GET", "/version", 200, reads=("version",)),
    Made("GET", "/user", 200, reads=("login", "email")),
    Made(
        "POST", "/admin/users", 201, frozenset({403, 422}),
        reads=("login", "email"),
        sends=("username", "email", "password", "must_change_password", "visibility"),
    ),
    Made(
        "PATCH", "/admin/users/{username}", 200, frozenset({400, 403}),
        reads=("login",), sends=("login_name", "source_id", "password", "must_change_password"),
    ),
    Made(
        "POST", "/user/repos", 201, frozenset({409, 422}),
        reads=("name", "private", "empty", "default_branch"),
        sends=("name", "private", "auto_init", "default_branch"),
    ),
    Made("GET", "/repos/{owner}/{repo}", 200, frozenset({404}), reads=("name", "private")),
    Made("DELETE", "/repos/{owner}/{repo}", 204, frozenset({404})),
    Made(
        "GET", "/repos/{owner}/{repo}/branches/{branch}", 200, frozenset({404}),
        reads=("name", "commit.id"),
    ),
    Made(
        "POST", "/repos/{owner}/{repo}/branches", 201, frozenset({404, 409}),
        reads=("name", "commit.id"), sends=("new_branch_name", "old_ref_name"),
    ),
    Made("GET", "/users/{username}/tokens", 200, reads=("id", "name")),
    Made(
        "POST", "/users/{username}/tokens", 201, frozenset({400}),
        reads=("id", "name", "sha1"), sends=("name", "scopes"),
    ),
    Made("DELETE", "/users/{username}/tokens/{token}", 204, frozenset({404})),
)  # fmt: skip

Seen = dict[tuple[str, str], dict[int, Any]]
"""(method, path of the table) → status → JSON."""


class Driver:
    """Makes every call of the table, so that it works and so that it fails in each known way."""

    def __init__(self, http: aiohttp.ClientSession, url: str, admin: str) -> None:
        self._http, self._url, self._admin = http, url, admin
        self._tag = secrets.token_hex(4)
        self.seen: Seen = {}

    async def all(self, repository: Path) -> Seen:
        """repository: a bare one, with a commit on main."""
        one, two = f"one-{self._tag}", f"two-{self._tag}"
        await self.call("GET", "/version")
        await self.call("GET", "/user")
        for name in (one, two):
            await self._account(name)
        await self._account(one)
        await self.call("POST", "/admin/users", sends=self._new("three"), by=basic(one))
        await self._passwords(one)
        await self._repositories(one, two, repository)
        await self._tokens(one)
        return self.seen

    async def _account(self, name: str) -> None:
        await self.call("POST", "/admin/users", sends=self._new(name))

    async def _passwords(self, name: str) -> None:
        for password, by in ((PASSWORD, None), ("short", None), (PASSWORD, basic(name))):
            body = {"login_name": name, "source_id": 0, "password": password,
                    "must_change_password": False}  # fmt: skip
            await self.call("PATCH", "/admin/users/{username}", (name,), body, by=by)

    async def _repositories(self, one: str, two: str, repository: Path) -> None:
        for name in ("notes", "notes", "notes.wiki"):
            body = {"name": name, "private": True, "auto_init": False, "default_branch": "main"}
            await self.call("POST", "/user/repos", sends=body, sudo=one)
        where, branches = "/repos/{owner}/{repo}", "/repos/{owner}/{repo}/branches"
        await self.call("GET", where, (one, "notes"))
        await self.call("GET", where, (one, "notes"), by=basic(two))
        await self.call("GET", f"{branches}/{{branch}}", (one, "notes", "main"))
        kept = {"new_branch_name": "kept", "old_ref_name": "main"}
        await self.call("POST", branches, (one, "notes"), kept)
        pushed = await push(repository, f"{self._url}/{one}/notes.git", basic(one))
        assert not pushed.rejected
        async with asyncio.timeout(30):  # a real one looks at what was pushed some time later
            while not await self._there(f"/repos/{one}/notes/branches/main"):
                await asyncio.sleep(0.05)
        for _ in range(2):
            await self.call("POST", branches, (one, "notes"), kept)
        await self.call("GET", f"{branches}/{{branch}}", (one, "notes", "kept"))
        for _ in range(2):
            await self.call("DELETE", where, (one, "notes"))

    async def _tokens(self, one: str) -> None:
        path, body = "/users/{username}/tokens", {"name": "laptop", "scopes": ["read:user"]}
        for _ in range(2):
            await self.call("POST", path, (one,), body, by=basic(one))
        (token,) = await self.call("GET", path, (one,), by=basic(one))
        for _ in range(2):
            await self.call("DELETE", f"{path}/{{token}}", (one, str(token["id"])), by=basic(one))

    async def call(
        self,
        method: str,
        path: str,
        parts: tuple[str, ...] = (),
        sends: dict[str, Any] | None = None,
        *,
        by: str | None = None,
        sudo: str | None = None,
    ) -> Any:
        """One call as the admin or as `by`; what came is noted."""
        names = iter(parts)
        place = re.sub(r"\{\w+\}", lambda _: next(names), path)
        headers = {"authorization": by or f"token {self._admin}"} | ({"sudo": sudo} if sudo else {})
        asked = self._http.request(
            method, f"{self._url}/api/v1{place}", json=sends, headers=headers
        )
        async with asked as answer:
            body = await answer.json() if await answer.read() else None
            self.seen.setdefault((method, path), {})[answer.status] = body
            return body

    async def _there(self, place: str) -> bool:
        """Asked without noting what is said before: a real one stumbles for a moment."""
        headers = {"authorization": f"token {self._admin}"}
        async with self._http.get(f"{self._url}/api/v1{place}", headers=headers) as answer:
            return answer.status == 200

    def _new(self, name: str) -> dict[str, Any]:
        return {
            "username": name, "email": f"{name}@growqr.invalid", "password": PASSWORD,
            "must_change_password": False, "visibility": "private",
        }  # fmt: skip


def field(body: Any, path: str) -> Any:
    """What lies at `commit.id`, in the first row where there are rows."""
    body = body[0] if isinstance(body, list) else body
    for name in path.split("."):
        body = body[name]
    return body


def basic(name: str) -> str:
    return "Basic " + base64.b64encode(f"{name}:{PASSWORD}".encode()).decode()
