"""Running instances, one of each for a whole session, whichever folders' tests ask for them."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest

from tests.fakes.messages_api import MessagesApi
from tests.instances import Instance

CANARY = "sk-ant-canary-7f3b9c"
"""The provider key of the instance under test; it must be seen nowhere but in its one file."""

GITEA_CANARY = "0f1e2d3c4b5a69788796a5b4c3d2e1f001234567"
"""Its token for a Gitea that is not there."""

TURN_TOKENS = 20_000
"""What a turn in the lab may use before somebody must allow more."""


@pytest.fixture(scope="session")
def messages_api() -> Iterator[MessagesApi]:
    """The model server behind the instance."""
    with MessagesApi(key=CANARY) as api:
        yield api


@pytest.fixture(scope="session")
def instance(
    messages_api: MessagesApi, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Instance]:
    """Up for the session, with two replicas of the api."""
    with running_on(messages_api, tmp_path_factory, GROWQR_API_REPLICAS="2") as running:
        yield running


@pytest.fixture(scope="session")
def lab(messages_api: MessagesApi, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    """One for rougher handling: agents soon asleep, failpoints, an OpenCode that never starts."""
    rough = {
        "GROWQR_IDLE_SLEEP": "5",
        "GROWQR_SUB_AGENT_SLEEP": "2",
        "GROWQR_FAILPOINTS": str(tmp_path_factory.mktemp("failpoints")),
        "GROWQR_OPENCODE_BIN": "/bin/false",
        "GROWQR_BUDGET_TURN_TOKENS": str(TURN_TOKENS),
    }
    with running_on(messages_api, tmp_path_factory, **rough) as running:
        yield running


@contextmanager
def running_on(
    messages_api: MessagesApi, folders: pytest.TempPathFactory, **env: str
) -> Iterator[Instance]:
    """An instance before this model server, with embedded Postgres or a schema in DATABASE_URL."""
    from tests.conftest import in_schema

    env |= {"ANTHROPIC_API_KEY": CANARY, "ANTHROPIC_BASE_URL": messages_api.url}
    env["GITEA_TOKEN"] = GITEA_CANARY
    outside = os.environ.get("DATABASE_URL")
    if outside:
        schema = f"i_{secrets.token_hex(6)}"
        with psycopg.connect(outside, autocommit=True) as conn:
            conn.execute(f"create schema {schema}".encode())
        env["DATABASE_URL"] = in_schema(outside, schema)
    running = Instance(folders.mktemp("i") / "data", **env)
    running.up()
    yield running
    running.down()
    if outside:
        with psycopg.connect(outside, autocommit=True) as conn:
            conn.execute(f"drop schema {schema} cascade".encode())


@pytest.fixture(autouse=True)
def parted(request: pytest.FixtureRequest) -> Iterator[None]:
    """Everybody a test met hangs up at its end."""
    names = {"instance", "lab"} & set(request.fixturenames)
    met = [
        running for name in names if isinstance(running := request.getfixturevalue(name), Instance)
    ]
    yield
    for running in met:
        running.part()
