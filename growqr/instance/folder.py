"""The data folder of an instance: made 0700, with its secrets, snapshot and lock.

instance.json  settings.json  secrets.env  lock  instance_id
secrets/  postgres/  logs/  memory/  ray/ (or a short folder under the system's temporary one)
"""

from __future__ import annotations

import fcntl
import os
import secrets
import shutil
import tempfile
import time
from pathlib import Path

from pydantic import SecretStr

from growqr.config import Providers, Settings
from growqr.errors import InstanceError
from growqr.instance.ports import Ports
from growqr.instance.record import write_private

MIN_FREE = 500 * 1024 * 1024
"""Bytes that must be free on the data folder's disk before an instance starts."""

SOCKET_ROOM = 30
"""Longest folder for Ray: its unix sockets and HAProxy's add up to 67 characters, and HAProxy
takes 97 in all."""

_SECRETS = ("instance.key", "ray_token", "postgres_password")


def prepare(data: Path) -> None:
    """Make the folder and what is missing in it. Raises InstanceError when that cannot be done."""
    try:
        for folder in (data, data / "secrets", data / "logs", data / "memory"):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        data.chmod(0o700)
        for name in _SECRETS:
            if not (path := data / "secrets" / name).exists():
                write_private(path, secrets.token_hex(32))
        if not (path := data / "instance_id").exists():
            write_private(path, secrets.token_hex(6))
    except OSError as error:
        raise InstanceError(
            f"cannot write to the data folder {data} ({error.strerror}); "
            "choose another with --data or GROWQR_DATA"
        ) from None
    require_space(data)


def require_space(data: Path) -> None:
    """Raises InstanceError when the disk is nearly full."""
    free = shutil.disk_usage(data).free
    if free < MIN_FREE:
        raise InstanceError(
            f"only {free >> 20} MB free where {data} lies, {MIN_FREE >> 20} MB are needed; "
            "free some space or choose another folder with --data"
        )


def instance_id(data: Path) -> str:
    """The name of this data folder's instance on this machine: 12 hex digits."""
    return (data / "instance_id").read_text().strip()


def secret(data: Path, name: str) -> str:
    """A generated secret: instance.key, ray_token or postgres_password."""
    return (data / "secrets" / name).read_text().strip()


def snapshot(settings: Settings, ports: Ports) -> Settings:
    """Write `settings.json` for all processes of the instance and return what it says.

    The port is the real one, and the database's address is filled in when it is embedded.
    """
    values: dict[str, object] = {"port": ports.base}
    if settings.database_url is None:
        password = secret(settings.data, "postgres_password")
        url = f"postgresql://growqr:{password}@127.0.0.1:{ports['postgres']}/growqr"
        values["database_url"] = SecretStr(url)
    settled = settings.model_copy(update=values)
    write_private(settings.data / "settings.json", settled.dump())
    return settled


def write_providers(data: Path, providers: Providers) -> None:
    """Write `secrets.env`, which the models app alone reads."""
    lines = []
    for name, value in providers:
        if value is not None:
            text = value.get_secret_value() if isinstance(value, SecretStr) else str(value)
            escaped = text.replace("\\", "\\\\").replace("'", "\\'")
            lines.append(f"{name.upper()}='{escaped}'\n")
    write_private(data / "secrets.env", "".join(lines))


def ray_folder(data: Path) -> Path:
    """A folder of ours alone, short enough for Ray's unix sockets; made when missing."""
    folder = _ray_path(data)
    folder.mkdir(mode=0o700, exist_ok=True)
    if folder.is_symlink() or folder.stat().st_uid != os.getuid():
        raise InstanceError(f"{folder} belongs to somebody else; remove it or set TMPDIR")
    folder.chmod(0o700)
    return folder


def tidy(data: Path) -> None:
    """Leave nothing outside the data folder once the instance has ended."""
    if (data / "instance_id").exists() and not _ray_path(data).is_relative_to(data):
        shutil.rmtree(_ray_path(data), ignore_errors=True)


def _ray_path(data: Path) -> Path:
    inside = data / "ray"
    if len(str(inside)) <= SOCKET_ROOM:
        return inside
    return Path(tempfile.gettempdir()) / f"growqr-{instance_id(data)}"


def lock(data: Path, timeout: float = 0.0) -> int | None:
    """Descriptor that holds the folder's lock; None when somebody else holds it to the end."""
    descriptor = os.open(data / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    deadline = time.monotonic() + timeout
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return descriptor
        except BlockingIOError:
            if time.monotonic() >= deadline:
                os.close(descriptor)
                return None
            time.sleep(0.05)
