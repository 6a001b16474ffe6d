#!/usr/bin/env python3
"""Stands in for the program `gitea`: `web`, and the two commands of `admin user` that we run.

Only Python's own library, so that Debian's python3 and git are all its image needs. Set up by the
same GITEA__section__KEY variables, as far as they matter here.
"""

from __future__ import annotations

import argparse
import base64
import json
import os
import secrets
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from accounts import Accounts, Failed
from api import Api, Caller
from exchange import exchange, pieces


def ini(section: str, key: str, default: str | None = None) -> str:
    value = os.environ.get(f"GITEA__{section}__{key}", default)
    if value is None:
        sys.exit(f"[{section}] {key} is not set")
    return value


class Handler(BaseHTTPRequestHandler):
    """One connection's requests."""

    protocol_version = "HTTP/1.1"
    api: Api

    def do_GET(self) -> None:
        self._serve()

    do_POST = do_PATCH = do_DELETE = do_GET

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet, like LEVEL = Warn."""

    def _serve(self) -> None:
        url = urlsplit(self.path)
        path = unquote(url.path)
        self.body = b"" if ".git/" in path else b"".join(pieces(self))
        try:
            if path == "/api/healthz":
                self.api.accounts.ask("select 1")
                return self._say(200, {"status": "pass"})
            caller = self._caller()
            if path.startswith("/api/v1/"):
                return self._call(path.removeprefix("/api/v1/"), url.query, caller)
            return self._git(path, url.query, caller)
        except Failed as error:
            self.close_connection = ".git/" in path  # what was sent was not read
            return self._say(error.status, {"message": error.message, "url": "/api/swagger"})

    def _call(self, path: str, query: str, caller: Caller | None) -> None:
        sudo = self.headers.get("Sudo") or parse_qs(query).get("sudo", [None])[0]
        self._say(
            *self.api.answer(self.command, path, caller, sudo, json.loads(self.body or b"{}"))
        )

    def _git(self, path: str, query: str, caller: Caller | None) -> None:
        owner, _, rest = path.strip("/").partition("/")
        name, git, service = rest.partition(".git/")
        if not git:
            raise Failed(404, "Not found.")
        if caller is None:
            raise Failed(401, "Unauthorized")
        repo = self.api.visible(caller, owner, name)
        writes = "git-receive-pack" in path + query
        if not caller.may("repository", write=writes):
            raise Failed(403, "token does not have at least one of required scope(s)")
        if writes and repo["owner"] != caller.account["id"] and not caller.account["admin"]:
            raise Failed(403, "User permission denied for writing.")
        inside = self.api.folder(repo).relative_to(self.api.root)
        exchange(self, self.api.root, f"/{inside}/{service}", query, caller.account["name"])

    def _caller(self) -> Caller | None:
        """None: nobody signs in. Raises Failed where somebody does, in vain."""
        kind, _, value = self.headers.get("Authorization", "").partition(" ")
        if not kind:
            return None
        name, password = "", value
        if kind.lower() == "basic":
            name, _, password = base64.b64decode(value).decode().partition(":")
            if account := self.api.accounts.signed_in(name, password):
                return Caller(account)
        found = self.api.accounts.by_token(password)
        if found is None:
            raise Failed(401, "user does not exist [uid: 0, name: ]")
        return Caller(found[0], tuple(found[1]))

    def _say(self, status: int, body: Any) -> None:
        raw = b"" if body is None else json.dumps(body).encode()
        self.send_response(status)
        if status == 401:
            self.send_header("WWW-Authenticate", 'Basic realm="Gitea"')
        self.send_header("Content-Type", "application/json;charset=utf-8")
        self.send_header("Content-Length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)


def web(accounts: Accounts) -> None:
    if ini("security", "INSTALL_LOCK", "false") != "true":
        sys.exit("this one has no installer: set GITEA__security__INSTALL_LOCK")
    ini("security", "SECRET_KEY"), ini("security", "INTERNAL_TOKEN")
    Handler.api = Api(accounts, Path(ini("repository", "ROOT")))
    place = ini("server", "HTTP_ADDR", "0.0.0.0"), int(ini("server", "HTTP_PORT", "3000"))
    ThreadingHTTPServer(place, Handler).serve_forever()


def create(accounts: Accounts, asked: argparse.Namespace) -> None:
    if not asked.random_password:
        raise Failed(0, "must set either password or random-password flag")
    password = secrets.token_urlsafe(9)
    print(f"generated random password is '{password}'")
    try:
        accounts.create(asked.username, asked.email, password, admin=asked.admin)
    except Failed as error:
        raise Failed(0, f"CreateUser: {error.message}") from None
    print(f"New user '{asked.username}' has been successfully created!")


def generate(accounts: Accounts, asked: argparse.Namespace) -> None:
    account = accounts.account(asked.username)
    if account is None:
        raise Failed(0, f"user does not exist [uid: 0, name: {asked.username}]")
    _, value = accounts.mint(account, asked.token_name, asked.scopes.split(","))
    print(value if asked.raw else f"Access token was successfully created: {value}")


def parsed(argv: list[str]) -> argparse.Namespace:
    top = argparse.ArgumentParser(prog="gitea")
    top.add_argument("-c", "--config")
    verbs = top.add_subparsers(required=True)
    verbs.add_parser("web").set_defaults(do=lambda accounts, _: web(accounts))
    user = verbs.add_parser("admin").add_subparsers(required=True).add_parser("user")
    commands = user.add_subparsers(required=True)
    made = commands.add_parser("create")
    made.set_defaults(do=create)
    for name in ("--username", "--email"):
        made.add_argument(name, required=True)
    for name in ("--admin", "--random-password"):
        made.add_argument(name, action="store_true")
    made.add_argument("--must-change-password", choices=["false"])
    minted = commands.add_parser("generate-access-token")
    minted.set_defaults(do=generate)
    minted.add_argument("--username", required=True)
    minted.add_argument("--token-name", default="gitea-admin")
    minted.add_argument("--scopes", default="all")
    minted.add_argument("--raw", action="store_true")
    return top.parse_args(argv)


def main() -> None:
    asked = parsed(sys.argv[1:])
    try:
        asked.do(Accounts(Path(ini("database", "PATH"))), asked)
    except Failed as error:
        sys.exit(f"Command error: {error.message}")


if __name__ == "__main__":
    main()
