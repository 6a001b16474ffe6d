"""URLs that users name: how one must look before anything is asked of it."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from typing import Final, NoReturn

from yarl import URL

from growqr.errors import Invalid
from growqr.integrations.addresses import LOOPBACK, Network, is_allowed, is_public, read

HTTPS: Final = ("https",)
MAX_LENGTH: Final = 2_000

_START = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://([^/?#]*)")
_AUTHORITY = re.compile(r"(?:[^\s@:%\\\[\]]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?")
_LABEL = r"(?!-)[a-z0-9_-]{1,63}(?<!-)"
_NAME = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")
_NUMBER = re.compile(r"(?:.*\.)?(?:[0-9]+|0x[0-9a-f]*)\.?")
"""What systems may read as an IPv4 address: 2130706433, 0x7f.1, 0177.0.0.1, 127.1."""


def check_url(
    url: str,
    *,
    schemes: Collection[str] = HTTPS,
    allow_loopback: bool = False,
    field: str = "url",
) -> str:
    """The URL as it will be asked: host in ASCII, the rest quoted. Resolves no names.

    Raises Invalid, whose `detail` names the field and the reason. Nothing of the URL is in its
    message, since paths and queries of webhooks are secrets.
    """
    return str(parse(url, schemes, LOOPBACK if allow_loopback else (), field))


def parse(
    url: str, schemes: Collection[str] = HTTPS, allow: Iterable[Network] = (), field: str = "url"
) -> URL:
    """As `check_url`, in the form of the client that will ask: nobody parses the text again."""
    if len(url) > MAX_LENGTH:
        _refuse(field, "length", f"it is longer than {MAX_LENGTH:,} characters")
    if not url.isprintable() or " " in url or "\\" in url:
        _refuse(field, "characters", "it holds spaces, backslashes or control characters")
    start = _START.match(url)
    if start is None or start[1].lower() not in schemes:
        _refuse(field, "scheme", f"it must begin with {' or '.join(f'{s}://' for s in schemes)}")
    if "@" in start[2]:
        _refuse(field, "userinfo", "it holds a user name or password; give credentials apart")
    if not start[2]:
        _refuse(field, "host", "it names no host")
    if not _AUTHORITY.fullmatch(start[2]):
        _refuse(field, "host", "its host and port are not written like example.com:443")
    found = _read(url)
    if found is None:
        _refuse(field, "malformed", "its host or port is none")
    if not found.port:
        _refuse(field, "port", "its port must be one of 1 to 65535")
    _check_host(found.raw_host or "", tuple(allow), field)
    return found


def _read(url: str) -> URL | None:
    # Apart, so that no error of the parser, which may quote the URL, hangs on to ours.
    try:
        return URL(url)
    except ValueError:  # UnicodeError of IDNA is one
        return None


def _check_host(host: str, allow: tuple[Network, ...], field: str) -> None:
    if read(host) is not None:
        if not (is_public(host) or is_allowed(host, allow)):
            _refuse(field, "not_public", "its address is not on the public internet")
    elif _NUMBER.fullmatch(host):
        _refuse(field, "spelling", "its IPv4 address is not written like 192.0.2.1")
    elif len(host) > 253 or not _NAME.fullmatch(host):
        _refuse(field, "host", "its host is not a name like example.com")
    elif f".{host}".endswith(".localhost") and not is_allowed("127.0.0.1", allow):
        _refuse(field, "not_public", "its host is this machine")


def _refuse(field: str, reason: str, words: str) -> NoReturn:
    raise Invalid(f"this {field} is not allowed: {words}", {"field": field, "reason": reason})
