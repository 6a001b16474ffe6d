"""Tokens inside the instance: `gqm.<subject>.<n>.<HMAC>`, derived and never stored.

An agent's subject is its lease key and n its epoch; a stack's are `stack:<user>:<role>` and its
generation. Who receives one compares n with the row, so a token dies with its epoch or generation.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from typing import NamedTuple

from growqr import names
from growqr.config import Settings
from growqr.directory import Fence
from growqr.errors import InstanceError, Unauthorized

_TOKEN = re.compile(r"gqm\.([A-Za-z0-9_:-]{1,200})\.(0|[1-9][0-9]{0,17})\.([A-Za-z0-9_-]{43})")


class Bearer(NamedTuple):
    """A service of a user's stack, as its token names it."""

    user_id: str
    role: str
    generation: int


def instance_secret(settings: Settings) -> bytes:
    """The 32 bytes every inside token is derived from. Raises InstanceError when unreadable."""
    path = settings.secrets / "instance.key"
    try:
        secret = bytes.fromhex(path.read_text().strip())
    except (OSError, ValueError) as error:
        raise InstanceError(
            f"cannot read the instance's secret {path}: {error}; run `growqr up`"
        ) from None
    if len(secret) != 32:
        raise InstanceError(f"{path} must hold 32 bytes in hex; remove it and run `growqr up`")
    return secret


def agent_token(secret: bytes, fence: Fence) -> str:
    """What the owner of `fence` shows to the gateway."""
    subject = f"gqm.{fence.key}.{fence.epoch}"
    digest = hmac.new(secret, subject.encode(), hashlib.sha256).digest()
    return f"{subject}.{base64.urlsafe_b64encode(digest).rstrip(b'=').decode()}"


def stack_token(secret: bytes, user_id: str, role: str, generation: int) -> str:
    """What a service of this generation shows to the gateway and to `/mcp`."""
    return agent_token(secret, Fence(names.stack_bearer(user_id, role), generation))


def service_password(secret: bytes, user_id: str, role: str, generation: int) -> str:
    """What we show to a service of this generation: 64 hex digits, no token of any kind."""
    subject = f"service-password\n{user_id}\n{role}\n{generation}"
    return hmac.new(secret, subject.encode(), hashlib.sha256).hexdigest()


def read_token(secret: bytes, text: str) -> Fence:
    """The (subject, n) a token was made for. Raises Unauthorized for whatever is wrong with it.

    Says nothing about the present: the caller compares n with the row of the lease or service.
    """
    parts = _TOKEN.fullmatch(text)
    if parts is None:
        raise Unauthorized("a token of this instance is required")
    fence = Fence(parts[1], int(parts[2]))
    if not hmac.compare_digest(agent_token(secret, fence), text):
        raise Unauthorized("a token of this instance is required")
    return fence


def stack_of(fence: Fence) -> Bearer | None:
    """The service a token's subject stands for, None when it is an agent's."""
    found = names.service_of(fence.key)
    return Bearer(*found, fence.epoch) if found else None
