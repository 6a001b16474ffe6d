"""Accounts, access tokens and repositories of the stand-in, in one SQLite file."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import sqlite3
import threading
from pathlib import Path
from typing import Any

SCHEMA = """
create table if not exists account (
    id integer primary key, name text not null, email text not null unique, salt text not null,
    password text not null, admin integer not null, unique (name collate nocase));
create table if not exists token (
    id integer primary key, account integer not null references account, name text not null,
    digest text not null unique, last text not null, scopes text not null, unique (account, name));
create table if not exists repo (
    id integer primary key, owner integer not null references account, name text not null,
    private integer not null, branch text not null, unique (owner, name collate nocase));
"""
SCOPE = re.compile(
    r"all|public-only|(read|write):(activitypub|admin|misc|notification|organization|package|issue"
    r"|repository|user)"
)
RESERVED = re.compile(r".*\.(wiki|git|rss|atom)$|\.{1,2}$|-$")


class Failed(Exception):
    """An answer that is an error: HTTP status and Gitea's words."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status, self.message = status, message


class Accounts:
    """Rows as dicts. One connection, one caller at a time."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = threading.RLock()
        self._db = sqlite3.connect(path, timeout=20, check_same_thread=False, isolation_level=None)
        self._db.row_factory = sqlite3.Row
        self._db.execute("pragma journal_mode=wal")
        self._db.executescript(SCHEMA)

    def ask(self, text: str, *values: Any) -> dict[str, Any] | None:
        found = self.rows(text, *values)
        return found[0] if found else None

    def rows(self, text: str, *values: Any) -> list[dict[str, Any]]:
        with self._lock:
            return [dict(row) for row in self._db.execute(text, values).fetchall()]

    def account(self, name: str) -> dict[str, Any] | None:
        return self.ask("select * from account where name = ? collate nocase", name)

    def create(self, name: str, email: str, password: str, *, admin: bool = False) -> dict:
        if not re.fullmatch(r"[\da-zA-Z][-.\w]*", name) or re.search(r"[-._]{2}|[-._]$", name):
            raise Failed(422, f"name is invalid [{name}]: must be valid alpha or numeric")
        if self.account(name):
            raise Failed(422, f"user already exists [name: {name}]")
        salt = secrets.token_hex(8)
        made = self.ask(
            "insert into account (name, email, salt, password, admin) values (?, ?, ?, ?, ?)"
            " on conflict do nothing returning *",
            name, email, salt, hashed(salt, password), admin,
        )  # fmt: skip
        if made is None:
            raise Failed(422, f"e-mail already in use [email: {email}]")
        return made

    def set_password(self, account: dict, password: str) -> None:
        hashes = hashed(account["salt"], password)
        self.rows("update account set password = ? where id = ?", hashes, account["id"])

    def signed_in(self, name: str, password: str) -> dict[str, Any] | None:
        found = self.account(name)
        if found and hmac.compare_digest(found["password"], hashed(found["salt"], password)):
            return found
        return None

    def mint(self, account: dict, name: str, scopes: list[str]) -> tuple[dict, str]:
        if not scopes or not all(SCOPE.fullmatch(scope) for scope in scopes):
            raise Failed(400, "access token must have a scope")
        value = secrets.token_hex(20)
        made = self.ask(
            "insert into token (account, name, digest, last, scopes) values (?, ?, ?, ?, ?)"
            " on conflict do nothing returning *",
            account["id"], name, hashed("", value), value[-8:], ",".join(scopes),
        )  # fmt: skip
        if made is None:
            raise Failed(400, "access token name has been used already")
        return made, value

    def by_token(self, value: str) -> tuple[dict[str, Any], list[str]] | None:
        token = self.ask("select * from token where digest = ?", hashed("", value))
        if token is None:
            return None
        account = self.ask("select * from account where id = ?", token["account"])
        return (account, token["scopes"].split(",")) if account else None

    def repo(self, owner: str, name: str) -> dict[str, Any] | None:
        return self.ask(
            "select r.*, a.name as owner_name from repo r join account a on a.id = r.owner"
            " where a.name = ? collate nocase and r.name = ? collate nocase",
            owner, name,
        )  # fmt: skip


def hashed(salt: str, text: str) -> str:
    return hashlib.sha256(f"{salt}\n{text}".encode()).hexdigest()
