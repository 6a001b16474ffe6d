"""Programs from a registry: only what it vouches for is put in place, and in one step."""

from __future__ import annotations

import base64
import hashlib
import http.server
import io
import json
import tarfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from growqr.config import Settings, load
from growqr.errors import InstanceError
from growqr.stacks import fetch_tools, find_tools
from growqr.stacks.fetch import Package, fetch

PROGRAM = b"#!/bin/sh\necho 1.18.33\n"
TOOL = Package("@scope/tool-linux-x64", "1.18.33", "tool")


def tarball(members: dict[str, bytes]) -> bytes:
    held = io.BytesIO()
    with tarfile.open(fileobj=held, mode="w:gz") as tar:
        for name, content in members.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    return held.getvalue()


@dataclass
class Registry:
    """A registry on loopback that may lie, break off, or be asked too often."""

    url: str = ""
    archive: bytes = field(default_factory=lambda: tarball({"package/bin/tool": PROGRAM}))
    vouched: bytes | None = None
    cut: bool = False
    asked: list[str] = field(default_factory=list)

    def packument(self) -> bytes:
        digest = hashlib.sha512(self.vouched or self.archive).digest()
        dist = {
            "tarball": f"{self.url}/tool.tgz",
            "integrity": f"sha512-{base64.b64encode(digest).decode()}",
        }
        return json.dumps({"versions": {"1.18.33": {"dist": dist}}}).encode()


@pytest.fixture
def registry() -> Iterator[Registry]:
    told = Registry()

    class Answer(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            told.asked.append(self.path)
            known = {"/@scope%2ftool-linux-x64": told.packument(), "/tool.tgz": told.archive}
            body = known.get(self.path)
            self.send_response(200 if body else 404)
            self.send_header("Content-Length", str(len(body or b"")))
            self.end_headers()
            self.wfile.write(body[: len(body) // 2] if body and told.cut else body or b"")

        def log_message(self, *_: object) -> None:
            return

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answer) as server:
        told.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield told
        server.shutdown()
        thread.join()


def left(tools: Path) -> list[str]:
    return sorted(str(path.relative_to(tools)) for path in tools.rglob("*") if path.is_file())


def test_a_program_is_put_in_place(registry: Registry, tmp_path: Path) -> None:
    path = fetch(TOOL, registry.url + "/", tmp_path)

    assert path.read_bytes() == PROGRAM
    assert path.stat().st_mode & 0o777 == 0o755
    assert left(tmp_path) == ["tool-1.18.33/tool"]


def test_another_content_than_vouched_for_is_refused(registry: Registry, tmp_path: Path) -> None:
    registry.vouched = b"something else"

    with pytest.raises(InstanceError, match=r"tool-linux-x64 1\.18\.33 .*another sha512"):
        fetch(TOOL, registry.url, tmp_path)
    assert left(tmp_path) == []


def test_what_broke_off_is_had_by_the_next_try(registry: Registry, tmp_path: Path) -> None:
    registry.cut = True
    with pytest.raises(InstanceError):
        fetch(TOOL, registry.url, tmp_path)
    assert left(tmp_path) == []

    registry.cut = False
    assert fetch(TOOL, registry.url, tmp_path).exists()


@pytest.mark.parametrize(
    "members",
    [{"package/bin/other": b""}, {"package/../package/bin/tool": b"x", "/package/bin/tool": b"x"}],
)
def test_only_the_one_named_file_is_taken(
    registry: Registry, tmp_path: Path, members: dict[str, bytes]
) -> None:
    registry.archive = tarball(members)

    with pytest.raises(InstanceError, match="holds no package/bin/tool"):
        fetch(TOOL, registry.url, tmp_path)


def test_an_unknown_version_and_a_dead_registry_are_named(
    registry: Registry, tmp_path: Path
) -> None:
    with pytest.raises(InstanceError, match="cannot fetch @scope/tool-linux-x64 2"):
        fetch(Package(TOOL.name, "2.0.0", "tool"), registry.url, tmp_path)
    with pytest.raises(InstanceError, match=r"from http://127\.0\.0\.1:9: "):
        fetch(TOOL, "http://127.0.0.1:9", tmp_path)


def settings(tmp_path: Path, **changes: object) -> Settings:
    plain = load(data=tmp_path / "data", database_url=None)
    return plain.model_copy(update={"tools": None, "opencode_bin": None, **changes})


def test_a_chosen_program_is_used_and_nothing_is_fetched_for_it(
    registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("opencode", "rg"):
        (tmp_path / name).write_bytes(PROGRAM)
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    chosen = settings(tmp_path, opencode_bin=tmp_path / "opencode", npm_registry=registry.url)

    assert fetch_tools(chosen) == []
    assert find_tools(chosen).opencode == tmp_path / "opencode"
    assert find_tools(chosen).missing == []
    assert registry.asked == []


def test_what_cannot_be_had_is_said_for_each_program(
    registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    bare = settings(tmp_path, npm_registry=registry.url)

    problems = fetch_tools(bare)

    assert [problem.partition(" from")[0].split("-")[0] for problem in problems] == [
        "cannot fetch opencode", "cannot fetch @vscode/ripgrep",
    ]  # fmt: skip
    assert all("404" in problem for problem in problems)
    assert find_tools(bare).missing == ["opencode", "rg"]
    wrong = settings(tmp_path, opencode_bin=tmp_path / "none", npm_registry=registry.url)
    assert "GROWQR_OPENCODE_BIN" in fetch_tools(wrong)[0]
