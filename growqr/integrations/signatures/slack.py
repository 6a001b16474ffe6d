"""Slack: `v0:time:body`. Its ids are in the body (`event_id`), and only for some kinds of it."""

from __future__ import annotations

from collections.abc import Mapping

from growqr.integrations.signatures.base import Claim, Refused, Scheme, only, seconds


class Slack(Scheme):
    """One `v0=` signature in hex in `X-Slack-Signature`."""

    name = "slack"

    def claim(self, headers: Mapping[str, str], body: bytes) -> Claim:
        """Version, time and body, joined by colons."""
        time = only(headers, "x-slack-request-timestamp")
        version, _, signature = only(headers, "x-slack-signature").partition("=")
        if version != "v0":
            raise Refused("no_signature")
        return Claim(f"v0:{time}:".encode() + body, [signature], None, seconds(time))


scheme = Slack()
