"""Repositories that users name: which URLs and references git is given, and how it is started.

For whoever clones: `git GIT_SAFE… git_pins(url, await outside.resolve(url))… clone -- URL`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from yarl import URL

from growqr.errors import Invalid
from growqr.integrations.urls import check_url

_CONFIG = {
    "protocol.allow": "never",
    "protocol.https.allow": "always",
    "protocol.ext.allow": "never",
    "core.hooksPath": "/dev/null",
    "core.fsmonitor": "false",
    "core.protectHFS": "true",
    "core.protectNTFS": "true",
    "submodule.recurse": "false",
    "fetch.recurseSubmodules": "false",
    "transfer.fsckObjects": "true",
    "transfer.bundleURI": "false",
    "http.followRedirects": "false",  # this also closes alternates that the server names
    "http.proxy": "",
    "http.lowSpeedLimit": "1000",
    "http.lowSpeedTime": "30",
    "credential.helper": "",
}

GIT_SAFE: Final = tuple(
    part for name, value in _CONFIG.items() for part in ("-c", f"{name}={value}")
)
"""Arguments between `git` and its verb. Never clone with --recurse-submodules beside them; a work
tree may still hold symbolic links, so read and write it without following them."""

_NEVER = re.compile(
    r"[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{|//|(?:^|/)\.|\.(?:/|$)|\.lock(?:/|$)|^[/+-]|/$|^@$"
)


def check_repository(url: str) -> str:
    """The URL of a repository, as git is to be given it: https, a path, no query, no password.

    Raises Invalid. Its names are not resolved here: `Outside.resolve` and `git_pins` do that.
    """
    checked = URL(check_url(url, field="repository"))
    if checked.raw_path in ("", "/") or checked.raw_query_string or checked.raw_fragment:
        raise Invalid(
            "this repository is not allowed: write it like https://example.com/team/project.git",
            {"field": "repository", "reason": "path"},
        )
    return str(checked)


def check_ref(name: str) -> str:
    """The name of a branch, a tag or a full reference. Raises Invalid.

    The rules are those of git-check-ref-format; also printable, no dash or plus at the start,
    200 characters at most.
    """
    if not 0 < len(name) <= 200 or not name.isprintable() or _NEVER.search(name):
        raise Invalid(
            f"reference {name[:80]!r} is not allowed: write it like main or feature/login, without "
            "spaces, ~ ^ : ? * [ \\ .. @{ //, a dot at the start or end of a part, or .lock there",
            {"field": "ref"},
        )
    return name


def git_environment() -> dict[str, str]:
    """All of the environment that git is to see: nobody's configuration, passwords or proxies."""
    return {
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "HOME": "/nonexistent",  # else curl would read the password file of the service's user
        "LC_ALL": "C",
        "GIT_ALLOW_PROTOCOL": "https",
        "GIT_ASKPASS": "/bin/false",
        "GIT_CONFIG_GLOBAL": "/dev/null",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_PROTOCOL_FROM_USER": "0",
        "GIT_TERMINAL_PROMPT": "0",
    }


def git_pins(url: str, addresses: Iterable[str]) -> tuple[str, ...]:
    """Arguments that make git connect to these checked addresses, whatever the name says later.

    Needs git 2.37; an older one ignores them.
    """
    target = URL(url)
    found = ",".join(f"[{address}]" if ":" in address else address for address in addresses)
    return ("-c", f"http.curloptResolve={target.raw_host}:{target.port}:{found}")
