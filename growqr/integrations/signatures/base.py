"""What every signature of a webhook has in common: one HMAC-SHA256, one comparison, one refusal.

Whatever is wrong, the sender sees the same 401; the reason goes to the log as a code.
"""

from __future__ import annotations

import hmac
import re
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import ClassVar, NamedTuple

from growqr.errors import Unauthorized
from growqr.logs import log

TOLERANCE = 300
"""Seconds a delivery's time may be away from ours, in both directions."""

REFUSED = "the signature of this webhook is missing, wrong or too old"

_log = log("integrations")
_MAX_HEADER, _MAX_SIGNATURES = 4096, 16
_VISIBLE = re.compile(r"[\x20-\x7e]+")
_TIME = re.compile(r"[0-9]{1,12}")
_ID = re.compile(r"[!-\-/-~]{1,256}")
"""Visible ASCII without the dot, which ends the id in what Standard Webhooks sign."""


class Delivery(NamedTuple):
    """A webhook whose signature was good.

    `id` and `timestamp` (seconds since 1970) are None where the provider's headers have none.
    """

    provider: str
    id: str | None
    timestamp: int | None


class Claim(NamedTuple):
    """What a request says of itself; nothing of it is believed before its signature is."""

    signed: bytes
    signatures: list[str]
    id: str | None = None
    timestamp: int | None = None


class Refused(Exception):
    """Why a delivery was not accepted: a code for the log, never for the sender."""


class Scheme(ABC):
    """One provider's way to sign; a leaf is a module with one `scheme`."""

    name: ClassVar[str]

    def verify(self, headers: Mapping[str, str], body: bytes, secret: str, now: float) -> Delivery:
        """The delivery these headers and this raw body make. `now`: seconds since 1970.

        Raises Unauthorized, always the same.
        """
        try:
            return self._verify(headers, body, secret, now)
        except Refused as refusal:
            _log.info("webhook refused", provider=self.name, reason=str(refusal))
        raise Unauthorized(REFUSED)

    def _verify(self, headers: Mapping[str, str], body: bytes, secret: str, now: float) -> Delivery:
        key = self.key(secret)
        if not key:
            raise Refused("no_secret")
        claim = self.claim(headers, body)
        if claim.timestamp is not None and not abs(now - claim.timestamp) <= TOLERANCE:
            raise Refused("too_old_or_early")
        if len(claim.signatures) > _MAX_SIGNATURES:
            raise Refused("too_many_signatures")
        good = self.written(self.digest(key, claim.signed)).encode()
        # All of them are compared: how long it takes says nothing about which one was near.
        if not sum(hmac.compare_digest(good, one.encode()) for one in claim.signatures):
            raise Refused("wrong_signature")
        return Delivery(self.name, claim.id, claim.timestamp)

    @abstractmethod
    def claim(self, headers: Mapping[str, str], body: bytes) -> Claim:
        """What is signed, and with which signatures. Raises Refused."""

    def key(self, secret: str) -> bytes:
        """The bytes to sign with; raises Refused for a secret that can be none."""
        try:
            return secret.encode()
        except UnicodeEncodeError:
            raise Refused("bad_secret") from None

    @staticmethod
    def digest(key: bytes, signed: bytes) -> bytes:
        """HMAC-SHA256."""
        return hmac.digest(key, signed, "sha256")

    def written(self, digest: bytes) -> str:
        """The digest as the provider writes it."""
        return digest.hex()


def only(headers: Mapping[str, str], name: str) -> str:
    """The header's one value, its name in any case. Raises Refused for none, several, absurd."""
    found = [value for key, value in headers.items() if key.lower() == name]
    if len(found) != 1:
        raise Refused("several_headers" if found else "no_header")
    if len(found[0]) > _MAX_HEADER or not _VISIBLE.fullmatch(found[0]):
        raise Refused("absurd_header")
    return found[0]


def seconds(text: str) -> int:
    """A time in whole seconds since 1970. Raises Refused for signs, fractions and giants."""
    if not _TIME.fullmatch(text):
        raise Refused("bad_time")
    return int(text)


def identifier(text: str) -> str:
    """The id of a delivery. Raises Refused for one that cannot be."""
    if not _ID.fullmatch(text):
        raise Refused("bad_id")
    return text
