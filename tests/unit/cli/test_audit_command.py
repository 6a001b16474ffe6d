"""`growqr audit` over a real database: newest first, of whom and what, all of it as JSON."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from growqr.cli import app
from growqr.store import OPERATOR, Act, Store

pytestmark = pytest.mark.anyio

Growqr = Callable[..., Awaitable[Result]]
ANN = Act("u_ann", "admin", "sign_in:sgn_1", "192.0.2.1", "req_1")


@pytest.fixture
def growqr(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Growqr:
    monkeypatch.setenv("DATABASE_URL", database_url)
    monkeypatch.setenv("GROWQR_DATA", str(tmp_path))
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.chdir(tmp_path)

    async def run(*args: str) -> Result:
        done = await asyncio.to_thread(CliRunner().invoke, app, ["audit", *args])
        assert done.exit_code == 0, done.output
        return done

    return run


@pytest.fixture
async def entries(store: Store) -> None:
    await store.audit.note(OPERATOR, "sign_in_link.made", "u_ann")
    await store.audit.note(ANN, "user.changed", "u_bob", role="admin")
    store.audit.refused(
        ANN._replace(actor="u_bob", rule="admin_only"), "admin.read", "/admin/audit"
    )
    await store.audit.close()


async def test_a_table_for_people(growqr: Growqr, entries: None) -> None:
    lines = (await growqr()).stdout.splitlines()
    assert lines[0].split() == ["when", "who", "did", "to", "outcome", "rule", "from"]
    told = [line.split()[2:] for line in lines[1:] if line.strip()]
    assert told == [
        ["u_bob", "admin.read", "/admin/audit", "refused", "admin_only", "192.0.2.1"],
        ["u_ann", "user.changed", "u_bob", "done", "admin", "192.0.2.1"],
        ["operator", "sign_in_link.made", "u_ann", "done", "machine"],
    ]


async def test_json_leaves_nothing_out(growqr: Growqr, store: Store, entries: None) -> None:
    exported = json.loads((await growqr("--json")).stdout)
    kept = await store.audit.list(limit=9)
    assert [entry["id"] for entry in exported] == [entry.id for entry in kept]
    assert set(exported[0]) == set(kept[0]._fields)
    assert (exported[1]["facts"]["role"], exported[1]["request_id"]) == ("admin", "req_1")


@pytest.mark.parametrize(
    ("args", "actions"),
    [
        (["--who", "u_ann"], ["user.changed", "sign_in_link.made"]),
        (["--who", "u_bob"], ["admin.read", "user.changed"]),
        (["--action", "user."], ["user.changed"]),
        (["--who", "u_ann", "--action", "sign"], ["sign_in_link.made"]),
        (["--limit", "1"], ["admin.read"]),
        (["--who", "nobody"], []),
    ],
)
async def test_only_what_was_asked_for(
    growqr: Growqr, entries: None, args: list[str], actions: list[str]
) -> None:
    exported = json.loads((await growqr("--json", *args)).stdout)
    assert [entry["action"] for entry in exported] == actions
