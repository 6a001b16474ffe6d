"""Fresh access tokens: each refresh token is used by one replica, whose answer is not lost.

Whoever renews first writes a claim over the sealed tokens it has read. No two sealed texts are
equal, so of several replicas one finds its row; the provider is called afterwards, outside any
transaction, and the answer is written over the claim. The others look until it is there.
A replica that dies after its claim leaves it behind. Where refresh tokens rotate, asking with the
same one while the first replica may still be alive, only frozen, would have the provider take
both for stolen; so that claim stands for ten minutes, and else for half a minute.
"""

from __future__ import annotations

import asyncio
import json
import secrets
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import NamedTuple, overload

from growqr.errors import BadRequest, StoreUnavailable, Unavailable
from growqr.identity.crypto import KeyRing, Place
from growqr.identity.oauth.base import DEAD, Provider, Tokens
from growqr.logs import log
from growqr.store import OAuthAccount, Store

SOON = 300.0
"""Seconds before its expiry at which an access token is renewed."""

WAIT = 15.0
"""Seconds a caller waits, whoever renews."""

LOOK = 0.05
"""Seconds between two looks at what another replica renews."""

AGE = 45.0
"""Seconds after which nobody waits for a claim any more: a renewal and its writing take less."""

STANDS = {True: 600.0, False: AGE}
"""Seconds that a claim keeps others away, by whether refresh tokens rotate."""

BEGUN = 5.0
"""Seconds after which a claim may not be used any more by who made it."""

WRITING = 20.0
"""Seconds for which a new token is tried to be written, through a database away."""

_log = log("oauth")


class Kept(NamedTuple):
    """What is sealed. `claim` names a renewal that began at `since` (seconds since 1970)."""

    tokens: Tokens
    claim: str | None = None
    since: float = 0.0


class Renewal:
    """Keeps tokens sealed, and fresh."""

    def __init__(
        self,
        store: Store,
        ring: KeyRing,
        providers: dict[str, Provider],
        clock: Callable[[], float],
    ) -> None:
        self._store, self._ring = store, ring
        self._providers, self._clock = providers, clock
        self._running: set[asyncio.Task[None]] = set()

    def seal(self, user_id: str, provider: str, kept: Kept) -> str:
        """For the row of this user and provider alone."""
        return self._ring.seal(json.dumps(kept), _place(user_id, provider))

    def unseal(self, row: OAuthAccount) -> Kept:
        """Raises SecretUnreadable."""
        tokens, claim, since = json.loads(
            self._ring.unseal(row.tokens, _place(row.user_id, row.provider))
        )
        return Kept(Tokens(*tokens), claim, since)

    async def access_token(self, user_id: str, provider: str) -> str | None:
        """A token that is good for some minutes; None: there is none, who wants one signs in again.

        Raises Unavailable when it cannot be renewed now, BadRequest `oauth_refused` when the
        provider does not know us any more, SecretUnreadable.
        """
        try:
            async with asyncio.timeout(WAIT):
                return await self._fresh(user_id, provider)
        except TimeoutError:
            raise Unavailable(f"renewing the {provider} token takes long; try again") from None

    async def _fresh(self, user_id: str, provider: str) -> str | None:
        seen: Tokens | None = None
        while (row := await self._store.oauth.get(user_id, provider)) is not None:
            kept = self.unseal(row)
            if (seen and kept.tokens != seen) or not self._renewable(row, kept.tokens):
                return self._as_it_is(kept.tokens)
            seen = kept.tokens
            await self._renewed_or_later(row, kept)
        return None

    def _renewable(self, row: OAuthAccount, tokens: Tokens) -> bool:
        """Whether it ought to be renewed and can be."""
        if tokens.expires_at is None or tokens.expires_at - self._clock() > SOON:
            return False
        return tokens.refresh is not None and row.provider in self._providers

    def _as_it_is(self, tokens: Tokens) -> str | None:
        alive = tokens.expires_at is None or tokens.expires_at > self._clock()
        return tokens.access if alive else None

    async def _renewed_or_later(self, row: OAuthAccount, kept: Kept) -> None:
        """Renew, or wait a moment for who does. A renewal that was begun survives its caller."""
        age, rotates = self._clock() - kept.since, self._providers[row.provider].rotates
        if kept.claim is None or age > STANDS[rotates]:
            task = asyncio.get_running_loop().create_task(self._renew(row, kept.tokens))
            self._running.add(task)
            task.add_done_callback(self._ended)
            await asyncio.shield(task)
        elif age > AGE:
            raise Unavailable(
                f"renewing the {row.provider} token was cut off; it is tried again in "
                f"{STANDS[rotates] - age:.0f} s, or link the account again"
            )
        else:
            await asyncio.sleep(LOOK)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        if not task.cancelled():
            task.exception()  # whoever asked may have gone

    async def _renew(self, row: OAuthAccount, tokens: Tokens) -> None:
        claim, provider = secrets.token_hex(8), self._providers[row.provider]
        claimed = self.seal(row.user_id, row.provider, Kept(tokens, claim, self._clock()))
        began = time.monotonic()
        try:
            if not await self._store.oauth.swap(row, claimed, row.expires_at):
                return  # another replica was first
            if time.monotonic() - began > BEGUN:  # frozen in between: others may have begun since
                raise Unavailable("the claim was slow to come; try again")
            fresh = await provider.refresh(tokens)
        except BadRequest as error:
            if error.detail.get("reason") not in DEAD:
                await self._settle(row, claim, tokens)
                raise
            _log.warning("a refresh token does not work any more", provider=row.provider,
                         user=row.user_id, reason=error.detail["reason"])  # fmt: skip
            fresh = tokens._replace(refresh=None)
        except Unavailable:
            # An answer that is lost leaves nothing to protect: to ask again works, or is refused.
            with suppress(StoreUnavailable):
                await self._settle(row, claim, tokens)
            raise
        await self._settle(row, claim, fresh)

    async def _settle(self, row: OAuthAccount, claim: str, tokens: Tokens) -> None:
        """Write over the claim, for as long as it stands there, through a database away."""
        give_up = time.monotonic() + WRITING
        while True:
            try:
                now = await self._store.oauth.get(row.user_id, row.provider)
                if now is None or self.unseal(now).claim != claim:
                    return  # unlinked, linked anew, or given up for another's claim
                sealed = self.seal(row.user_id, row.provider, Kept(tokens))
                if await self._store.oauth.swap(now, sealed, moment(tokens.expires_at)):
                    return  # else a rotation of keys has sealed the claim anew: look again
            except StoreUnavailable:
                if time.monotonic() > give_up:
                    raise
                await asyncio.sleep(LOOK)


@overload
def moment(seconds: float) -> datetime: ...
@overload
def moment(seconds: None) -> None: ...
def moment(seconds: float | None) -> datetime | None:
    """Seconds since 1970 as the store has it."""
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)


def _place(user_id: str, provider: str) -> Place:
    return Place("oauth_account", f"{user_id}/{provider}", "tokens", user_id)
