"""The programs that services need and the machine lacks, from the npm registry, without npm.

Each package is pinned, checked against the registry's sha512, and put in place in one step; what
was not finished is fetched again by the next `growqr up`.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import platform
import shutil
import tarfile
import tempfile
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from typing import IO, Any

from growqr.config import Settings
from growqr.errors import InstanceError

OPENCODE, RIPGREP = "1.18.33", "1.18.0"
"""Pinned: OpenCode 2 has another server API."""

IDLE_TIMEOUT, DEADLINE = 15.0, 600.0
_MAX_PACKUMENT, _CHUNK = 1 << 20, 1 << 20


@dataclass(frozen=True)
class Package:
    """One program inside one npm package, and where it is put."""

    name: str
    version: str
    program: str

    def path(self, tools: Path) -> Path:
        """Where the program lies once it is fetched."""
        return tools / f"{self.program}-{self.version}" / self.program


@dataclass(frozen=True)
class Tools:
    """The programs, as found; None where one is missing."""

    opencode: Path | None
    rg: Path | None

    @property
    def missing(self) -> list[str]:
        """Names of what is not there."""
        named = {"opencode": self.opencode, "rg": self.rg}
        return [name for name, path in named.items() if path is None]


def find_tools(settings: Settings) -> Tools:
    """What is there: GROWQR_OPENCODE_BIN and PATH first, then what was fetched."""
    opencode = settings.opencode_bin or _opencode().path(settings.tools_folder)
    on_path = shutil.which("rg")
    rg = Path(on_path) if on_path else _ripgrep().path(settings.tools_folder)
    return Tools(_executable(opencode), _executable(rg))


def fetch_tools(settings: Settings) -> list[str]:
    """Fetch what is missing; a line for each that could not be had, empty when all is there."""
    found = find_tools(settings)
    wanted = []
    if found.opencode is None and settings.opencode_bin is None:
        wanted.append(_opencode())
    if found.rg is None:
        wanted.append(_ripgrep())
    problems = []
    if found.opencode is None and settings.opencode_bin is not None:
        problems.append(f"GROWQR_OPENCODE_BIN names {settings.opencode_bin}, which is no program")
    for package in wanted:
        try:
            fetch(package, settings.npm_registry, settings.tools_folder)
        except InstanceError as error:
            problems.append(error.message)
    return problems


def fetch(package: Package, registry: str, tools: Path) -> Path:
    """Bring one program into `tools`; its path. Raises InstanceError saying why it cannot be."""
    target = package.path(tools)
    label = f"{package.name} {package.version}"
    try:
        tools.mkdir(mode=0o700, parents=True, exist_ok=True)
        _tidy(tools)
        with tempfile.TemporaryDirectory(prefix=".part-", dir=tools) as part:
            tarball, integrity = _published(package, registry)
            archive = Path(part) / "package.tgz"
            _download(tarball, integrity, archive)
            folder = Path(part) / target.parent.name
            folder.mkdir(mode=0o755)
            _take_out(archive, f"package/bin/{package.program}", folder / package.program)
            shutil.rmtree(target.parent, ignore_errors=True)
            folder.replace(target.parent)
    except (OSError, ValueError, KeyError, HTTPException, tarfile.TarError, EOFError) as error:
        reason = str(error) or type(error).__name__
        raise InstanceError(f"cannot fetch {label} from {registry}: {reason}") from None
    return target


def _tidy(tools: Path) -> None:
    """Remove what an interrupted fetch left; one that still runs is younger."""
    for part in tools.glob(".part-*"):
        if time.time() - part.stat().st_mtime > 2 * DEADLINE:
            shutil.rmtree(part, ignore_errors=True)


def _published(package: Package, registry: str) -> tuple[str, str]:
    """(address of the tarball, its sha512 in base64) as the registry tells them."""
    name = package.name.replace("/", "%2f")
    with _open(f"{registry.rstrip('/')}/{name}") as reply:
        text = reply.read(_MAX_PACKUMENT + 1)
    if len(text) > _MAX_PACKUMENT:
        with _open(f"{registry.rstrip('/')}/{name}/{package.version}") as reply:
            told: Any = json.loads(reply.read(_MAX_PACKUMENT))
    else:
        told = json.loads(text)["versions"][package.version]
    dist = told["dist"]
    for word in str(dist["integrity"]).split():
        if word.startswith("sha512-"):
            return str(dist["tarball"]), word.removeprefix("sha512-")
    raise ValueError("the registry gives no sha512 for it")


def _download(url: str, integrity: str, into: Path) -> None:
    digest, deadline = hashlib.sha512(), time.monotonic() + DEADLINE
    with _open(url) as reply, into.open("wb") as file:
        while chunk := reply.read(_CHUNK):
            digest.update(chunk)
            file.write(chunk)
            if time.monotonic() > deadline:
                raise ValueError(f"not there after {DEADLINE:g} s")
    found = base64.b64encode(digest.digest()).decode()
    if not hmac.compare_digest(found, integrity):
        raise ValueError("what came has another sha512 than the registry says")


def _take_out(archive: Path, member: str, into: Path) -> None:
    """One regular file by its exact name: no path of the archive is ever used."""
    with tarfile.open(archive, "r:gz") as tar:
        for entry in tar:
            if entry.name == member and entry.isreg():
                source = tar.extractfile(entry)
                break
        else:
            raise ValueError(f"the package holds no {member}")
        if source is None:
            raise ValueError(f"{member} cannot be read")
        with source, into.open("wb") as file:
            shutil.copyfileobj(source, file, _CHUNK)
            file.flush()
            os.fsync(file.fileno())
    into.chmod(0o755)


def _open(url: str) -> IO[bytes]:
    """A reply whose every read has a deadline; the system's certificates, proxies as set."""
    if not url.startswith(("https://", "http://")):
        raise ValueError(f"{url} is no http address")
    try:
        reply: IO[bytes] = urllib.request.urlopen(url, timeout=IDLE_TIMEOUT)  # noqa: S310
    except urllib.error.HTTPError as error:
        error.close()
        raise ValueError(f"status {error.code} for {url}") from None
    return reply


def _opencode() -> Package:
    return Package(f"opencode-linux-{_machine()}", OPENCODE, "opencode")


def _ripgrep() -> Package:
    return Package(f"@vscode/ripgrep-linux-{_machine(baseline=False)}", RIPGREP, "rg")


def _machine(*, baseline: bool = True) -> str:
    """x64, x64-baseline (no AVX2) or arm64, as npm packages are named."""
    if platform.machine() in ("aarch64", "arm64"):
        return "arm64"
    try:
        modern = "avx2" in Path("/proc/cpuinfo").read_text().split()
    except OSError:
        modern = False
    return "x64" if modern or not baseline else "x64-baseline"


def _executable(path: Path) -> Path | None:
    return path if path.is_file() and os.access(path, os.X_OK) else None
