"""One Gitea server over HTTP: only calls that every release from 1.22 to 1.27 answers alike.

Raises Unavailable when the server is away, silent or stumbles (it may have done what was asked:
ask what is there before asking again), Refused when it says no.
"""

from __future__ import annotations

import base64
import json
from typing import Any, Final
from urllib.parse import quote

import aiohttp

from growqr.errors import InstanceError, Unavailable

DEADLINE: Final = 15.0
"""Seconds any call may take."""

_MAX_ANSWER = 4 << 20
_BUSY = frozenset({408, 423, 424, 429})
Json = dict[str, Any]


class Refused(InstanceError):
    """Gitea refused a call. `detail`: its HTTP status."""

    @property
    def status_code(self) -> int:
        """Gitea's own status, 401 when it does not know us."""
        return int(self.detail.get("status", 0))


def by_token(token: str) -> str:
    """The Authorization of a call with an access token."""
    return f"token {token}"


def by_password(account: str, password: str) -> str:
    """The Authorization of a call, or of git, with an account's password or token."""
    return "Basic " + base64.b64encode(f"{account}:{password}".encode()).decode()


class Gitea:
    """A server as one account sees it. `url` as in http://10.0.0.2:3000."""

    def __init__(self, url: str, http: aiohttp.ClientSession, authorization: str) -> None:
        self.url = url.rstrip("/")
        self._http = http
        self._headers = {"authorization": authorization, "accept": "application/json"}

    async def version(self) -> str:
        """Its release, like 1.27.0."""
        return str((await self._call("GET", "version"))["version"])

    async def email(self, account: str | None = None) -> str | None:
        """The address of our own account, or as an admin of another one; None: who is that?"""
        try:
            return str((await self._call("GET", "user", sudo=account))["email"])
        except Refused as error:
            if error.status_code in (401, 404):
                return None
            raise

    async def create_account(self, account: str, email: str, password: str) -> None:
        """As an admin: have the account. Raises Refused when the name is not acceptable."""
        body = {
            "username": account, "email": email, "password": password,
            "must_change_password": False, "visibility": "private",
        }  # fmt: skip
        await self._call("POST", "admin/users", body)

    async def set_password(self, account: str, password: str) -> None:
        """As an admin."""
        body = {
            "login_name": account, "source_id": 0, "password": password,
            "must_change_password": False,
        }  # fmt: skip
        await self._call("PATCH", f"admin/users/{quote(account)}", body)

    async def ensure_repository(self, account: str, name: str, *, sudo: bool = False) -> None:
        """Have the private repository, empty when it is new. sudo: an admin for the account."""
        if await self.has_repository(account, name):
            return
        body = {"name": name, "private": True, "auto_init": False, "default_branch": "main"}
        try:
            await self._call("POST", "user/repos", body, sudo=account if sudo else None)
        except Refused as error:
            if error.status_code != 409:  # 409: another one was first
                raise

    async def has_repository(self, account: str, name: str) -> bool:
        """Whether there is such a repository, as far as we may see it."""
        return await self._found(_repo(account, name)) is not None

    async def delete_repository(self, account: str, name: str) -> None:
        """Fine when there is none."""
        try:
            await self._call("DELETE", _repo(account, name))
        except Refused as error:
            if error.status_code != 404:
                raise

    async def head(self, account: str, name: str, branch: str) -> str | None:
        """Commit id of the branch, None when there is no such branch or repository."""
        path = f"{_repo(account, name)}/branches/{quote(branch, safe='/')}"
        found = await self._found(path)
        return str(found["commit"]["id"]) if found else None

    async def branch_off(self, account: str, name: str, branch: str, ref: str) -> None:
        """A new branch at what `ref` names; fine when there is one of that name already."""
        body = {"new_branch_name": branch, "old_ref_name": ref}
        try:
            await self._call("POST", f"{_repo(account, name)}/branches", body)
        except Refused as error:
            if error.status_code != 409:
                raise

    async def mint(self, account: str, name: str, scopes: list[str]) -> str:
        """A new access token. By the account's password only; `name` must be new."""
        body = {"name": name, "scopes": scopes}
        return str((await self._call("POST", f"users/{quote(account)}/tokens", body))["sha1"])

    async def tokens(self, account: str) -> dict[str, int]:
        """Names and ids of the account's access tokens. By its password only."""
        rows = await self._call("GET", f"users/{quote(account)}/tokens?limit=50")
        return {str(row["name"]): int(row["id"]) for row in rows}

    async def delete_token(self, account: str, token: int) -> None:
        """By the account's password only; fine when it is gone."""
        try:
            await self._call("DELETE", f"users/{quote(account)}/tokens/{token}")
        except Refused as error:
            if error.status_code != 404:
                raise

    async def _found(self, path: str) -> Any | None:
        try:
            return await self._call("GET", path)
        except Refused as error:
            if error.status_code == 404:
                return None
            raise

    async def _call(
        self, method: str, path: str, body: Json | None = None, *, sudo: str | None = None
    ) -> Any:
        """The answer's JSON, None where there is none."""
        headers = self._headers | ({"sudo": sudo} if sudo else {})
        limit = aiohttp.ClientTimeout(total=DEADLINE)
        asked = self._http.request(
            method, f"{self.url}/api/v1/{path}", json=body, headers=headers, timeout=limit,
            allow_redirects=False,
        )  # fmt: skip
        try:
            async with asked as answer:
                raw = bytearray()
                async for chunk in answer.content.iter_any():
                    raw += chunk
                    if len(raw) > _MAX_ANSWER:
                        raise Unavailable(f"Gitea at {self.url} answers without end")
                return _understood(answer, bytes(raw), f"{method} {path}")
        except TimeoutError:
            raise Unavailable(f"Gitea at {self.url} did not answer in {DEADLINE:g} s") from None
        except aiohttp.ClientError as error:
            raise Unavailable(f"Gitea at {self.url} cannot be reached: {error}") from error


def _repo(account: str, name: str) -> str:
    return f"repos/{quote(account)}/{quote(name)}"


def _understood(answer: aiohttp.ClientResponse, raw: bytes, asked: str) -> Any:
    try:
        said = json.loads(raw) if raw.strip() else None
    except (ValueError, RecursionError):
        said = None
    if 200 <= answer.status < 300:
        if raw.strip() and said is None:
            raise Unavailable(f"{asked}: what answers there is no Gitea")
        return said
    reason = str(said.get("message", "")) if isinstance(said, dict) else ""
    told = f"Gitea answered {answer.status} to {asked}: {reason[:300] or answer.reason}"
    if answer.status >= 500 or answer.status in _BUSY:
        raise Unavailable(told, {"status": answer.status})
    raise Refused(told, {"status": answer.status})
