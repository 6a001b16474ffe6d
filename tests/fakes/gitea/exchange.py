"""Smart HTTP of the stand-in's bare repositories: git's own http-backend as a CGI program."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import IO

_CONFIG = {"http.receivepack": "true", "http.uploadpack": "true", "safe.directory": "*",
           "gc.auto": "0", "receive.autogc": "false"}  # fmt: skip


def exchange(request: BaseHTTPRequestHandler, root: Path, path: str, query: str, who: str) -> None:
    """Answer one request for `path` below `root`, signed in as `who`."""
    with tempfile.TemporaryFile() as body:
        for piece in pieces(request):
            body.write(piece)
        body.seek(0)
        ran = subprocess.run(
            ["git", "http-backend"], stdin=body, capture_output=True, check=False,
            env=_environment(request, root, path, query, who),
        )  # fmt: skip
    head, _, said = ran.stdout.partition(b"\r\n\r\n")
    headers = [line.split(": ", 1) for line in head.decode().split("\r\n") if ": " in line]
    status = next((int(value.split()[0]) for name, value in headers if name == "Status"), 200)
    request.send_response(status if ran.returncode == 0 else 500)
    for name, value in headers:
        if name != "Status":
            request.send_header(name, value)
    request.send_header("Content-Length", str(len(said)))
    request.end_headers()
    request.wfile.write(said)


def pieces(request: BaseHTTPRequestHandler) -> Iterator[bytes]:
    """The body, whether its length is told or it comes in chunks."""
    source: IO[bytes] = request.rfile
    if request.headers.get("Transfer-Encoding", "").lower() == "chunked":
        while size := int(source.readline().split(b";")[0], 16):
            yield source.read(size)
            source.readline()
        source.readline()
    elif length := int(request.headers.get("Content-Length") or 0):
        yield source.read(length)


def _environment(
    request: BaseHTTPRequestHandler, root: Path, path: str, query: str, who: str
) -> dict[str, str]:
    env = {
        "PATH": os.environ["PATH"],
        "GIT_PROJECT_ROOT": str(root),
        "GIT_HTTP_EXPORT_ALL": "1",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "PATH_INFO": path,
        "QUERY_STRING": query,
        "REQUEST_METHOD": request.command,
        "CONTENT_TYPE": request.headers.get("Content-Type", ""),
        "HTTP_CONTENT_ENCODING": request.headers.get("Content-Encoding", ""),
        "GIT_PROTOCOL": request.headers.get("Git-Protocol", ""),
        "REMOTE_USER": who,
        "REMOTE_ADDR": request.client_address[0],
        "GIT_COMMITTER_NAME": who,
        "GIT_COMMITTER_EMAIL": f"{who}@gitea.invalid",
        "GIT_CONFIG_COUNT": str(len(_CONFIG)),
    }
    for number, (name, value) in enumerate(_CONFIG.items()):
        env |= {f"GIT_CONFIG_KEY_{number}": name, f"GIT_CONFIG_VALUE_{number}": value}
    return env
