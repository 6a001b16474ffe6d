"""Which pages may speak for a signed-in browser, whose cookie comes along by itself."""

from __future__ import annotations

from typing import Any

from starlette.requests import HTTPConnection

from growqr.config import Settings
from growqr.errors import Forbidden
from growqr.identity import origin_of

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


def check_origin(settings: Settings, connection: HTTPConnection, method: str) -> None:
    """Raises Forbidden unless the request comes from a page of ours.

    Browsers name the origin with everything but plain reads of the same site: a write without
    one comes from no browser, and has no business with a cookie.
    """
    origin = connection.headers.get("origin")
    if origin is None and method in SAFE:
        return
    if origin not in allowed_origins(settings, connection):
        raise Forbidden(
            "this page may not speak for a signed-in browser; GROWQR_PUBLIC_URL and FRONTEND_URL "
            "name those that may",
            {"rule": "origin"},
        )


def allowed_origins(settings: Settings, connection: HTTPConnection) -> frozenset[str]:
    """The configured ones; without a public address, the one that was asked."""
    named = [url for url in (settings.public_url, settings.frontend_url) if url]
    origins = {origin_of(url) for url in named}
    if settings.public_url is None and (host := connection.headers.get("host")):
        origins |= {f"http://{host}", f"https://{host}"}
    return frozenset(origins)


def cross_origin(frontend_url: str) -> dict[str, Any]:
    """Options of the CORS middleware: one origin by name, never any."""
    return {
        "allow_origins": [origin_of(frontend_url)],
        "allow_credentials": True,
        "allow_methods": ["GET", "POST", "PUT", "PATCH", "DELETE"],
        "allow_headers": ["Authorization", "Content-Type", "Idempotency-Key", "Last-Event-ID"],
        "expose_headers": ["X-Request-Id", "Retry-After", "RateLimit", "RateLimit-Policy"],
        "max_age": 600,
    }
