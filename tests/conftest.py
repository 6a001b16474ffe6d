"""Fixtures for every suite: a real Postgres, a schema per test, users with names of their own."""

from __future__ import annotations

import os
import secrets
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest

from growqr import names
from growqr.instance import ports
from growqr.store import Store, User, migrate
from tests.fakes.proxy import FaultProxy

pytest_plugins = ["tests.instance_fixtures"]


def pytest_configure(config: pytest.Config) -> None:
    """Each worker of a parallel run looks for free ports in a share of its own."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")
    workers = os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1")
    ports.SEARCH = ports.SEARCH[int(worker) :: int(workers)]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The folders that need a whole instance are markers too."""
    for item in items:
        for suite in {"cluster", "crash", "e2e", "ui"} & set(item.path.parts):
            item.add_marker(suite)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """A skip whose reason is not in allowed_skips.txt fails a run of CI."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if reporter is None or not os.environ.get("CI"):
        return
    allowed = (Path(__file__).parent / "allowed_skips.txt").read_text().splitlines()
    for report in reporter.stats.get("skipped", []):
        reason = str(report.longrepr[2]).removeprefix("Skipped: ")
        if reason not in allowed:
            reporter.write_line(f"skip not allowed: {report.nodeid}: {reason}", red=True)
            session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session")
def postgres_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server for this run: DATABASE_URL, or an embedded one that ends with it."""
    outside = os.environ.get("DATABASE_URL")
    if outside:
        yield outside
        return
    from tests.embedded import running_postgres

    with running_postgres(Path(tmp_path_factory.mktemp("pg"))) as url:
        yield url


@pytest.fixture
async def database_url(postgres_url: str, anyio_backend: str) -> AsyncIterator[str]:
    """A schema of its own inside the server: an ordinary role can make one."""
    schema = f"t_{secrets.token_hex(6)}"
    async with await psycopg.AsyncConnection.connect(postgres_url, autocommit=True) as conn:
        await conn.execute(f"create schema {schema}".encode())
        url = in_schema(postgres_url, schema)
        await migrate(url)
        yield url
        await conn.execute(f"drop schema {schema} cascade".encode())


def in_schema(url: str, schema: str) -> str:
    """The same server, with `schema` as the place where tables are made and found."""
    return f"{url}{'&' if '?' in url else '?'}options=-csearch_path%3D{schema}"


@pytest.fixture
async def store(database_url: str) -> AsyncIterator[Store]:
    async with Store(database_url, 8) as opened:
        yield opened


@pytest.fixture
async def proxy(database_url: str) -> AsyncIterator[FaultProxy]:
    """A way to the database that can be cut and fall silent."""
    where = urlsplit(database_url)
    async with FaultProxy(where.hostname or "127.0.0.1", where.port or 5432) as running:
        yield running


@pytest.fixture
def far_url(database_url: str, proxy: FaultProxy) -> str:
    """The database by that way."""
    return database_url.replace(f":{urlsplit(database_url).port}", f":{proxy.port}", 1)


@pytest.fixture
async def far_store(far_url: str) -> AsyncIterator[Store]:
    async with Store(far_url, 2) as opened:
        yield opened


async def new_user(store: Store, name: str) -> User:
    """A user nobody else has, so that tests may share a server."""
    subject = f"{name}-{secrets.token_hex(4)}"
    return await store.users.ensure(
        names.local_user_id(subject), issuer="growqr:test", subject=subject, name=subject
    )


@pytest.fixture
async def alice(store: Store) -> User:
    return await new_user(store, "alice")


@pytest.fixture
async def bob(store: Store) -> User:
    return await new_user(store, "bob")
