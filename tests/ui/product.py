"""The product before a browser: two replicas over one database, behind one address."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import psycopg
import pytest
from anyio.from_thread import BlockingPortal
from playwright.sync_api import Page

from growqr.api import make_app, pages
from growqr.api.stream import Hub
from growqr.cli.link import sign_in_link
from growqr.config import Settings
from growqr.directory import Lease
from growqr.store import Store, migrate
from tests.conftest import in_schema
from tests.fakes.round_robin import RoundRobin
from tests.fakes.serving import serving
from tests.ui.entrance import ENTRANCES, Entrance, Kind


class NoAgents:
    """Speaks for agents that are not there: nobody of these tests talks to one."""

    async def wake(self, lease: Lease) -> None: ...

    async def watch(self, lease: Lease) -> None:
        await asyncio.Event().wait()

    async def stop(self, lease: Lease) -> None: ...


class Site(NamedTuple):
    """Where it is, what it was given, the door before its replicas, and the pages they serve."""

    url: str
    settings: Settings
    door: RoundRobin
    portal: BlockingPortal
    kind: Kind

    def entrance(self, page: Page) -> Entrance:
        """The way in and out, as this page of a browser shows it."""
        return ENTRANCES[self.kind](page)

    def link(self, name: str = "anna") -> str:
        """What `growqr link` prints, by the same function."""
        return self.portal.call(asyncio.to_thread, sign_in_link, self.settings, name)

    def statuses(self, cookie: dict[str, Any], path: str = "/api/v1/auth/me") -> list[int]:
        """What every replica answers to whoever has this cookie of a browser."""
        head = {"cookie": f"{cookie['name']}={cookie['value']}"}
        return [httpx.get(f"{url}{path}", headers=head).status_code for url in self.door.behind]

    def rows(self, query: str, **values: Any) -> list[Any]:
        """What is in the database: for what no browser can see."""
        assert self.settings.database_url is not None
        with psycopg.connect(self.settings.database_url.get_secret_value()) as conn:
            return conn.execute(query.encode(), values).fetchall()


@contextmanager
def schema_in(postgres: str, portal: BlockingPortal) -> Iterator[str]:
    """A schema of its own, with our tables."""
    schema = f"u_{secrets.token_hex(6)}"
    with psycopg.connect(postgres, autocommit=True) as conn:
        conn.execute(f"create schema {schema}".encode())
        url = in_schema(postgres, schema)
        portal.call(migrate, url)
        yield url
        conn.execute(f"drop schema {schema} cascade".encode())


@contextmanager
def site_of(
    postgres: str,
    folder: Path,
    portal: BlockingPortal,
    more: Callable[[str], dict[str, Any]],
    kind: Kind = "small",
) -> Iterator[Site]:
    """The product up, in the portal's loop. `more` makes further settings of its address.

    It serves the pages of this kind, whether or not the web interface was built.
    """
    with (
        _serving(kind, folder),
        schema_in(postgres, portal) as url,
        portal.wrap_async_context_manager(_running(url, folder, portal, more, kind)) as site,
    ):
        yield site


@contextmanager
def _serving(kind: Kind, folder: Path) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        if kind == "small":
            patch.setattr(pages, "BUILT", folder / "nothing-built")
        found = pages.folder() == pages.BUILT
        assert found == (kind == "built"), "the web interface is not built: run `make web`"
        yield


@asynccontextmanager
async def _running(
    database: str,
    folder: Path,
    portal: BlockingPortal,
    more: Callable[[str], dict[str, Any]],
    kind: Kind,
) -> AsyncIterator[Site]:
    async with RoundRobin().running() as door:
        values = {"data": folder, "port": door.port, "database_url": database, "limit_strangers": 0}
        settings = Settings.model_validate(values | more(door.url))
        async with AsyncExitStack() as replicas:
            for _ in range(2):
                door.behind.append(await replicas.enter_async_context(_replica(settings, database)))
            yield Site(door.url, settings, door, portal, kind)


@asynccontextmanager
async def _replica(settings: Settings, database: str) -> AsyncIterator[str]:
    store = Store(database, 4)
    hub = Hub(store, ping=1.0)
    app = make_app(settings, store, NoAgents(), around=store, hub=hub)
    async with serving(app) as url:
        yield url
        hub.close()
