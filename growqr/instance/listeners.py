"""Who listens where on this machine, read from /proc: IPv4 and IPv6, by process."""

from __future__ import annotations

import ipaddress
import os
import re
import socket
import struct
from collections.abc import Collection, Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from growqr.instance.processes import parentage

_LISTENS = "0A"
_SOCKET = re.compile(r"socket:\[(\d+)\]")


class Listener(NamedTuple):
    """A listening TCP socket. `title`: the program that holds it; empty: not of those asked."""

    address: str
    port: int
    title: str = ""

    @property
    def local(self) -> bool:
        """Whether this machine alone can connect to it."""
        address = ipaddress.ip_address(self.address)
        mapped = getattr(address, "ipv4_mapped", None)
        return bool((mapped or address).is_loopback)

    def __str__(self) -> str:
        where = f"[{self.address}]" if ":" in self.address else self.address
        return f"{where}:{self.port}" + (f" ({self.title})" if self.title else "")


def listeners() -> dict[str, Listener]:
    """Every listening socket by its inode, without titles."""
    found: dict[str, Listener] = {}
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        with suppress(FileNotFoundError):  # a kernel without IPv6
            for line in Path(table).read_text().splitlines()[1:]:
                row = line.split()
                if row[3] == _LISTENS:
                    address, _, port = row[1].partition(":")
                    found[row[9]] = Listener(_address(address), int(port, 16))
    return found


def held_by(pids: Collection[int]) -> list[Listener]:
    """What these processes listen on, by port; one that several hold is named once."""
    everywhere, ours = listeners(), {}
    for pid in sorted(pids):
        for inode in _sockets(pid):
            if (listener := everywhere.pop(inode, None)) is not None:
                ours[inode] = listener._replace(title=_title(pid))
    return sorted(ours.values(), key=lambda listener: listener.port)


def family(roots: Collection[int]) -> set[int]:
    """These processes, whoever is in a session that one of them opened, and all descendants."""
    known = parentage()
    found = {pid for pid, (_, session) in known.items() if pid in roots or session in roots}
    while more := {pid for pid, (parent, _) in known.items() if parent in found} - found:
        found |= more
    return found


def _sockets(pid: int) -> Iterator[str]:
    with suppress(OSError):  # gone, or somebody else's
        for entry in os.scandir(f"/proc/{pid}/fd"):
            with suppress(OSError):
                if match := _SOCKET.fullmatch(os.readlink(entry.path)):
                    yield match[1]


def _title(pid: int) -> str:
    with suppress(OSError):
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        return os.path.basename(words[0].decode(errors="replace"))[:40].split()[0]
    return "?"


def _address(text: str) -> str:
    """Of the kernel's hexadecimal words, each in the order of this machine's bytes."""
    words = [int(text[at : at + 8], 16) for at in range(0, len(text), 8)]
    packed = struct.pack(f"={len(words)}I", *words)
    return socket.inet_ntop(socket.AF_INET if len(words) == 1 else socket.AF_INET6, packed)
