"""`growqr token`: minted without the instance, noted where its database is there."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from typer.testing import CliRunner

from growqr.cli import app
from growqr.store import Store

pytestmark = pytest.mark.anyio


async def minted(*args: str) -> str:
    done = await asyncio.to_thread(CliRunner().invoke, app, ["token", *args])
    assert done.exit_code == 0, done.output
    return done.stdout.splitlines()[-1]


async def test_a_token_is_in_the_audit_log_and_its_text_is_not(
    store: Store, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GROWQR_DATA", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    assert (await minted()).count(".") == 2, "no instance, no log, and a token all the same"
    monkeypatch.setenv("DATABASE_URL", database_url)
    token = await minted("--user", "ann")
    [entry] = await store.audit.list(limit=9)
    assert (entry.actor, entry.action, entry.subject) == ("operator", "token.made", "u_ann")
    assert token not in str(entry)
