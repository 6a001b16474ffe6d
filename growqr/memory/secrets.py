"""Keys and tokens are refused before they enter a history that keeps them for ever."""

from __future__ import annotations

import re
from typing import Final

from growqr.errors import Invalid

_KINDS: Final = {
    "an Anthropic key": r"sk-ant-[\w-]{6,}",
    "a growqr API key": r"\bgq_[A-Za-z0-9_-]{8,}",
    "a growqr gateway token": r"\bgqm\.\S+\.\d+\.[\w-]{8,}",
    "a GitHub token": r"\bgh[oprsu]_[A-Za-z0-9]{16,}|\bgithub_pat_\w{16,}",
    "a Slack token": r"\bxox[a-z]-[\w-]{8,}",
    "a webhook secret": r"\bwhsec_[\w+/=-]{8,}",
    "a private key": r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----",
    "an AWS key": r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b|(?i:aws_secret_access_key)\W{1,5}[\w+/]{30,}",
    "an OpenAI key": r"\bsk-(?:proj-)?[\w-]{32,}",
    "a Stripe key": r"\b[rs]k_(?:live|test)_\w{16,}",
    "a signed token (JWT)": r"\beyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{10,}",
}
_PATTERNS = {kind: re.compile(pattern) for kind, pattern in _KINDS.items()}


def refuse_secrets(*texts: str) -> None:
    """Raise Invalid that names the kind of secret found in one of the texts, never its value."""
    for kind, pattern in _PATTERNS.items():
        if any(pattern.search(text) for text in texts):
            raise Invalid(
                f"this holds what looks like {kind}; memory keeps every version for ever, "
                "so write where the secret is kept instead",
                {"kind": kind},
            )
