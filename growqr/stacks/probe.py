"""Does a service answer? One short question on a fresh connection each time.

OpenCode never answers a connection that came in the moment between its bind and its readiness,
so a kept connection would wait for ever where a new one is served at once.
"""

from __future__ import annotations

import asyncio
import json
import socket
from base64 import b64encode
from typing import Any

import aiohttp

from growqr.stacks.base import Health

TIMEOUT = 1.0
"""Seconds one question may take."""

REACH = 3.0
"""Seconds after which an address that says nothing counts as out of reach."""

_TIMEOUT = aiohttp.ClientTimeout(total=TIMEOUT)


class WrongVersion(Exception):
    """The service works but is not one we can talk to; its text says which version it is."""


def free_port() -> int:
    """A port that nobody listens on now; whoever binds it later may still be too late."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def basic_auth(user: str, password: str) -> dict[str, str]:
    """The header that shows a password."""
    return {"Authorization": "Basic " + b64encode(f"{user}:{password}".encode()).decode()}


async def answers(address: str, health: Health) -> bool:
    """Whether the service at `address` (http://HOST:PORT) answers as it should.

    Raises WrongVersion. Without a password to show, a refusal (401) proves life as well.
    """
    headers = basic_auth(health.user, health.password) if health.password else {}
    url = f"{address}{health.path}"
    try:
        async with (
            aiohttp.ClientSession(timeout=_TIMEOUT, trust_env=False) as session,
            # Whatever runs there may send us on to where only we can go.
            session.get(url, headers=headers, allow_redirects=False) as reply,
        ):
            if not headers and health.major is None:
                return reply.status < 500
            if reply.status != 200:
                return False
            body = await reply.content.read(65536)
    except (aiohttp.ClientError, OSError, TimeoutError):
        return False
    return health.major is None or _has_major(body, health.major)


def _has_major(body: bytes, major: str) -> bool:
    try:
        told: Any = json.loads(body)
        version = str(told["version"])[:40]
    except (ValueError, TypeError, KeyError, RecursionError):
        return False
    if version.partition(".")[0] != major:
        raise WrongVersion(f"it is version {version}; growqr speaks to {major}.x")
    return True


async def reaches(address: str) -> bool:
    """Whether the machine at `address` (http://HOST:PORT) can be reached from here at all.

    A refusal proves it as well as an answer; silence does not.
    """
    host, _, port = address.removeprefix("http://").rpartition(":")
    try:
        async with asyncio.timeout(REACH):
            _, writer = await asyncio.open_connection(host, int(port))
    except ConnectionRefusedError:
        return True
    except (OSError, TimeoutError):
        return False
    writer.close()
    return True
