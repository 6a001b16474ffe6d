"""What every figure is given: a running instance, a session of HTTP, its database and cluster."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import aiohttp

from benchmarks.instance import Instance, Person, until
from growqr.store import Store


class Setting:
    """One run. `store` is a client's view of the instance's own database."""

    def __init__(self, instance: Instance, http: aiohttp.ClientSession, store: Store) -> None:
        self.instance = instance
        self.http = http
        self.store = store

    @property
    def database(self) -> str:
        """Address of the instance's database."""
        url = self.instance.settings.database_url
        assert url
        return url.get_secret_value()

    def person(self) -> Person:
        """Somebody new."""
        return self.instance.person(self.http)

    async def until(self, events: AsyncIterator[dict[str, Any]], kind: str) -> dict[str, Any]:
        """The next event of that type."""
        return await until(events, kind)
