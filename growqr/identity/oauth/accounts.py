"""The way to a provider and back, and whose accounts are whose. It knows no HTTP routes.

What goes to the provider is a state of 32 random bytes; the database has its hash, and the hash
of the cookie of the browser that began. It works once, for ten minutes, in that browser alone.
"""

from __future__ import annotations

import hmac
import re
import secrets
import time
from collections.abc import Callable
from typing import NamedTuple

from growqr.config import Settings
from growqr.errors import BadRequest, NotFound
from growqr.identity.crypto import KeyRing, Place
from growqr.identity.oauth.base import Account, Provider
from growqr.identity.oauth.renewal import Kept, Renewal, moment
from growqr.identity.tickets import new_ticket, read_ticket
from growqr.store import Act, OAuthState, Store

LIFETIME = 600.0
"""Seconds somebody may be away at the provider."""

_LONGEST_RETURN = 500
_LONGEST_CODE = 2048
# Visible ASCII alone: browsers drop tabs and newlines, and "/<tab>/host" is another host then.
_RETURN = re.compile(r"/(?![/\\])[\x21-\x7e]*")


class Finished(NamedTuple):
    """Who came back, and what for. `user_id`: who links the account; None: somebody signs in.

    `invite`: what was given to `begin`.
    """

    account: Account
    return_to: str
    user_id: str | None
    invite: bytes | None


class Linked(NamedTuple):
    """An account of a user, for showing."""

    provider: str
    login: str
    scopes: tuple[str, ...]


class OAuth:
    """Signing in, linking, and tokens of accounts."""

    def __init__(
        self,
        settings: Settings,
        store: Store,
        ring: KeyRing,
        providers: dict[str, Provider],
        clock: Callable[[], float] = time.time,
    ) -> None:
        """`clock`: seconds since 1970."""
        self._settings, self._store, self._ring = settings, store, ring
        self._providers, self._clock = providers, clock
        self._renewal = Renewal(store, ring, providers, clock)

    @property
    def titles(self) -> dict[str, str]:
        """The ways in there are: what people call each provider, by name."""
        return {name: provider.title for name, provider in self._providers.items()}

    async def begin(
        self,
        provider: str,
        *,
        cookie: str,
        return_to: str,
        user_id: str | None = None,
        invite: bytes | None = None,
    ) -> str:
        """Where the browser goes. `cookie`: a ticket, which it must bring back.

        A `return_to` that does not stay on this site becomes `/`. Raises NotFound for an unknown
        provider, BadRequest without a cookie, Unavailable when the provider is away.
        """
        chosen = self._provider(provider)
        if (cookie_sha := read_ticket(cookie)) is None:
            raise BadRequest("the cookie of this sign-in is missing", {"code": "oauth_state"})
        (state, sha), verifier, now = new_ticket(), secrets.token_urlsafe(48), self._clock()
        url = await chosen.begin(redirect_uri(self._settings, provider), state, verifier)
        away = OAuthState(
            provider=provider,
            cookie_sha=cookie_sha,
            verifier=self._ring.seal(verifier, _place(sha, user_id)),
            return_to=stays_here(return_to),
            user_id=user_id,
            invite=invite,
            expires_at=moment(now + LIFETIME),
        )
        await self._store.oauth.open_state(sha, away, now=moment(now))
        return url

    async def finish(
        self,
        provider: str,
        *,
        code: str | None,
        state: str | None,
        cookie: str | None,
        iss: str | None = None,
        error: str | None = None,
    ) -> Finished:
        """Who came back, from what the provider gave to the browser and the browser's cookie.

        Raises BadRequest `oauth_state` unless this browser began it here, less than ten minutes
        ago and for the first time; `oauth_refused` for what the provider or the person refused;
        Unavailable when the provider is away. A state is used up by all of these.
        """
        chosen = self._provider(provider)
        away, verifier = await self._back(provider, state, cookie)
        if iss is not None and chosen.issuer is not None and iss.rstrip("/") != chosen.issuer:
            raise stale()
        if error is not None:
            raise chosen.refusal(error)
        if not code or len(code) > _LONGEST_CODE:
            raise BadRequest("the provider sent no code; sign in again", {"code": "oauth_refused"})
        account = await chosen.finish(redirect_uri(self._settings, provider), code, verifier)
        return Finished(account, away.return_to, away.user_id, away.invite)

    async def keep(
        self, user_id: str, provider: str, account: Account, by: Act, *, linking: bool = False
    ) -> None:
        """Make the account the user's, tokens sealed; `linking`: they are signed in already.

        Raises Conflict when it is another's, or opens this user no more.
        """
        await self._store.oauth.keep(
            user_id,
            provider,
            subject=account.subject,
            login=account.login,
            scopes=" ".join(account.scopes),
            tokens=self._renewal.seal(user_id, provider, Kept(account.tokens)),
            expires_at=moment(account.expires_at),
            by=by,
            linking=linking,
        )

    async def owner(self, provider: str, account: Account) -> str | None:
        """Id of the user whose account it is, None: nobody's yet."""
        return await self._store.oauth.owner(provider, account.subject)

    async def access_token(self, user_id: str, provider: str) -> str | None:
        """A fresh access token; see `Renewal.access_token`."""
        return await self._renewal.access_token(user_id, provider)

    async def accounts(self, user_id: str) -> list[Linked]:
        """The user's accounts by provider, without tokens."""
        rows = await self._store.oauth.list(user_id)
        return [Linked(row.provider, row.login, tuple(row.scopes.split())) for row in rows]

    async def unlink(self, user_id: str, provider: str, by: Act) -> None:
        """Forget the account and its tokens. Raises NotFound, Conflict for the last way in."""
        if not await self._store.oauth.remove(user_id, provider, by, tuple(self._providers)):
            raise NotFound(f"no {provider[:40]} account is linked")

    def _provider(self, name: str) -> Provider:
        if name not in self._providers:
            known = ", ".join(sorted(self._providers)) or "none"
            raise NotFound(f"there is no sign-in with {name[:40]!r}; there is: {known}")
        return self._providers[name]

    async def _back(
        self, provider: str, state: str | None, cookie: str | None
    ) -> tuple[OAuthState, str]:
        """What was remembered, and its verifier. Raises BadRequest."""
        if (sha := read_ticket(state)) is None:
            raise stale()
        away = await self._store.oauth.take_state(sha)
        if away is None or away.provider != provider:
            raise stale()
        if away.expires_at <= moment(self._clock()):
            raise stale()
        if not hmac.compare_digest(away.cookie_sha, read_ticket(cookie) or b""):
            raise stale()
        return away, self._ring.unseal(away.verifier, _place(sha, away.user_id))


def redirect_uri(settings: Settings, provider: str) -> str:
    """The callback that is registered at the provider: `<public url>/auth/<provider>/callback`."""
    return f"{settings.site_url}/auth/{provider}/callback"


def stays_here(return_to: str) -> str:
    """A path of this site, `/` in place of anything else."""
    fits = len(return_to) <= _LONGEST_RETURN and _RETURN.fullmatch(return_to)
    return return_to if fits else "/"


def stale() -> BadRequest:
    """One answer, whatever is wrong with a way back."""
    return BadRequest(
        "this sign-in was not begun in this browser, took too long, or came back before; "
        "begin again",
        {"code": "oauth_state"},
    )


def _place(sha: bytes, user_id: str | None) -> Place:
    return Place("oauth_state", sha.hex(), "verifier", user_id or "")
