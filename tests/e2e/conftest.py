"""The product as a user meets it: a copy of the checkout, an empty environment."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


INSTALLERS = ("PIP_", "UV_", "SSL_CERT", "HTTP", "http", "NO_PROXY", "no_proxy")
"""How this machine reaches its package index is no part of the product's environment."""


class Checkout:
    """A fresh copy of the repository's files, and a shell in it that knows nothing else."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        installers = {k: v for k, v in os.environ.items() if k.startswith(INSTALLERS)}
        self.env = installers | {
            "PATH": os.environ["PATH"],
            "HOME": os.environ["HOME"],
            "LANG": "C.UTF-8",
            "GROWQR_PORT": "0",  # beside whatever runs on this machine
        }

    def sh(self, line: str, seconds: float = 300) -> subprocess.CompletedProcess[str]:
        """Run one line of bash in the checkout; standard error joins the output."""
        return subprocess.run(
            ["bash", "-c", line],
            cwd=self.folder,
            env=self.env,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=seconds,
            check=False,
        )

    def growqr(self, words: str, seconds: float = 300) -> subprocess.CompletedProcess[str]:
        """`growqr …` of the checkout's own environment."""
        return self.sh(f"make --silent setup && .venv/bin/growqr {words}", seconds)


@pytest.fixture(scope="session")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Checkout]:
    folder = tmp_path_factory.mktemp("e") / "growqr"
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    ).stdout
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    made = Checkout(folder)
    yield made
    made.growqr("down", 120)
