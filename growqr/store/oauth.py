"""Accounts at providers, and people on their way there and back. What is secret comes sealed."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from psycopg.errors import ForeignKeyViolation, UniqueViolation

from growqr.errors import Conflict, NotFound
from growqr.store.engine import Database
from growqr.store.jsonb import storable


class OAuthState(NamedTuple):
    """Somebody who went to a provider. `user_id`: who links an account; None signs in."""

    provider: str
    cookie_sha: bytes
    verifier: str
    return_to: str
    user_id: str | None
    invite: bytes | None
    expires_at: datetime


class OAuthAccount(NamedTuple):
    """A user's account at a provider; `subject` is the provider's id of it, `tokens` sealed."""

    user_id: str
    provider: str
    subject: str
    login: str
    scopes: str
    tokens: str
    expires_at: datetime | None
    updated_at: datetime


class OAuth:
    """States, each of which works once, and one account of a user at each provider."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def open_state(self, sha: bytes, state: OAuthState, *, now: datetime) -> None:
        """Remember it under the hash of what the provider gives back."""
        fields = state._asdict()
        user = fields.pop("user_id")
        await self._db.all("open_oauth_state", dict, sha=sha, user=user, now=now, **fields)

    async def take_state(self, sha: bytes) -> OAuthState | None:
        """What was remembered, the first time; expired ones too."""
        return await self._db.one("take_oauth_state", OAuthState, sha=sha)

    async def keep(
        self,
        user_id: str,
        provider: str,
        *,
        subject: str,
        login: str,
        scopes: str,
        tokens: str,
        expires_at: datetime | None,
    ) -> OAuthAccount:
        """The user's account there, in place of an earlier one.

        Raises Conflict when it is another user's, NotFound when there is no such user.
        """
        try:
            kept = await self._db.one(
                "keep_oauth_account",
                OAuthAccount,
                user=user_id,
                provider=provider,
                subject=storable(subject),
                login=storable(login),
                scopes=storable(scopes),
                tokens=tokens,
                expires_at=expires_at,
            )
        except UniqueViolation:
            raise Conflict(
                f"this {provider} account belongs to another user here; unlink it there first",
                {"code": "account_taken"},
            ) from None
        except ForeignKeyViolation:
            raise NotFound(f"there is no user {user_id}") from None
        assert kept is not None  # an upsert has a row
        return kept

    async def get(self, user_id: str, provider: str) -> OAuthAccount | None:
        """The user's account there."""
        return await self._db.one(
            "get_oauth_account", OAuthAccount, user=user_id, provider=provider
        )

    async def owner(self, provider: str, subject: str) -> str | None:
        """Id of the user whose account that is."""
        params = {"provider": provider, "subject": storable(subject)}
        row = await self._db.one("owner_of_oauth_account", dict, **params)
        return str(row["user_id"]) if row else None

    async def list(self, user_id: str) -> list[OAuthAccount]:
        """By provider."""
        return await self._db.all("list_oauth_accounts", OAuthAccount, user=user_id)

    async def swap(self, seen: OAuthAccount, tokens: str, expires_at: datetime | None) -> bool:
        """New sealed tokens over those that were seen; False: others are there by now."""
        own = {"user": seen.user_id, "provider": seen.provider, "old": seen.tokens}
        params = own | {"tokens": tokens, "expires_at": expires_at}
        return bool(await self._db.all("swap_oauth_tokens", dict, **params))

    async def remove(self, user_id: str, provider: str) -> bool:
        """Forget it; False: there was none."""
        own = {"user": user_id, "provider": provider}
        return bool(await self._db.all("remove_oauth_account", dict, **own))
