"""Standard Webhooks: what others send us by that convention, and what we send ourselves."""

from __future__ import annotations

import binascii
from base64 import b64decode, b64encode
from collections.abc import Mapping

from growqr.errors import Invalid
from growqr.integrations.signatures.base import (
    Claim,
    Refused,
    Scheme,
    identifier,
    only,
    seconds,
)

_LEAST_KEY = 16
"""Bytes; the convention asks for 24, and shorter ones than this could be guessed."""


class Standard(Scheme):
    """`webhook-id`, `webhook-timestamp`, and `webhook-signature` with `v1,` signatures in it."""

    name = "standard"

    def claim(self, headers: Mapping[str, str], body: bytes) -> Claim:
        """The id, the time and the body, joined by dots."""
        delivery = identifier(only(headers, "webhook-id"))
        time = only(headers, "webhook-timestamp")
        given = only(headers, "webhook-signature").split(" ")
        signatures = [text[3:] for text in given if text.startswith("v1,")]
        return Claim(_signed(delivery, time, body), signatures, delivery, seconds(time))

    def key(self, secret: str) -> bytes:
        """What stands in base64 after `whsec_`."""
        try:
            key = b64decode(secret.removeprefix("whsec_"), validate=True)
        except (binascii.Error, ValueError):
            raise Refused("bad_secret") from None
        if len(key) < _LEAST_KEY:
            raise Refused("short_secret" if key else "no_secret")
        return key

    def written(self, digest: bytes) -> str:
        """Base64."""
        return b64encode(digest).decode()

    def sign(self, delivery: str, timestamp: int, body: bytes, secret: str) -> dict[str, str]:
        """The three headers of an outgoing webhook. `timestamp`: seconds since 1970.

        Raises Invalid for an id, a time or a secret that no receiver would take.
        """
        try:
            identifier(delivery)
            seconds(str(timestamp))
            key = self.key(secret)
        except Refused as refusal:
            raise Invalid(f"this webhook cannot be signed: {refusal}") from None
        digest = self.digest(key, _signed(delivery, str(timestamp), body))
        return {
            "webhook-id": delivery,
            "webhook-timestamp": str(timestamp),
            "webhook-signature": f"v1,{self.written(digest)}",
        }


def _signed(delivery: str, time: str, body: bytes) -> bytes:
    return f"{delivery}.{time}.".encode() + body


scheme = Standard()
