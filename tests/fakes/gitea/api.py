"""The stand-in's API: each call we use, answered as Gitea answers it."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from accounts import RESERVED, Accounts, Failed

VERSION = "1.27.0+stand-in"
Answer = tuple[int, Any]


@dataclass(frozen=True)
class Caller:
    """Who asks: scopes are empty for a password, which may do everything."""

    account: dict[str, Any]
    scopes: tuple[str, ...] = ()

    def may(self, category: str, *, write: bool) -> bool:
        wanted = {f"write:{category}", "all"} | (set() if write else {f"read:{category}"})
        return not self.scopes or bool(wanted & set(self.scopes))


@dataclass(frozen=True)
class Call:
    """One request: its caller, parts of the path, and body."""

    caller: Caller
    parts: tuple[str, ...]
    body: dict[str, Any]

    @property
    def me(self) -> dict[str, Any]:
        return self.caller.account


class Api:
    """Routes over accounts and a folder of bare repositories."""

    def __init__(self, accounts: Accounts, root: Path) -> None:
        self.accounts, self.root = accounts, root
        name = r"([^/]+)"
        self._routes: list[tuple[str, str, str, Callable[[Call], Answer]]] = [
            ("GET", "version", "misc", lambda call: (200, {"version": VERSION})),
            ("GET", "user", "user", lambda call: (200, _user(call.me))),
            ("POST", "admin/users", "admin", self._create_account),
            ("PATCH", f"admin/users/{name}", "admin", self._edit_account),
            ("POST", "user/repos", "repository", self._create_repo),
            ("GET", f"repos/{name}/{name}", "repository", self._get_repo),
            ("DELETE", f"repos/{name}/{name}", "repository", self._delete_repo),
            ("GET", f"repos/{name}/{name}/branches/(.+)", "repository", self._branch),
            ("POST", f"repos/{name}/{name}/branches", "repository", self._create_branch),
            ("GET", f"users/{name}/tokens", "user", self._tokens),
            ("POST", f"users/{name}/tokens", "user", self._mint),
            ("DELETE", f"users/{name}/tokens/{name}", "user", self._drop_token),
        ]

    def answer(
        self, method: str, path: str, caller: Caller | None, sudo: str | None, body: dict[str, Any]
    ) -> Answer:
        """(status, JSON or None). Raises Failed."""
        for verb, pattern, category, do in self._routes:
            found = re.fullmatch(pattern, path)
            if not found or verb != method:
                continue
            if caller is None:
                raise Failed(401, "token is required")
            if not caller.may(category, write=method != "GET") and category != "misc":
                raise Failed(403, "token does not have at least one of required scope(s)")
            if category == "admin" and not caller.account["admin"]:
                raise Failed(403, "user should be the site admin")
            if "/tokens" in path and caller.scopes:
                raise Failed(401, "auth required")
            return do(Call(self._sudo(caller, sudo), found.groups(), body))
        raise Failed(404, "not found")

    def visible(self, caller: Caller, owner: str, name: str) -> dict[str, Any]:
        """A repository as far as the caller may know of it. Raises Failed with 404."""
        repo = self.accounts.repo(owner, name)
        mine = repo and (repo["owner"] == caller.account["id"] or caller.account["admin"])
        if not repo or not (mine or not repo["private"]):
            raise Failed(404, "The target couldn't be found.")
        return repo

    def folder(self, repo: dict[str, Any]) -> Path:
        return self.root / repo["owner_name"].lower() / f"{repo['name'].lower()}.git"

    def _sudo(self, caller: Caller, name: str | None) -> Caller:
        if not name:
            return caller
        if not caller.account["admin"]:
            raise Failed(403, "Only administrators allowed to sudo.")
        account = self.accounts.account(name)
        if account is None:
            raise Failed(404, "The target couldn't be found.")
        return Caller(account, caller.scopes)

    def _create_account(self, call: Call) -> Answer:
        body = call.body
        if len(body.get("password", "")) < 8:
            raise Failed(400, "PasswordIsRequired")
        return 201, _user(self.accounts.create(body["username"], body["email"], body["password"]))

    def _edit_account(self, call: Call) -> Answer:
        account = self.accounts.account(call.parts[0])
        if account is None:
            raise Failed(404, "user does not exist")
        if password := call.body.get("password"):
            if len(password) < 8:
                raise Failed(400, "password must be at least 8 characters")
            self.accounts.set_password(account, password)
        return 200, _user(account)

    def _create_repo(self, call: Call) -> Answer:
        name, branch = call.body["name"], call.body.get("default_branch") or "main"
        if not re.fullmatch(r"[-.\w]{1,100}", name):
            raise Failed(422, f"repository name is invalid [{name}]")
        if RESERVED.fullmatch(name):
            raise Failed(422, f"name is reserved [name: {name}]")
        made = self.accounts.ask(
            "insert into repo (owner, name, private, branch) values (?, ?, ?, ?)"
            " on conflict do nothing returning id",
            call.me["id"], name, bool(call.body.get("private")), branch,
        )  # fmt: skip
        if made is None:
            raise Failed(409, "The repository with the same name already exists.")
        repo = self.accounts.repo(call.me["name"], name)
        assert repo
        folder = self.folder(repo)
        folder.mkdir(parents=True)
        self._git(folder, "init", "--bare", "--quiet", f"--initial-branch={branch}")
        return 201, self._repo(repo)

    def _get_repo(self, call: Call) -> Answer:
        return 200, self._repo(self.visible(call.caller, *call.parts))

    def _delete_repo(self, call: Call) -> Answer:
        repo = self.visible(call.caller, *call.parts)
        self.accounts.rows("delete from repo where id = ?", repo["id"])
        shutil.rmtree(self.folder(repo), ignore_errors=True)
        return 204, None

    def _branch(self, call: Call) -> Answer:
        repo = self.visible(call.caller, *call.parts[:2])
        return 200, self._branch_of(repo, call.parts[2])

    def _create_branch(self, call: Call) -> Answer:
        repo, name = self.visible(call.caller, *call.parts), call.body["new_branch_name"]
        folder, old = self.folder(repo), call.body.get("old_ref_name") or repo["branch"]
        if not self._git(folder, "for-each-ref", "--count=1", "refs/heads"):
            raise Failed(404, "Git Repository is empty.")
        if self._git(folder, "for-each-ref", f"refs/heads/{name}"):
            raise Failed(409, "The branch already exists.")
        commit = self._git(folder, "rev-parse", "--verify", "--quiet", f"{old}^{{commit}}")
        if not commit:
            raise Failed(404, "The old branch does not exist")
        self._git(folder, "update-ref", f"refs/heads/{name}", commit, "0" * 40)
        return 201, self._branch_of(repo, name)

    def _tokens(self, call: Call) -> Answer:
        account = self._myself(call)
        rows = self.accounts.rows("select * from token where account = ?", account["id"])
        return 200, [_token(row, "") for row in rows]

    def _mint(self, call: Call) -> Answer:
        account = self._myself(call)
        made, value = self.accounts.mint(account, call.body["name"], call.body.get("scopes") or [])
        return 201, _token(made, value)

    def _drop_token(self, call: Call) -> Answer:
        account, key = self._myself(call), call.parts[1]
        column = "id" if key.isdigit() else "name"
        gone = self.accounts.rows(
            f"delete from token where account = ? and {column} = ? returning id", account["id"], key
        )
        if not gone:
            raise Failed(404, "The target couldn't be found.")
        return 204, None

    def _myself(self, call: Call) -> dict[str, Any]:
        account = self.accounts.account(call.parts[0])
        mine = account and (account["id"] == call.me["id"] or call.me["admin"])
        if account is None or not mine:  # accounts are private: others do not see them
            raise Failed(404, "user redirect does not exist")
        return account

    def _branch_of(self, repo: dict[str, Any], name: str) -> dict[str, Any]:
        commit = self._git(self.folder(repo), "for-each-ref", "--format=%(refname) %(objectname)",
                           f"refs/heads/{name}")  # fmt: skip
        ref, _, found = commit.partition(" ")
        if ref != f"refs/heads/{name}":
            raise Failed(404, f"branch does not exist [name: {name}]")
        return {"name": name, "commit": {"id": found}, "protected": False}

    def _repo(self, repo: dict[str, Any]) -> dict[str, Any]:
        empty = not self._git(self.folder(repo), "for-each-ref", "--count=1", "refs/heads")
        return {
            "id": repo["id"], "name": repo["name"], "private": bool(repo["private"]),
            "full_name": f"{repo['owner_name']}/{repo['name']}", "empty": empty,
            "default_branch": repo["branch"], "owner": {"login": repo["owner_name"]},
        }  # fmt: skip

    def _git(self, folder: Path, *words: str) -> str:
        argv = ["git", "-c", "safe.directory=*", f"--git-dir={folder}", *words]
        return subprocess.run(argv, capture_output=True, text=True, check=False).stdout.strip()


def _user(account: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": account["id"], "login": account["name"], "email": account["email"],
        "is_admin": bool(account["admin"]),
    }  # fmt: skip


def _token(row: dict[str, Any], value: str) -> dict[str, Any]:
    return {
        "id": row["id"], "name": row["name"], "sha1": value, "token_last_eight": row["last"],
        "scopes": row["scopes"].split(","),
    }  # fmt: skip
