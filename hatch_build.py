"""The web interface is built into the package: by npm where there is npm, else it must be there."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

SECONDS = 900


class WebBuildHook(BuildHookInterface):  # type: ignore[type-arg]  # hatchling's, untyped at build
    """Fills `growqr/_web`. An unpacked sdist brings it along and needs no npm."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build, unless it is an editable install or GROWQR_SKIP_WEB=1. Raises RuntimeError."""
        root = Path(self.root)
        built = (root / "growqr/_web/index.html").is_file()
        if version == "editable" or os.environ.get("GROWQR_SKIP_WEB") == "1":
            return
        if built and (root / "PKG-INFO").is_file():
            return
        npm = shutil.which("npm")
        if npm is None and built:
            self.app.display_warning("no npm: the web interface goes in as it was built last")
            return
        if npm is None:
            raise RuntimeError(
                "the web interface is not built, and there is no npm to build it: install "
                "Node.js 20.19 or later, or set GROWQR_SKIP_WEB=1 to go without"
            )
        build(npm, root / "web")


def build(npm: str, web: Path) -> None:
    """`npm ci` where nothing is installed, then the build. Raises RuntimeError."""
    steps = [] if (web / "node_modules").is_dir() else [[npm, "ci", "--loglevel=error"]]
    for step in [*steps, [npm, "run", "build"]]:
        done = subprocess.run(
            step, cwd=web, timeout=SECONDS, check=False, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        if done.returncode:
            raise RuntimeError(f"`npm {' '.join(step[1:])}` failed in web/:\n{done.stdout[-4000:]}")
