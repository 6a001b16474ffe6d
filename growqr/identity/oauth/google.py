"""Google, or any issuer that answers like it: its discovery document names the rest."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from growqr.config import Settings
from growqr.errors import Unavailable
from growqr.identity.oauth.base import Account, Endpoints, Provider, Tokens, secure, text_of

if TYPE_CHECKING:
    from growqr.identity.oauth.wire import Wire

FRESH = 3600.0
"""Seconds for which the discovery document is not asked for again."""


class Google(Provider):
    """Refresh tokens come because we ask for them, and stay the same."""

    name = "google"
    title = "Google"
    scopes = ("openid", "email", "profile")
    asking = {"access_type": "offline", "prompt": "consent"}  # noqa: RUF012  a ClassVar of the base
    rotates = False

    def __init__(
        self, settings: Settings, client_id: str, secret: str, clock: Callable[[], float]
    ) -> None:
        super().__init__(settings, client_id, secret, clock)
        self.issuer: str = self._address(settings, "google_issuer")
        self._found: dict[str, str] = {}
        self._asked_at = 0.0
        self._asking = asyncio.Lock()

    async def endpoints(self) -> Endpoints:
        """As the issuer names them."""
        found = await self._discovered()
        return Endpoints(found["authorization_endpoint"], found["token_endpoint"])

    async def account(self, wire: Wire, tokens: Tokens, scopes: tuple[str, ...]) -> Account:
        """`sub` is the subject: addresses change hands."""
        person = await wire.get((await self._discovered())["userinfo_endpoint"])
        subject = text_of(person, "sub")
        verified = person.get("email_verified") in (True, "true")
        email = text_of(person, "email") if verified and person.get("email") else None
        name = text_of(person, "name") if person.get("name") else email or subject
        return Account(subject, email or name, name, email, scopes, tokens)

    async def _discovered(self) -> dict[str, str]:
        async with self._asking:
            if self._found and time.monotonic() - self._asked_at < FRESH:
                return self._found
            try:
                async with self._exchange() as wire:
                    url = f"{self.issuer}/.well-known/openid-configuration"
                    self._found = self._named(await wire.get(url, public=True))
            except Unavailable:
                if not self._found:
                    raise  # else what it said before: addresses hardly ever change
            self._asked_at = time.monotonic()
            return self._found

    def _named(self, document: Any) -> dict[str, str]:
        """The addresses of a document. Raises ValueError unless it is this issuer's, and secure."""
        if text_of(document, "issuer").rstrip("/") != self.issuer:
            raise ValueError("another issuer's")
        fields = ("authorization_endpoint", "token_endpoint", "userinfo_endpoint")
        found = {field: text_of(document, field) for field in fields}
        if not all(secure(url, self._plain) for url in found.values()):
            raise ValueError("not https")
        return found
