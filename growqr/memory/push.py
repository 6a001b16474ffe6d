"""`git push` and `git ls-remote` as processes: what signs them in is in their environment, never in
their argv. They see no configuration but ours, run no hooks, and are ended with all they started.
"""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import signal
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final, NamedTuple

from growqr.errors import Unavailable

DEADLINE: Final = 120.0
"""Seconds one push may take."""

EVERYTHING: Final = ("refs/heads/*:refs/heads/*", "refs/tags/*:refs/tags/*")
"""All branches and tags to the same names; what would lose commits over there is rejected."""

_CONFIG = {
    "core.hooksPath": "/dev/null",
    "gc.auto": "0",
    "pack.threads": "1",
    "push.followTags": "false",
    "http.followRedirects": "false",
    "credential.helper": "",
}
_REJECTED = re.compile(r"^!\t[^:]*:(refs/\S+)\t\[rejected\]", re.MULTILINE)
_ABROAD = re.compile(r"^!\t.*\[remote rejected\] \((.*)\)", re.MULTILINE)


class Pushed(NamedTuple):
    """`rejected`: full names of the refs that hold, over there, what is not ours."""

    rejected: list[str]


async def push(
    folder: Path, url: str, authorization: str, refspecs: tuple[str, ...] = EVERYTHING
) -> Pushed:
    """Push the bare repository `folder` to `url`. authorization: the header's value.

    Raises Unavailable when it did not get through, saying why; parts may have arrived then.
    """
    words = ("push", "--porcelain", url, *refspecs)
    code, said, complaint = await _run(folder, url, authorization, words)
    refused = _REJECTED.findall(said)
    abroad = _ABROAD.search(said)
    if abroad is None and (code == 0 or refused):
        return Pushed(refused)
    reason = abroad[1] if abroad else _reason(code, complaint)
    raise Unavailable(f"cannot push {folder.name} to {url}: {reason}")


async def held(folder: Path, url: str, authorization: str) -> dict[str, str]:
    """Full names of the branches and tags over there, each with its id. Raises Unavailable."""
    words = ("ls-remote", "--refs", "--heads", "--tags", url)
    code, said, complaint = await _run(folder, url, authorization, words)
    if code:
        raise Unavailable(f"cannot read {url}: {_reason(code, complaint)}")
    return {name: tip for tip, name in (line.split("\t") for line in said.splitlines())}


async def drop(folder: Path, url: str, authorization: str, tips: Mapping[str, str]) -> None:
    """Remove refs over there that still are at these tips. Raises Unavailable when one may not."""
    leases = [f"--force-with-lease={ref}:{tip}" for ref, tip in tips.items()]
    await push(folder, url, authorization, (*leases, *(f":{ref}" for ref in tips)))


async def replace(folder: Path, url: str, authorization: str, ref: str, former: str | None) -> None:
    """Put ours where another history is, if that still is `former` (None: whatever it is).

    Raises Unavailable.
    """
    lease = (f"--force-with-lease={ref}:{former}", f"{ref}:{ref}") if former else (f"+{ref}:{ref}",)
    if (await push(folder, url, authorization, lease)).rejected:
        raise Unavailable(f"{ref} of {url} has just moved on")


async def _run(
    folder: Path, url: str, authorization: str, words: tuple[str, ...]
) -> tuple[int, str, str]:
    git = shutil.which("git")
    if git is None:
        raise Unavailable("git is not installed on this machine; install it to mirror to Gitea")
    config = [part for name, value in _CONFIG.items() for part in ("-c", f"{name}={value}")]
    process = await asyncio.create_subprocess_exec(
        git, *config, f"--git-dir={folder}", *words,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=_environment(git, url, authorization),
        cwd="/",
        start_new_session=True,
    )  # fmt: skip
    try:
        async with asyncio.timeout(DEADLINE):
            said, complaint = await process.communicate()
    except TimeoutError:
        raise Unavailable(f"git {words[0]} of {url} took more than {DEADLINE:g} s") from None
    finally:
        await _end(process)
    told = [text.decode(errors="replace") for text in (said, complaint)]
    return process.returncode or 0, told[0], told[1]


def _reason(code: int, complaint: str) -> str:
    lines = [line for line in complaint.splitlines() if not line.startswith("To ")]
    return " ".join(lines)[:300] or f"git ended with {code}"


def _environment(git: str, url: str, authorization: str) -> dict[str, str]:
    return {
        "PATH": f"{Path(git).parent}:/usr/bin:/bin",
        "HOME": "/nonexistent",
        "LC_ALL": "C",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": f"http.{url}.extraHeader",
        "GIT_CONFIG_VALUE_0": f"Authorization: {authorization}",
    }


async def _end(process: asyncio.subprocess.Process) -> None:
    """The program and what it started are gone afterwards."""
    if process.returncode is None:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await asyncio.shield(process.wait())
