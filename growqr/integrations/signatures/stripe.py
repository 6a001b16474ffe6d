"""Stripe: `Stripe-Signature: t=…,v1=…`. The id of its event is in the body (`id`)."""

from __future__ import annotations

from collections.abc import Mapping

from growqr.integrations.signatures.base import Claim, Refused, Scheme, only, seconds


class Stripe(Scheme):
    """Several `v1` signatures in hex while a secret is changed; other versions do not count."""

    name = "stripe"

    def claim(self, headers: Mapping[str, str], body: bytes) -> Claim:
        """Time and body, joined by a dot."""
        parts = [part.partition("=") for part in only(headers, "stripe-signature").split(",")]
        times = [value for name, _, value in parts if name == "t"]
        if len(times) != 1:
            raise Refused("several_times" if times else "no_time")
        signatures = [value for name, _, value in parts if name == "v1"]
        return Claim(f"{times[0]}.".encode() + body, signatures, None, seconds(times[0]))


scheme = Stripe()
