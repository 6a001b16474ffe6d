"""Start one program so that it cannot outlive its owner; run as a file, without imports of ours.

    launch.py <owner pid> <death signal> <uid or -> <program> [argument ...]

A uid other than `-` puts the program into a user namespace where root is that ordinary user:
PostgreSQL refuses root. The death signal is asked for after that, as a change of credentials
clears it, and then the owner is looked for once more: it may be gone already.
"""

from __future__ import annotations

import ctypes
import os
import sys

CLONE_NEWUSER = 0x10000000
PR_SET_PDEATHSIG = 1


def main(argv: list[str]) -> None:
    """Become `argv[3:]`; exits with 1 when the owner is gone."""
    owner, death_signal, uid = int(argv[0]), int(argv[1]), argv[2]
    libc = ctypes.CDLL(None, use_errno=True)
    if uid != "-":
        _become(libc, int(uid))
    if libc.prctl(PR_SET_PDEATHSIG, death_signal, 0, 0, 0) != 0:
        sys.exit(f"cannot ask for a death signal: {os.strerror(ctypes.get_errno())}")
    if os.getppid() != owner:
        sys.exit(1)
    os.execv(argv[3], argv[3:])  # noqa: S606 (no shell is the point)


def _become(libc: ctypes.CDLL, uid: int) -> None:
    real_uid, real_gid = os.getuid(), os.getgid()
    if libc.unshare(CLONE_NEWUSER) != 0:
        reason = os.strerror(ctypes.get_errno())
        sys.exit(
            f"PostgreSQL refuses root and user namespaces are off here ({reason}): "
            "run growqr as an ordinary user or set DATABASE_URL"
        )
    _write("/proc/self/setgroups", "deny")
    _write("/proc/self/uid_map", f"{uid} {real_uid} 1")
    _write("/proc/self/gid_map", f"{uid} {real_gid} 1")


def _write(path: str, text: str) -> None:
    with open(path, "w") as file:
        file.write(text)


if __name__ == "__main__":
    main(sys.argv[1:])
