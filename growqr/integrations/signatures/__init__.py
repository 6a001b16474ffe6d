"""Signatures of webhooks. One leaf a provider: a module here with one `scheme`.

base.py      Scheme: what is common; Delivery: what a good signature proves
standard.py  Standard Webhooks, also for signing what we send      github.py
slack.py     stripe.py
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping
from functools import cache

from growqr.errors import NotFound
from growqr.integrations.signatures import standard
from growqr.integrations.signatures.base import REFUSED, TOLERANCE, Delivery, Scheme

__all__ = ["REFUSED", "TOLERANCE", "Delivery", "Scheme", "schemes", "sign", "verify"]


@cache
def schemes() -> Mapping[str, Scheme]:
    """Every scheme by its provider's name. Raises ValueError when two have the same."""
    found: dict[str, Scheme] = {}
    for module in pkgutil.iter_modules(__path__):
        if module.name == "base":
            continue
        scheme: Scheme = importlib.import_module(f"{__name__}.{module.name}").scheme
        if found.setdefault(scheme.name, scheme) is not scheme:
            raise ValueError(f"two schemes are named {scheme.name}: rename one in {module.name}")
    return found


def verify(
    provider: str, headers: Mapping[str, str], body: bytes, secret: str, now: float
) -> Delivery:
    """What the request proves to be, by the raw bytes of its body. `now`: seconds since 1970.

    Raises Unauthorized, always the same, and NotFound for a provider that has no scheme.
    """
    if provider not in schemes():
        known = ", ".join(sorted(schemes()))
        raise NotFound(f"no provider {provider[:40]!r} signs webhooks here; known: {known}")
    return schemes()[provider].verify(headers, body, secret, now)


def sign(delivery: str, timestamp: int, body: bytes, secret: str) -> dict[str, str]:
    """The headers of an outgoing webhook, by Standard Webhooks. Raises Invalid."""
    return standard.scheme.sign(delivery, timestamp, body, secret)
