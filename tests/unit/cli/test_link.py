"""`growqr link` over a real database: a link that signs a browser in, once, and no secret about."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from growqr.cli import app
from growqr.errors import GrowqrError
from growqr.identity import read_ticket
from growqr.store import OPERATOR, Browser, Store
from tests.rows import rows

pytestmark = pytest.mark.anyio

Growqr = Callable[..., Awaitable[Result]]
BROWSER = Browser(b"cookie", "", 60)


@pytest.fixture
def growqr(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Growqr:
    monkeypatch.setenv("DATABASE_URL", database_url)
    monkeypatch.setenv("GROWQR_DATA", str(tmp_path))
    monkeypatch.chdir(tmp_path)

    async def run(*args: str) -> Result:
        return await asyncio.to_thread(CliRunner().invoke, app, ["link", *args])

    return run


def sha_of(url: str, site: str) -> bytes:
    """What the store keeps of the link's secret, which stands where no server hears of it."""
    page, _, ticket = url.partition("#link=")
    assert page == f"{site}/app/sign-in"
    sha = read_ticket(ticket)
    assert sha
    return sha


async def test_the_link_signs_in_once(
    growqr: Growqr, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GROWQR_PUBLIC_URL", "https://agents.example/")
    done = await growqr("--user", "ann")
    assert done.exit_code == 0, done.output
    assert done.stdout.count("\n") == 1
    sha = sha_of(done.stdout.strip(), "https://agents.example")
    signed_in = await store.sign_ins.exchange(sha, BROWSER, OPERATOR)
    assert signed_in is not None
    assert signed_in[1] == "u_ann"
    assert await store.sign_ins.exchange(sha, BROWSER, OPERATOR) is None
    [ann] = await store.users.list(limit=9)
    assert (ann.id, ann.role) == ("u_ann", "admin")
    assert ann.issuer.startswith("growqr:")


async def test_it_says_for_whom_and_how_long_in_json(
    growqr: Growqr, store: Store, database_url: str
) -> None:
    done = await growqr("--user", "ann", "--json")
    told = json.loads(done.stdout)
    assert (told["user"], told["expires_in"]) == ("ann", 600)
    sha = sha_of(told["url"], told["url"].partition("/app/")[0])
    await rows(database_url, "update sign_in_link set expires_at = expires_at - interval '600 s'")
    assert await store.sign_ins.exchange(sha, BROWSER, OPERATOR) is None


async def test_the_log_knows_of_it_and_not_its_secret(
    growqr: Growqr, store: Store, database_url: str
) -> None:
    url = (await growqr("--user", "ann")).stdout.strip()
    entry, made = await store.audit.list(limit=9)
    assert (made.actor, made.action, made.subject) == ("operator", "user.made", "u_ann")
    assert (entry.actor, entry.action, entry.subject) == ("operator", "sign_in_link.made", "u_ann")
    for table in ("audit", "sign_in_link", "users"):
        kept = await rows(database_url, f"select t::text from {table} t")
        assert url.partition("#link=")[2] not in str(kept)


@pytest.mark.parametrize(
    ("environment", "args", "reason"),
    [
        ({"GROWQR_LOCAL_ISSUER": "off"}, [], "GROWQR_LOCAL_ISSUER=on"),
        ({}, ["--user", "No Name"], "must match"),
    ],
)
async def test_it_says_why_there_is_none(
    growqr: Growqr, monkeypatch: pytest.MonkeyPatch, environment: dict[str, str],
    args: list[str], reason: str,
) -> None:  # fmt: skip
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    done = await growqr(*args)
    assert done.exit_code != 0
    assert isinstance(done.exception, GrowqrError)
    assert reason in done.exception.message
