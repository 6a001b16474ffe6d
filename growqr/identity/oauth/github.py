"""GitHub, or an Enterprise Server of yours."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from growqr.config import Settings
from growqr.identity.oauth.base import Account, Endpoints, Provider, Tokens, text_of

if TYPE_CHECKING:
    from growqr.identity.oauth.wire import Wire


class GitHub(Provider):
    """OAuth apps, whose tokens do not expire, and GitHub Apps, whose tokens may."""

    name = "github"
    title = "GitHub"
    scopes = ("repo", "read:user", "user:email")
    rotates = True

    def __init__(
        self, settings: Settings, client_id: str, secret: str, clock: Callable[[], float]
    ) -> None:
        super().__init__(settings, client_id, secret, clock)
        self._url = self._address(settings, "github_url")
        self._api = self._address(settings, "github_api_url")

    async def endpoints(self) -> Endpoints:
        """The same paths everywhere."""
        pages = f"{self._url}/login/oauth"
        return Endpoints(f"{pages}/authorize", f"{pages}/access_token")

    async def account(self, wire: Wire, tokens: Tokens, scopes: tuple[str, ...]) -> Account:
        """The numeric id is the subject: logins can be changed, and taken by others then."""
        user = await wire.get(f"{self._api}/user")
        number, login = user.get("id"), text_of(user, "login")
        if type(number) is not int or number <= 0:
            raise ValueError("no id")
        emails = await wire.get(f"{self._api}/user/emails?per_page=100", lacking=(403, 404))
        name = text_of(user, "name") if user.get("name") else login
        return Account(str(number), login, name, _verified(emails or []), scopes, tokens)


def _verified(emails: list[Any]) -> str | None:
    """The profile's own address may be hidden, or any: only this list says what is verified."""
    for entry in emails:
        if entry.get("primary") is True and entry.get("verified") is True:
            return text_of(entry, "email")
    return None
