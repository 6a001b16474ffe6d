"""The walls around a local service: bubblewrap's options, and whether it works here at all.

A service sees the system's programs, its own two folders and the few files it is given; no other
process, no other user's file, no secret of the instance. The network is not walled.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from growqr.stacks.base import ServiceSpec

UID = 1000
"""Who the service is inside. Outside it is whoever runs growqr, so it is shown little."""

TMP_BYTES = 1 << 30

_SYSTEM = ("/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32")
_ETC = (
    "alternatives", "ca-certificates", "host.conf", "hosts", "ld.so.cache", "ld.so.conf",
    "ld.so.conf.d", "localtime", "mime.types", "nsswitch.conf", "pki", "protocols",
    "resolv.conf", "services", "ssl", "terminfo",
)  # fmt: skip

_NAMESPACES = (
    "--unshare-user", "--uid", str(UID), "--gid", str(UID), "--unshare-pid", "--unshare-ipc",
    "--unshare-uts", "--hostname", "growqr", "--cap-drop", "ALL", "--new-session",
)  # fmt: skip

PASSWD = f"growqr:x:{UID}:{UID}:growqr:/tmp:/bin/sh\n"
GROUP = f"growqr:x:{UID}:\n"


def program() -> str | None:
    """Path of bubblewrap; None where it is not installed."""
    return shutil.which("bwrap")


@cache
def why_not() -> str | None:
    """None when bubblewrap works here, else the reason. Asked once per process."""
    bwrap = program()
    if bwrap is None:
        return "bubblewrap is not installed"
    argv = [bwrap, *_NAMESPACES, "--ro-bind", "/", "/", "--proc", "/proc", "--", "/bin/true"]
    try:
        asked = subprocess.run(argv, capture_output=True, text=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"bubblewrap does not run: {error}"
    words = asked.stderr.strip() or f"code {asked.returncode}"
    return None if asked.returncode == 0 else f"bubblewrap does not work here: {words}"


def options(spec: ServiceSpec, *, hidden: Path, stubs: Path) -> list[str]:
    """bubblewrap's options for this service. They hold paths and no secret.

    hidden: the data folder, of which only the spec's own paths are shown.
    stubs: folder with the `passwd` and `group` that the service sees.
    """
    # Outside the service is growqr's user, and where that is root the files of /proc/sys are
    # root's own: without capabilities it could still write there. So /proc is read-only.
    proc = ("--proc", "/proc", "--remount-ro", "/proc")
    shown = [*_system(), *_etc(stubs), *proc, "--dev", "/dev"]
    shown += ["--size", str(TMP_BYTES), "--perms", "1777", "--tmpfs", "/tmp"]  # noqa: S108
    if _seen(hidden):
        shown += ["--tmpfs", str(hidden)]
    for path in spec.read_only:
        if not _seen(path):
            shown += ["--ro-bind", str(path.resolve()), str(path)]
    for path in (spec.home, spec.workdir):
        shown += ["--bind", str(path), str(path)]
    return [*_NAMESPACES, "--as-pid-1", *shown, "--remount-ro", "/", "--chdir", str(spec.workdir)]


def _system() -> Iterator[str]:
    """/usr, and the old folders beside it: links where they are links."""
    yield from ("--ro-bind", "/usr", "/usr")
    for name in _SYSTEM:
        path = Path(name)
        if path.is_symlink():
            yield from ("--symlink", str(path.readlink()), name)
        elif path.exists():
            yield from ("--ro-bind", name, name)


def _etc(stubs: Path) -> Iterator[str]:
    for name in _ETC:
        path = Path("/etc") / name
        if path.exists():
            yield from ("--ro-bind", str(path.resolve()), str(path))
    for name in ("passwd", "group"):
        yield from ("--ro-bind", str(stubs / name), f"/etc/{name}")


def _seen(path: Path) -> bool:
    """Whether the path lies inside /usr, which is shown as a whole."""
    return path.resolve().is_relative_to("/usr")
