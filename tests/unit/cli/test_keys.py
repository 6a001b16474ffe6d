"""growqr keys over a real store: secrets are sealed anew, none is lost, no key is shown."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from growqr.cli import app
from growqr.cli.keys import BATCH
from growqr.config import Settings
from growqr.identity import KeyRing, Place, new_key
from growqr.store import OPERATOR, OAuthState, Store, User
from tests.conftest import new_user

pytestmark = pytest.mark.anyio

Growqr = Callable[..., Awaitable[Result]]
NOW = datetime.now(UTC)


@pytest.fixture
def growqr(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Growqr:
    monkeypatch.setenv("DATABASE_URL", database_url)
    monkeypatch.setenv("GROWQR_DATA", str(tmp_path))
    monkeypatch.delenv("ENCRYPTION_KEY", raising=False)
    monkeypatch.chdir(tmp_path)

    async def run(*args: str) -> Result:
        return await asyncio.to_thread(CliRunner().invoke, app, ["keys", *args])

    return run


def ring(folder: Path, keys: str | None = None) -> KeyRing:
    return KeyRing(Settings.model_validate({"data": folder, "encryption_key": keys}))


def place(user: User) -> Place:
    return Place("oauth_account", f"{user.id}/github", "tokens", user.id)


async def keep(store: Store, keys: KeyRing, user: User, tokens: str) -> None:
    sealed = keys.seal(tokens, place(user))
    await store.oauth.keep(
        user.id, "github", subject=user.id, login="l", scopes="", tokens=sealed, expires_at=None,
        by=OPERATOR, linking=True,
    )  # fmt: skip


async def kept(store: Store, user: User) -> str:
    account = await store.oauth.get(user.id, "github")
    assert account
    return account.tokens


def secrets_of(folder: Path) -> list[str]:
    return (folder / "secrets" / "encryption.keys").read_text().split()


async def test_new_prints_a_key_and_nothing_else(growqr: Growqr):
    one, other = (await growqr("new")).stdout, (await growqr("new")).stdout
    assert len(base64.b64decode(one, validate=False)) == 32
    assert one != other


async def test_rotate_seals_every_row_anew_with_a_fresh_key(
    growqr: Growqr, store: Store, alice: User, bob: User, tmp_path: Path
):
    running = ring(tmp_path)
    [old] = running.kids
    await keep(store, running, alice, "hers")
    await keep(store, running, bob, "his")
    at = Place("oauth_state", b"\x07".hex(), "verifier", "")
    state = OAuthState("github", b"", running.seal("verifier", at), "/", None, None, NOW)
    await store.oauth.open_state(b"\x07", state, now=NOW.replace(year=2000))

    before = json.loads((await growqr("ls", "--json")).stdout)
    assert before["keys"] == [{"kid": old, "state": "active", "rows": 3}]
    told = json.loads((await growqr("rotate", "--json")).stdout)
    fresh, _ = running.kids
    assert told == {"active": fresh, "new_key": True, "resealed": 3, "changed": 0,
                    "unreadable": 0, "spare": [old]}  # fmt: skip
    [noted] = await store.audit.list(limit=9, what="keys.")
    assert (noted.action, noted.subject, noted.facts["resealed"]) == ("keys.rotated", fresh, 3)
    assert running.unseal(await kept(store, alice), place(alice)) == "hers"
    assert running.unseal(await kept(store, bob), place(bob)) == "his"
    taken = await store.oauth.take_state(b"\x07")
    assert taken
    assert running.unseal(taken.verifier, at) == "verifier"
    assert {text.split(".")[1] for text in [await kept(store, alice), taken.verifier]} == {fresh}

    listed = await growqr("ls")
    assert listed.stdout.split() == [fresh, "active", "2", "rows", old, "opens", "0", "rows"]
    everything = f"{before}{told}{listed.output}{(await growqr('rotate')).output}"
    assert not [key for key in secrets_of(tmp_path) if key in everything]


async def test_more_rows_than_a_batch(growqr: Growqr, store: Store, tmp_path: Path):
    keys = ring(tmp_path)
    users = [await new_user(store, "many") for _ in range(BATCH + 3)]
    for user in users:
        await keep(store, keys, user, user.id)
    told = json.loads((await growqr("rotate", "--json")).stdout)
    assert told["resealed"] == BATCH + 3
    for user in users:
        assert keys.unseal(await kept(store, user), place(user)) == user.id


async def test_what_changes_meanwhile_is_not_lost(
    growqr: Growqr, store: Store, alice: User, tmp_path: Path
):
    """Tokens are replaced without end while keys rotate: what was written is what is there."""
    keys, rotating, last = ring(tmp_path), asyncio.Event(), 0

    async def write() -> None:
        nonlocal last
        while not rotating.is_set():
            await keep(store, keys, alice, str(last + 1))
            last += 1
            assert keys.unseal(await kept(store, alice), place(alice)) == str(last)

    await keep(store, keys, alice, "0")
    writing = asyncio.create_task(write())
    for _ in range(4):
        assert (await growqr("rotate", "--json")).exit_code == 0
        assert not writing.done()
    rotating.set()
    await writing
    assert last > 4
    assert keys.unseal(await kept(store, alice), place(alice)) == str(last)
    assert len(secrets_of(tmp_path)) == 5


async def test_with_the_setting_rows_move_to_its_first_key(
    growqr: Growqr, store: Store, alice: User, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    old, fresh = new_key(), new_key()
    await keep(store, ring(tmp_path, old), alice, "hers")
    monkeypatch.setenv("ENCRYPTION_KEY", f"{fresh},{old}")
    both = ring(tmp_path, f"{fresh},{old}")
    told = await growqr("rotate")
    assert told.exit_code == 0, told.output
    assert f"no row needs {both.kids[1]} any more" in told.output
    assert "ENCRYPTION_KEY" in told.output
    assert old not in told.output
    assert fresh not in told.output
    alone = ring(tmp_path, fresh)
    assert alone.unseal(await kept(store, alice), place(alice)) == "hers"
    assert not (tmp_path / "secrets").exists()


async def test_a_secret_without_its_key_is_left_and_told(
    growqr: Growqr, store: Store, alice: User, bob: User, tmp_path: Path
):
    await keep(store, ring(tmp_path / "elsewhere"), alice, "hers")
    await keep(store, ring(tmp_path), bob, "his")
    before = await kept(store, alice)
    lost = before.split(".")[1]
    told = await growqr("rotate", "--json")
    assert told.exit_code == 1
    counts = json.loads(told.stdout)
    assert (counts["resealed"], counts["unreadable"]) == (1, 1)
    assert lost in told.stderr
    assert await kept(store, alice) == before
    assert {"kid": lost, "state": "missing", "rows": 1} in json.loads(
        (await growqr("ls", "--json")).stdout
    )["keys"]


async def test_a_running_instance_must_have_the_key_first(
    growqr: Growqr, store: Store, alice: User, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    old, fresh = new_key(), new_key()
    await keep(store, ring(tmp_path, old), alice, "hers")
    held: str | None = old

    def running(data: Path) -> Settings | None:
        return Settings.model_validate({"data": data, "encryption_key": held}) if held else None

    monkeypatch.setattr("growqr.cli.keys.running_settings", running)
    monkeypatch.setenv("ENCRYPTION_KEY", f"{fresh},{old}")
    refused = await growqr("rotate")
    assert (refused.exit_code, "start it anew" in str(refused.exception)) == (1, True)
    assert ring(tmp_path, old).unseal(await kept(store, alice), place(alice)) == "hers"
    for told in (f"{fresh},{old}", None):
        held = told
        assert (await growqr("rotate")).exit_code == 0
    assert ring(tmp_path, fresh).unseal(await kept(store, alice), place(alice)) == "hers"
