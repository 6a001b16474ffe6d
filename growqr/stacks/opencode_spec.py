"""What an OpenCode server is started with: its walls' openings, environment and configuration.

No vendor's key is inside: its models are our gateway, asked with a token bound to the generation.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any, NamedTuple

from growqr import names
from growqr.config import Settings
from growqr.errors import InstanceError
from growqr.instance.ports import Ports
from growqr.stacks.base import GATE, LISTEN, PORT, Health, Limits, ServiceSpec
from growqr.stacks.fetch import find_tools

ROLE = "opencode"
USER = "opencode"
"""User name of its Basic auth."""

MODEL = "growqr/default"
"""provider/model as OpenCode spells it; the gateway decides which model that is."""

_SYSTEM_PATH = ("/usr/local/bin", "/usr/bin", "/bin", "/usr/local/sbin", "/usr/sbin", "/sbin")
_HEADER_TIMEOUT, _CHUNK_TIMEOUT = 60_000, 90_000  # milliseconds; its own defaults are 300,000
_FLAGS = (
    "DISABLE_AUTOUPDATE", "DISABLE_MODELS_FETCH", "DISABLE_LSP_DOWNLOAD", "DISABLE_SHARE",
    "DISABLE_EMBEDDED_WEB_UI", "DISABLE_CLAUDE_CODE", "DISABLE_PROJECT_CONFIG", "PURE",
)  # fmt: skip


class Folders(NamedTuple):
    """A user's folders. `skills` is read-only for services: only we write there."""

    home: Path
    work: Path
    skills: Path


def folders(settings: Settings, user_id: str) -> Folders:
    """Where the user's services keep their things; nothing is made."""
    home = settings.home(user_id)
    return Folders(home, settings.workspace(user_id), home.with_name("skills"))


def opencode_spec(
    settings: Settings, user_id: str, generation: int, *, token: str, password: str
) -> ServiceSpec:
    """The user's OpenCode of this generation, as process or container as the settings say.

    token: shown to the gateway and to our MCP server. password: asked for by the server itself.
    Raises InstanceError when OpenCode or ripgrep is missing.
    """
    own = folders(settings, user_id)
    program, path, shown = _installed(settings)
    api = inner_url(settings)
    env = (
        _environment(own, path)
        | _git(settings, api, token)
        | {
            "OPENCODE_SERVER_USERNAME": USER,
            "OPENCODE_SERVER_PASSWORD": password,
            "OPENCODE_CONFIG_CONTENT": json.dumps(_config(settings, api, own, token)),
        }
    )
    return ServiceSpec(
        name=names.service(ROLE, user_id),
        user_id=user_id,
        role=ROLE,
        generation=generation,
        argv=(program, "serve", "--hostname", LISTEN, "--port", PORT,
              "--print-logs", "--log-level", "WARN"),
        env=env,
        home=own.home,
        workdir=own.work,
        read_only=(*shown, own.skills),
        ready_line="opencode server listening on",
        health=Health("/global/health", USER, password, major="1"),
        image=settings.opencode_image, limits=limits_of(settings),
    )  # fmt: skip


def inner_url(settings: Settings) -> str:
    """Where services reach api and gateway: from a container that is the relay's address."""
    if settings.runtime == "docker":
        return f"http://{GATE}:{Ports(settings.port)['relay']}"
    return settings.api_url


def limits_of(settings: Settings) -> Limits:
    """What one service may use, by the settings."""
    return Limits(settings.service_memory << 20, settings.service_cpus, settings.service_pids)


def _installed(settings: Settings) -> tuple[str, list[str], list[Path]]:
    """(program, folders for PATH, paths to show): a container has all of it in its image."""
    if settings.runtime == "docker":
        return "opencode", list(_SYSTEM_PATH), []
    tools = find_tools(settings)
    if tools.opencode is None or tools.rg is None:
        missing = " and ".join(tools.missing)
        raise InstanceError(f"{missing} not found: run `growqr up` with the npm registry in reach")
    return str(tools.opencode), *_programs(tools.opencode, tools.rg)


def _programs(opencode: Path, rg: Path) -> tuple[list[str], list[Path]]:
    """(folders for PATH, paths to show): the tools, and a Python where the system has none."""
    path, shown = [str(opencode.parent), str(rg.parent), *_SYSTEM_PATH], [opencode, rg]
    if not Path("/usr/bin/python3").exists():
        own = Path(sys.base_prefix)
        path.append(str(own / "bin"))
        shown.append(own)
    return list(dict.fromkeys(path)), shown


def _environment(own: Folders, path: list[str]) -> dict[str, str]:
    home = own.home
    return {
        "HOME": str(home),
        "XDG_CONFIG_HOME": str(home / ".config"),
        "XDG_DATA_HOME": str(home / ".local/share"),
        "XDG_STATE_HOME": str(home / ".local/state"),
        "XDG_CACHE_HOME": str(home / ".cache"),
        "PATH": ":".join(path),
        "LANG": "C.UTF-8",
        "TERM": "dumb",
        **{f"OPENCODE_{flag}": "1" for flag in _FLAGS},
    }


def _git(settings: Settings, api: str, token: str) -> dict[str, str]:
    """git clones and pushes the user's own project repositories without being asked for a name.

    In a container it finds them at the relay, whatever address their clone URL has outside.
    """
    options = {
        f"http.{api}/git/.extraHeader": f"Authorization: Bearer {token}",
        f"url.{api}/git/.insteadOf": f"{settings.api_url}/git/",
        "user.name": "growqr sub-agent",
        "user.email": "sub-agent@growqr.invalid",
        "init.defaultBranch": "main",
    }
    env = {"GIT_CONFIG_COUNT": str(len(options)), "GIT_TERMINAL_PROMPT": "0"}
    for number, (name, value) in enumerate(options.items()):
        env |= {f"GIT_CONFIG_KEY_{number}": name, f"GIT_CONFIG_VALUE_{number}": value}
    return env


def _config(settings: Settings, api: str, own: Folders, token: str) -> dict[str, Any]:
    provider = {
        "npm": "@ai-sdk/openai-compatible",  # bundled; another name would start an npm install
        "name": "growqr",
        "options": {
            "baseURL": f"{api}/gateway/openai/v1",
            "apiKey": token,
            "headerTimeout": _HEADER_TIMEOUT,
            "chunkTimeout": _CHUNK_TIMEOUT,
        },
        "models": {"default": {
            "name": "default", "tool_call": True,
            "limit": {"context": 128_000, "output": settings.llm_max_tokens},
        }},
    }  # fmt: skip
    mcp = {
        "type": "remote",
        "url": f"{api}/mcp",
        "headers": {"Authorization": f"Bearer {token}"},
        "oauth": False,
        "enabled": True,
    }
    return {
        "model": MODEL, "small_model": MODEL, "enabled_providers": ["growqr"],
        "provider": {"growqr": provider}, "mcp": {"growqr": mcp},
        "skills": {"paths": [str(own.skills)]},
        "autoupdate": False, "share": "disabled", "snapshot": True, "lsp": False,
        "formatter": False,
        # Nothing in the server times out a question, so whatever would ask is refused.
        "permission": {"*": "allow", "question": "deny", "external_directory": "deny",
                       "doom_loop": "deny"},
    }  # fmt: skip
