"""Keys and tokens are refused before they enter a history that keeps them for ever."""

from __future__ import annotations

from growqr.errors import Invalid
from growqr.redaction import KINDS


def refuse_secrets(*texts: str) -> None:
    """Raise Invalid that names the kind of secret found in one of the texts, never its value."""
    for kind, form in KINDS.items():
        if any(form.pattern.search(text) for text in texts):
            raise Invalid(
                f"this holds what looks like {kind}; memory keeps every version for ever, "
                "so write where the secret is kept instead",
                {"kind": kind},
            )
