"""API keys: the hash of each, never the key."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from growqr.errors import Conflict, NotFound
from growqr.store.audit import Act
from growqr.store.engine import Database


class ApiKey(NamedTuple):
    """A key as its owner may see it. `day_tokens`: what its turns may use on a day."""

    id: str
    user_id: str
    name: str
    scopes: list[str]
    created_at: datetime
    expires_at: datetime | None
    used_at: datetime | None
    revoked_at: datetime | None
    day_tokens: int | None


class ApiKeys:
    """A user's keys."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def make(
        self, user_id: str, key_id: str, sha: bytes, *, name: str, scopes: Sequence[str],
        expires_at: datetime | None, day_tokens: int | None, by: Act,
    ) -> ApiKey:  # fmt: skip
        """Keep a new key. Raises Conflict when the request that made it is repeated."""
        made = await self._db.one(
            "make_api_key", ApiKey, id=key_id, user=user_id, name=name, sha=sha,
            scopes=list(scopes), expires_at=expires_at, day_tokens=day_tokens,
            **by.noted("api_key.made", scopes=list(scopes)),
        )  # fmt: skip
        if made is None:
            raise Conflict(
                "a key was made with this Idempotency-Key before; it was shown once. "
                "For another one send another Idempotency-Key, or none"
            )
        return made

    async def list(self, user_id: str, *, limit: int, after: str | None = None) -> list[ApiKey]:
        """By id, from the one behind `after`; revoked ones too."""
        return await self._db.all(
            "list_api_keys", ApiKey, user=user_id, after=after or "", limit=limit
        )

    async def revoke(self, user_id: str, key_id: str, by: Act) -> None:
        """It opens nothing any more, on every replica at once. May be repeated. Raises NotFound."""
        noted = by.noted("api_key.revoked")
        if not await self._db.all("revoke_api_key", dict, user=user_id, id=key_id, **noted):
            raise NotFound("there is no such API key")
        self._db.notifier.revoked()
