"""Keys that an issuer publishes: kept by id, renewed in time, and held on to while it is away.

However many tokens name keys that nobody knows, the issuer is asked once in five seconds at most.
"""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Awaitable, Callable

from growqr.identity.jwt import PublicKey

log = logging.getLogger(__name__)

GAP = 5.0
"""Seconds between two fetches: a new key works that long after its first use at the latest."""

MISSING = 30.0
"""Seconds for which a key that the issuer was found to lack is not asked for again."""

REFRESH, TTL = 300.0, 600.0
"""Age in seconds at which keys are renewed beside the request, and at which it waits for that."""

RETRY = 30.0
"""Seconds between two attempts to renew while the issuer is away."""

KEPT = 24 * 3600.0
"""Age in seconds up to which keys are good while the issuer is away."""

DEADLINE, PATIENCE = 5.0, 1.0
"""Seconds a fetch may take, and that a request with a known but old key waits for it."""

_MAX_MISSING = 1000

Fetch = Callable[[], Awaitable[dict[str, PublicKey]]]


class KeySet:
    """The keys of one issuer. `fetch` gives all of them by id or raises; `clock` gives seconds."""

    def __init__(self, issuer: str, fetch: Fetch, clock: Callable[[], float]) -> None:
        self._issuer, self._fetch, self._clock = issuer, fetch, clock
        self._keys: dict[str, PublicKey] = {}
        self._missing: dict[str, float] = {}
        self._good = self._tried = -math.inf
        self._away = False
        self._flight: asyncio.Task[None] | None = None

    async def key(self, kid: str | None) -> PublicKey | None:
        """The key of that id, None when the issuer has none such or cannot be asked."""
        if kid is None:
            return None
        age = self._since(self._good)
        if age >= KEPT and self._keys:
            log.error("keys of %s are a day old and cannot be renewed: none is good", self._issuer)
            self._keys = {}
        found = self._keys.get(kid)
        if found is None:
            return await self._ask(kid)
        if age >= REFRESH and self._since(self._tried) >= RETRY:
            self._renew()
        if age >= TTL and not self._away and self._flight is not None:
            # A key may have been withdrawn while nobody came by; who is slow is taken as away.
            _, late = await asyncio.wait({self._flight}, timeout=PATIENCE)
            self._away = self._away or bool(late)
            return self._keys.get(kid)
        return found

    async def _ask(self, kid: str) -> PublicKey | None:
        """A key we do not have: part of the fetch under way, or of a new one if that is allowed."""
        if self._since(self._missing.get(kid, -math.inf)) < MISSING:
            return None
        own = self._flight is None or self._flight.done()
        if own and self._since(self._tried) < GAP:
            return None
        await asyncio.wait({self._renew()})
        found = self._keys.get(kid)
        if found is None and own and not self._away:
            if len(self._missing) >= _MAX_MISSING:
                del self._missing[next(iter(self._missing))]
            self._missing[kid] = self._clock()
        return found

    def _renew(self) -> asyncio.Task[None]:
        """The one fetch under way, started if there is none."""
        if self._flight is None or self._flight.done():
            self._tried = self._clock()
            self._flight = asyncio.get_running_loop().create_task(self._replace(self._tried))
        return self._flight

    async def _replace(self, now: float) -> None:
        try:
            async with asyncio.timeout(DEADLINE):
                keys = await self._fetch()
        except Exception as error:  # noqa: BLE001 - whatever the network or the document does
            self._away = True
            log.warning(
                "keys of %s cannot be fetched: %.200r; %d stay in use for a day after the last "
                "good answer", self._issuer, error, len(self._keys),
            )  # fmt: skip
            return
        self._keys, self._good, self._away = keys, now, False

    def _since(self, then: float) -> float:
        """Seconds since; endless when the clock was set back, so that nothing waits for it."""
        return now - then if (now := self._clock()) >= then else math.inf
