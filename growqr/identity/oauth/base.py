"""What a provider is: somebody who says who a person is, and gives us tokens to act for them."""

from __future__ import annotations

import ipaddress
import re
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, Self
from urllib.parse import urlsplit

from growqr.config import Settings
from growqr.errors import GrowqrError, InstanceError

if TYPE_CHECKING:
    from growqr.identity.oauth.wire import Wire

DEAD = frozenset({"bad_refresh_token", "expired_token", "invalid_grant"})
"""Reasons of a refusal after which this grant will never work again."""

_LONGEST = 320
"""Characters of a name, a login or an address."""


class Tokens(NamedTuple):
    """What acts for a person. `expires_at`: seconds since 1970, None: it does not expire."""

    access: str
    refresh: str | None = None
    expires_at: float | None = None

    def __repr__(self) -> str:
        return f"Tokens(access=…, refresh=…, expires_at={self.expires_at})"


class Account(NamedTuple):
    """A person as the provider knows them. `email`: verified there, or None."""

    subject: str
    login: str
    name: str
    email: str | None
    scopes: tuple[str, ...]
    tokens: Tokens

    @property
    def expires_at(self) -> float | None:
        """When the access token expires, in seconds since 1970."""
        return self.tokens.expires_at


class Endpoints(NamedTuple):
    """Where the browser goes, and where codes become tokens."""

    authorize: str
    token: str


class Provider(ABC):
    """A leaf of this room. Raises BadRequest `oauth_refused`, or Unavailable, from every call."""

    name: ClassVar[str]
    title: ClassVar[str]
    """As people call it."""
    scopes: ClassVar[tuple[str, ...]]
    asking: ClassVar[dict[str, str]] = {}
    """What its page is told besides."""
    rotates: ClassVar[bool]
    """Whether a refresh token works once, and a new one comes with every renewal."""
    issuer: str | None = None
    """Its `iss`, where it has one."""

    def __init__(
        self, settings: Settings, client_id: str, secret: str, clock: Callable[[], float]
    ) -> None:
        """A leaf adds its addresses. `clock`: seconds since 1970."""
        self._client, self._clock = (client_id, secret), clock
        self._plain = False

    @classmethod
    def open(cls, settings: Settings, clock: Callable[[], float] = time.time) -> Self | None:
        """The provider as configured, None when its client id is not set. Raises InstanceError."""
        client_id = getattr(settings, f"{cls.name}_client_id")
        secret = getattr(settings, f"{cls.name}_client_secret")
        if not client_id:
            return None
        if not secret:
            variable = f"{cls.name.upper()}_CLIENT_"
            raise InstanceError(f"{variable}ID is set and {variable}SECRET is not; set both")
        return cls(settings, client_id, secret.get_secret_value(), clock)

    async def begin(self, redirect_uri: str, state: str, verifier: str) -> str:
        """Where the browser goes to be asked."""
        url = (await self.endpoints()).authorize
        asked = {"redirect_uri": redirect_uri, "scope": " ".join(self.scopes), **self.asking}
        async with self._exchange() as wire:
            return wire.authorize(url, state=state, verifier=verifier, **asked)

    async def finish(self, redirect_uri: str, code: str, verifier: str) -> Account:
        """Who came back with this code, and the tokens it was good for."""
        url, now = (await self.endpoints()).token, self._clock()
        shown = {"code": code, "redirect_uri": redirect_uri, "code_verifier": verifier}
        async with self._exchange() as wire:
            tokens, scope = await wire.redeem(url, now=now, **shown)
            scopes = self.scopes if scope is None else tuple(re.findall(r"[^\s,]+", scope[:2000]))
            return await self.account(wire, tokens, scopes)

    async def refresh(self, tokens: Tokens) -> Tokens:
        """Fresh ones; where the provider rotates, the former refresh token is used up."""
        url, now = (await self.endpoints()).token, self._clock()
        async with self._exchange() as wire:
            return await wire.renew(url, tokens, now=now)

    def refusal(self, error: str) -> GrowqrError:
        """What the `error` means that its page sent the browser back with."""
        from growqr.identity.oauth.wire import refused

        return refused(self.title, error)

    @abstractmethod
    async def endpoints(self) -> Endpoints:
        """Its addresses."""

    @abstractmethod
    async def account(self, wire: Wire, tokens: Tokens, scopes: tuple[str, ...]) -> Account:
        """Who `tokens` act for, asked on a wire that shows them."""

    def _exchange(self) -> AbstractAsyncContextManager[Wire]:
        from growqr.identity.oauth.wire import exchange  # half a second that others need not pay

        return exchange(self.title, *self._client, plain=self._plain)

    def _address(self, settings: Settings, field: str) -> str:
        """A configured address of its. Raises InstanceError unless it is https, or loopback."""
        url = str(getattr(settings, field)).rstrip("/")
        self._plain = self._plain or (settings.profile == "development" and _is_loopback(url))
        if not secure(url, self._plain):
            raise InstanceError(f"GROWQR_{field.upper()}={url!r} must be an https address")
        return url


def secure(url: str, plain: bool) -> bool:
    """Whether tokens may travel there: https, and where `plain` is allowed loopback too."""
    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError:
        return False
    if not host or parts.username is not None:
        return False
    return parts.scheme == "https" or (plain and _is_loopback(url))


def text_of(answer: Any, field: str) -> str:
    """A short text of an answer, in one line. Raises ValueError when it is none."""
    value = answer.get(field)
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f"no {field}")
    return re.sub(r"[\x00-\x1f\x7f]+", " ", value).strip()[:_LONGEST]


def _is_loopback(url: str) -> bool:
    parts = urlsplit(url)
    if parts.scheme != "http" or not parts.hostname:
        return False
    if parts.hostname == "localhost":
        return True
    try:
        return ipaddress.ip_address(parts.hostname).is_loopback
    except ValueError:
        return False
