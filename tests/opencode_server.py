"""The real OpenCode server of the pinned release, on a model server of the tests."""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
import subprocess
from pathlib import Path
from typing import Any

from growqr.config import Settings
from growqr.opencode import Server
from growqr.stacks import fetch_tools, find_tools

FLAGS = (
    "DISABLE_AUTOUPDATE", "DISABLE_MODELS_FETCH", "DISABLE_LSP_DOWNLOAD", "DISABLE_SHARE",
    "DISABLE_EMBEDDED_WEB_UI", "DISABLE_CLAUDE_CODE", "DISABLE_PROJECT_CONFIG", "PURE",
)  # fmt: skip
ASKS = {"*": "allow", "bash": {"*": "allow", "echo ask*": "ask"}, "external_directory": "ask"}


class OpenCodeServer:
    """`opencode serve` with a home of its own, which it finds again after a kill."""

    def __init__(self, folder: Path, model_url: str) -> None:
        settings = Settings()
        if settings.tools is None:  # fetched once for all runs of the tests
            settings = settings.model_copy(update={"tools": Path.home() / ".cache/growqr/tools"})
        assert fetch_tools(settings) == []
        tools = find_tools(settings)
        assert tools.opencode
        assert tools.rg
        self.work = folder / "work"
        self.work.mkdir()
        self._program, self._rg = tools.opencode, tools.rg
        self._home, self._model_url = folder, model_url
        self.start()

    def start(self) -> None:
        password = secrets.token_hex(8)
        env = {f"OPENCODE_{flag}": "1" for flag in FLAGS} | {
            "HOME": str(self._home),
            "PATH": f"{self._rg.parent}:{os.environ['PATH']}",
            "LANG": "C.UTF-8",
            "TERM": "dumb",
            "OPENCODE_SERVER_PASSWORD": password,
            "OPENCODE_CONFIG_CONTENT": json.dumps(self._config()),
        }
        self.process = subprocess.Popen(
            [self._program, "serve", "--hostname", "127.0.0.1", "--port", "0"],
            env=env, cwd=self.work, text=True, start_new_session=True,
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        assert self.process.stdout
        for line in self.process.stdout:
            if found := re.search(r"listening on (http://\S+)", line):
                self.at = Server(found[1], password)
                return
        raise AssertionError(f"opencode ended with {self.process.wait()} before it listened")

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()
        assert self.process.stdout
        self.process.stdout.close()

    def lose_home(self) -> None:
        """Made anew: what it knew is gone, the folder it works in is not."""
        self.kill()
        for entry in self._home.iterdir():
            if entry != self.work:
                shutil.rmtree(entry)
        self.start()

    def _config(self) -> dict[str, Any]:
        models = {"m": {"name": "m", "tool_call": True,
                        "limit": {"context": 128_000, "output": 8192}}}  # fmt: skip
        provider = {"npm": "@ai-sdk/openai-compatible", "name": "P", "models": models}
        provider["options"] = {"baseURL": self._model_url, "apiKey": "k"}
        return {
            "model": "p/m", "small_model": "p/m", "enabled_providers": ["p"],
            "provider": {"p": provider}, "permission": ASKS, "autoupdate": False,
            "share": "disabled", "lsp": False, "formatter": False,
        }  # fmt: skip
