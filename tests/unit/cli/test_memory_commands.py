"""memory ls|get|put|log|path and token."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from click.testing import Result

from growqr.errors import GrowqrError, InstanceError, Invalid
from tests.unit.cli.conftest import Wire

Run = Callable[..., Result]


def test_put_get_and_list(wire: Wire, growqr: Run, tmp_path: Path) -> None:
    source = tmp_path / "note.txt"
    source.write_text("on Friday\n")
    put = growqr("memory", "put", "notes/läunch day.md", str(source))
    assert (put.exit_code, put.stdout) == (0, f"{'c' * 40}  notes/läunch day.md\n")
    assert growqr("memory", "get", "notes/läunch day.md").stdout == "on Friday\n"
    growqr("memory", "put", "a.md", stdin="from stdin")
    assert wire.files["a.md"] == "from stdin"
    assert "10  cccccccc  a.md" in growqr("memory", "ls").stdout


def test_ls_reads_every_page(wire: Wire, growqr: Run) -> None:
    wire.files = {f"n{number}.md": "x" for number in range(5)} | {"other.md": ""}
    lines = growqr("memory", "ls", "n", "--json").stdout.splitlines()
    assert [json.loads(line)["path"] for line in lines] == [f"n{n}.md" for n in range(5)]


def test_log_shows_pending_writes(wire: Wire, growqr: Run) -> None:
    line = growqr("memory", "log", "a.md").stdout
    assert line.split() == ["pending", "2026-11-20T12:00:00", "ann", "Why"]


def test_a_missing_file_is_named(wire: Wire, growqr: Run) -> None:
    result = growqr("memory", "get", "none.md")
    assert isinstance(result.exception, GrowqrError)
    assert "none.md" in result.exception.message
    assert isinstance(growqr("memory", "put", "a.md", "/none").exception, Invalid)


def test_path_is_the_users_repository(growqr: Run, tmp_path: Path) -> None:
    missing = growqr("memory", "path", "--user", "alice")
    assert (missing.exit_code, "nothing has been committed" in missing.stderr) == (1, True)
    folder = tmp_path / "memory" / "u_alice.git"
    folder.mkdir(parents=True)
    found = growqr("memory", "path", "--user", "alice")
    assert (found.exit_code, found.stdout) == (0, f"{folder}\n")
    assert isinstance(growqr("memory", "path", "--user", "../x").exception, Invalid)


def test_path_of_another_machine_is_refused(wire: Wire, growqr: Run) -> None:
    assert isinstance(growqr("memory", "path").exception, InstanceError)


def test_token_is_alone_on_the_last_line(growqr: Run) -> None:
    result = growqr("token", "--user", "alice")
    assert result.exit_code == 0
    assert result.stdout.splitlines()[-1].count(".") == 2
    as_json = json.loads(growqr("token", "--json").stdout)
    assert (as_json["user"], as_json["expires_in"]) == ("owner", 43200)
