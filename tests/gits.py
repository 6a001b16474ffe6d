"""Bare repositories for tests, made and read by git itself."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from growqr.memory import Login
from growqr.memory.gitea import by_password

_WHO = {f"GIT_{role}_{part}": "t@growqr.invalid" for role in ("AUTHOR", "COMMITTER")
        for part in ("NAME", "EMAIL")}  # fmt: skip


def git(folder: Path, *words: str) -> str:
    """Output of one git command in a bare repository."""
    return subprocess.run(
        ["git", f"--git-dir={folder}", *words], check=True, capture_output=True, text=True,
        env={"PATH": os.environ["PATH"], "GIT_CONFIG_GLOBAL": os.devnull, **_WHO},
    ).stdout.strip()  # fmt: skip


def bare(folder: Path, *messages: str) -> Path:
    """A new bare repository with these commits on main."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run(["git", "init", "-q", "--bare", "-b", "main", str(folder)], check=True)
    for message in messages:
        commit(folder, message)
    return folder


def commit(folder: Path, message: str, branch: str = "main", *, root: bool = False) -> str:
    """One more commit without files on the branch, or a new beginning; its id."""
    tip = git(folder, "for-each-ref", "--format=%(objectname)", f"refs/heads/{branch}")
    parents = ["-p", tip] if tip and not root else []
    tree = git(folder, "hash-object", "-t", "tree", "-w", os.devnull)
    made = git(folder, "commit-tree", *parents, "-m", message, tree)
    git(folder, "update-ref", f"refs/heads/{branch}", made)
    return made


def signed_in(login: Login, *words: str, folder: Path | None = None) -> str:
    """Output of git as somebody who signs in with a password. Raises CalledProcessError."""
    authorization = f"Authorization: {by_password(login.name, login.password)}"
    where = [f"--git-dir={folder}"] if folder else []
    return subprocess.run(
        ["git", *where, "-c", f"http.extraHeader={authorization}", *words], check=True,
        capture_output=True, text=True,
        env={"PATH": os.environ["PATH"], "GIT_CONFIG_GLOBAL": os.devnull,
             "GIT_TERMINAL_PROMPT": "0", **_WHO},
    ).stdout.strip()  # fmt: skip


def refs(login: Login, owner: str, repo: str) -> dict[str, str]:
    """Full names of branches and tags over there → ids. Raises CalledProcessError."""
    told = signed_in(login, "ls-remote", "--refs", f"{login.url}/{owner}/{repo}.git")
    return {name: made for made, name in (line.split("\t") for line in told.splitlines())}


def own_refs(folder: Path) -> dict[str, str]:
    """The same of a bare repository here."""
    told = git(folder, "for-each-ref", "--format=%(refname) %(objectname)")
    return dict(line.split(" ") for line in told.splitlines())
