"""Accounts at providers, and people on their way there and back. What is secret comes sealed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from psycopg.errors import ForeignKeyViolation, UniqueViolation

from growqr.errors import Conflict, NotFound
from growqr.store import sql
from growqr.store.audit import Act
from growqr.store.engine import Database, execute
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
        by: Act,
        linking: bool,
    ) -> OAuthAccount:
        """The user's account there; `linking`: they are signed in, and it replaces an earlier one.

        Raises Conflict when it is another user's, or signs in where it was unlinked or replaced;
        NotFound when there is no such user.
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
                linking=linking,
                **by.noted("provider.linked", login=storable(login)),
            )
        except UniqueViolation:
            raise _taken(f"this {provider} account belongs to another user here") from None
        except ForeignKeyViolation:
            raise NotFound(f"there is no user {user_id}") from None
        if kept is None:
            raise _taken(f"this {provider} account was unlinked from its user here, or replaced")
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

    async def remove(self, user_id: str, provider: str, by: Act, ways: Sequence[str] = ()) -> bool:
        """Forget it; False: there was none. `ways`: the providers that are a way in.

        Raises Conflict when the user could not come in any more.
        """
        own = {"user": user_id, "provider": provider, "ways": list(ways)}
        params = own | by.noted("provider.unlinked")
        async with self._db.transaction("remove_oauth_account") as conn:
            await execute(conn, sql.texts()["lock_user"], params)
            gone = await execute(conn, sql.texts()["remove_oauth_account"], params)
        if not gone and await self.get(user_id, provider) is not None:
            raise Conflict(
                f"this {provider} account is your only way in; link another one first",
                {"code": "last_way_in"},
            )
        return bool(gone)


def _taken(why: str) -> Conflict:
    return Conflict(
        f"{why}; sign in as that user, and unlink or link it there", {"code": "account_taken"}
    )
