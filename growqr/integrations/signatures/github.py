"""GitHub: `X-Hub-Signature-256` over the body alone.

Neither time nor id are signed: whoever has seen one delivery can send it again under another id.
"""

from __future__ import annotations

from collections.abc import Mapping

from growqr.integrations.signatures.base import Claim, Refused, Scheme, identifier, only


class GitHub(Scheme):
    """One `sha256=` signature in hex; the id is `X-GitHub-Delivery`."""

    name = "github"

    def claim(self, headers: Mapping[str, str], body: bytes) -> Claim:
        """The body."""
        kind, _, signature = only(headers, "x-hub-signature-256").partition("=")
        if kind != "sha256":
            raise Refused("no_signature")
        return Claim(body, [signature], identifier(only(headers, "x-github-delivery")))


scheme = GitHub()
