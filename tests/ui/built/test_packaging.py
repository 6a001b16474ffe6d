"""The pages are built by npm where there is npm; without it all else works, and says so."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
SOURCES = ("pyproject.toml", "hatch_build.py", "README.md", "LICENSE", "schema.sql")


@pytest.fixture
def no_npm(tmp_path: Path) -> dict[str, str]:
    """An environment in which Node.js was never installed."""
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in ("sh", "python3", "git", "find", "touch"):
        if found := shutil.which(name):
            (programs / name).symlink_to(found)
    return {"PATH": str(programs), "HOME": os.environ["HOME"]}


def run(env: dict[str, str], *words: str, at: Path = ROOT) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        words, cwd=at, env=env, capture_output=True, text=True, timeout=120, check=False
    )


def wheel(env: dict[str, str], to: Path, at: Path = ROOT) -> subprocess.CompletedProcess[str]:
    return run(env, sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(to), at=at)


def test_make_up_says_in_one_line_that_there_are_no_pages(no_npm: dict[str, str], tmp_path: Path):
    up = tmp_path / "bin" / "growqr"
    up.write_text("#!/bin/sh\necho started: growqr $1\n")
    up.chmod(0o755)
    given = [f"BIN={up.parent}", f"PAGES={tmp_path}/none", f"STAMP={up}"]
    done = run(no_npm, shutil.which("make") or "make", "--silent", *given, "up")
    assert done.returncode == 0, done.stderr
    told, started = done.stdout.splitlines()
    assert "the web interface is not built, there is no npm" in told
    assert "all else works" in told
    assert started == "started: growqr up"


@pytest.mark.usefixtures("built")
def test_a_wheel_with_pages_needs_no_npm(no_npm: dict[str, str], tmp_path: Path):
    done = wheel(no_npm, tmp_path)
    assert done.returncode == 0, done.stderr
    [made] = tmp_path.glob("*.whl")
    with zipfile.ZipFile(made) as packed:
        names = packed.namelist()
        assert "growqr/_web/index.html" in names
        page = packed.read("growqr/_web/index.html").decode()
    script = page.partition('src="/')[2].partition('"')[0]
    assert f"growqr/_web/{script}" in names


def test_a_wheel_without_pages_is_refused_in_words(no_npm: dict[str, str], tmp_path: Path):
    bare = tmp_path / "bare"
    (bare / "growqr").mkdir(parents=True)
    (bare / "growqr/__init__.py").touch()
    for name in SOURCES:
        shutil.copy(ROOT / name, bare)
    done = wheel(no_npm, tmp_path, bare)
    assert done.returncode != 0
    assert "Node.js 20.19 or later, or set GROWQR_SKIP_WEB=1" in done.stderr
