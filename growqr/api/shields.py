"""Headers by which a browser keeps others out of our pages, and our pages out of trouble."""

from __future__ import annotations

from typing import Final

from growqr.config import Settings

Header = tuple[bytes, bytes]

_NOTHING: Final = b"default-src 'none'; frame-ancestors 'none'"
COMMON: Final[tuple[Header, ...]] = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
)


class Shields:
    """What every answer carries; pages may load what is ours, and Clerk's where it is used."""

    def __init__(self, settings: Settings, hosts: tuple[str, ...] = ()) -> None:
        """hosts: origins of others that our pages may load scripts from and speak to."""
        others = "".join(f" {host}" for host in hosts)
        # Clerk's script keeps its clock in a worker that it makes itself.
        workers = "worker-src 'self' blob:; " if hosts else ""
        self._page = (workers + _policy(script=others, connect=others)).encode()
        lasting = ((b"strict-transport-security", b"max-age=31536000"),)
        self._common = COMMON + (lasting if settings.over_https else ())

    def headers(self, content_type: bytes, status: int = 200) -> list[Header]:
        """Those of an answer."""
        if status == 304:
            return [*self._common]  # a policy here would replace the one of the page that is kept
        policy = self._page if content_type.startswith(b"text/html") else _NOTHING
        return [*self._common, (b"content-security-policy", policy)]


def _policy(script: str = "", connect: str = "") -> str:
    return (
        f"default-src 'self'; script-src 'self'{script}; connect-src 'self'{connect}; "
        "img-src 'self' data:; style-src 'self' 'unsafe-inline'; "
        "frame-ancestors 'none'; object-src 'none'; base-uri 'none'; form-action 'self'"
    )
