"""What an issuer publishes: its keys, and the document that says where they are.

Only from exactly the address that is configured or discovered: https, no redirect, 64 KB at most.
"""

from __future__ import annotations

import asyncio
import base64
import ipaddress
import json
import logging
import re
from typing import Any
from urllib.parse import urlsplit

import aiohttp
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicNumbers

from growqr.identity.jwt import ALGORITHM, PublicKey, public_key

log = logging.getLogger(__name__)

MAX_BYTES = 64 * 1024

_NUMBER = re.compile(r"[A-Za-z0-9_-]{1,1400}={0,2}")


async def published(url: str, *, production: bool) -> dict[str, PublicKey]:
    """The keys at a JWKS address. Raises ValueError, OSError or an error of aiohttp."""
    return read_keys(await _document(url, production=production))


async def discovered(issuer: str, *, production: bool) -> dict[str, PublicKey]:
    """The keys that the issuer's discovery document leads to. Raises as `published`."""
    url = issuer.rstrip("/") + "/.well-known/openid-configuration"
    found = await _document(url, production=production)
    if not isinstance(found, dict) or found.get("issuer") != issuer:
        raise ValueError(f"{url} is of another issuer")
    return await published(str(found.get("jwks_uri")), production=production)


def read_keys(document: Any) -> dict[str, PublicKey]:
    """The RSA keys for signatures in a JWKS; others are passed over. Raises ValueError: none."""
    listed = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(listed, list):
        raise ValueError("this is no JWKS: it has no list of keys")
    found: dict[str, PublicKey] = {}
    for entry in listed:
        try:
            kid, key = _read_key(entry)
        except ValueError as error:
            log.info("a published key is passed over: %s", error)
        else:
            found.setdefault(kid, key)
    if not found:
        raise ValueError("the JWKS has no RSA key of 2048 bits or more for RS256")
    return found


def _read_key(entry: Any) -> tuple[str, PublicKey]:
    if not isinstance(entry, dict) or entry.get("kty") != "RSA":
        raise ValueError("it is no RSA key")
    if entry.get("use", "sig") != "sig" or entry.get("alg", ALGORITHM) != ALGORITHM:
        raise ValueError("it is not for RS256 signatures")
    kid = entry.get("kid")
    if not isinstance(kid, str) or not 0 < len(kid) <= 128:
        raise ValueError("it has no id")
    numbers = RSAPublicNumbers(_number(entry.get("e")), _number(entry.get("n")))
    return kid, public_key(numbers.public_key())


def _number(text: Any) -> int:
    if not isinstance(text, str) or not _NUMBER.fullmatch(text):
        raise ValueError("its numbers are not in base64url")
    text = text.rstrip("=")
    return int.from_bytes(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))


async def _document(url: str, *, production: bool) -> Any:
    """JSON of at most 64 KB, from exactly that address."""
    check_url(url, production=production)
    async with (
        aiohttp.ClientSession(trust_env=not is_loopback(url), auto_decompress=False) as session,
        session.get(
            url, allow_redirects=False, headers={"Accept-Encoding": "identity"}
        ) as reply,
    ):  # fmt: skip
        if reply.status != 200:
            raise ValueError(f"{url} answered {reply.status}")
        try:
            await reply.content.readexactly(MAX_BYTES + 1)
        except asyncio.IncompleteReadError as end:
            return json.loads(end.partial)
    raise ValueError(f"{url} answered more than {MAX_BYTES} bytes")


def check_url(url: str, *, production: bool) -> None:
    """Raises ValueError unless it is https, or http to this machine outside production."""
    parts = urlsplit(url)
    if parts.username or not parts.hostname or parts.scheme not in ("https", "http"):
        raise ValueError(f"{url!r} must be an address of the form https://host/path")
    if parts.scheme == "http" and (production or not is_loopback(url)):
        raise ValueError(f"{url!r} must begin with https://")


def is_loopback(url: str) -> bool:
    """Whether the address names this machine: localhost, 127.0.0.0/8 or ::1."""
    host = urlsplit(url).hostname or ""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
