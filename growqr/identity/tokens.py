"""Tokens inside the instance: `gqm.<lease key>.<epoch>.<HMAC>`, derived and never stored.

Who receives one compares the epoch with the lease row, so an agent's token dies with its epoch.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re

from growqr.config import Settings
from growqr.directory import Fence
from growqr.errors import InstanceError, Unauthorized

_TOKEN = re.compile(r"gqm\.([A-Za-z0-9_:-]{1,200})\.(0|[1-9][0-9]{0,17})\.([A-Za-z0-9_-]{43})")


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


def read_token(secret: bytes, text: str) -> Fence:
    """The fence a token was made for. Raises Unauthorized for whatever is wrong with it.

    Says nothing about the present: the caller compares the epoch with the lease row.
    """
    parts = _TOKEN.fullmatch(text)
    if parts is None:
        raise Unauthorized("a token of an agent of this instance is required")
    fence = Fence(parts[1], int(parts[2]))
    if not hmac.compare_digest(agent_token(secret, fence), text):
        raise Unauthorized("a token of an agent of this instance is required")
    return fence
