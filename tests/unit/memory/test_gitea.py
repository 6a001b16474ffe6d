"""The calls we make of Gitea: the server keeps to our table, our table to Gitea's description."""

from __future__ import annotations

import asyncio
import json
import os
import secrets
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from growqr.errors import Unavailable
from growqr.memory.gitea import Gitea, Refused, by_password, by_token
from growqr.memory.servers import SCOPES
from tests.fakes.gitea.contract import CALLS, Driver, Made, field
from tests.gits import bare

pytestmark = pytest.mark.anyio
GIVEN = os.environ.get("GROWQR_TEST_GITEA_SWAGGER")
"""Gitea's own description of its API, as a file."""


async def test_every_call_is_answered_as_the_table_says(
    http: aiohttp.ClientSession, admin: tuple[str, str], tmp_path: Path
) -> None:
    seen = await Driver(http, *admin).all(bare(tmp_path / "one.git", "first"))
    for made in CALLS:
        answers = seen.pop((made.method, made.path))
        assert answers.keys() == made.errors | {made.done}, made
        for name in made.reads:
            assert field(answers[made.done], name) is not None, (made, name)
        for status in made.errors:
            assert answers[status]["message"], (made, status)
    assert not seen


@pytest.mark.parametrize("made", CALLS, ids=lambda made: f"{made.method} {made.path}")
def test_the_table_keeps_to_the_description(made: Made) -> None:
    """Nothing is read or sent twice, and all of it is described where a description is given."""
    assert made.done not in made.errors
    for path in [Path(GIVEN)] if GIVEN else []:
        _compare(made, json.loads(path.read_text()))


def _compare(made: Made, whole: dict[str, Any]) -> None:
    call = whole["paths"][made.path][made.method.lower()]
    assert {str(status) for status in made.errors | {made.done}} <= call["responses"].keys()
    answer = _resolved(whole, call["responses"][str(made.done)])
    for name in made.reads:
        assert _has(whole, answer.get("schema", {}), name), name
    bodies = [part["schema"] for part in call.get("parameters", []) if part["in"] == "body"]
    for name in made.sends:
        assert any(_has(whole, body, name) for body in bodies), name


def _resolved(whole: dict[str, Any], part: dict[str, Any]) -> dict[str, Any]:
    while ref := part.get("$ref"):
        part = whole
        for name in ref.removeprefix("#/").split("/"):
            part = part[name]
    return part


def _has(whole: dict[str, Any], schema: dict[str, Any], path: str) -> bool:
    schema = _resolved(whole, schema)
    schema = _resolved(whole, schema.get("items", schema))
    name, _, rest = path.partition(".")
    inner = schema.get("properties", {}).get(name)
    return inner is not None and (not rest or _has(whole, inner, rest))


async def test_what_is_there_already_is_fine(
    http: aiohttp.ClientSession, admin: tuple[str, str], tmp_path: Path
) -> None:
    url, token = admin
    gitea, name = Gitea(url, http, by_token(token)), f"ann-{secrets.token_hex(3)}"
    assert await gitea.version()
    assert await gitea.email(name) is None
    await gitea.create_account(name, f"{name}@growqr.invalid", "a-long-Password-1")
    assert await gitea.email(name) == f"{name}@growqr.invalid"
    with pytest.raises(Refused, match="already exists") as refused:
        await gitea.create_account(name, f"{name}@growqr.invalid", "a-long-Password-1")
    assert refused.value.status_code == 422
    for _ in range(2):
        await gitea.ensure_repository(name, "notes", sudo=True)
    assert await gitea.head(name, "notes", "main") is None
    for _ in range(2):
        await gitea.delete_repository(name, "notes")
    assert not await gitea.has_repository(name, "notes")


async def test_tokens_come_by_password_and_die_when_deleted(
    http: aiohttp.ClientSession, admin: tuple[str, str]
) -> None:
    url, token = admin
    name, password = f"tom-{secrets.token_hex(3)}", "another-Password-1"
    await Gitea(url, http, by_token(token)).create_account(
        name, f"{name}@growqr.invalid", "a-long-Password-1"
    )
    await Gitea(url, http, by_token(token)).set_password(name, password)
    user = Gitea(url, http, by_password(name, password))
    minted = await user.mint(name, "growqr-x", SCOPES)
    holder = Gitea(url, http, by_token(minted))
    assert await holder.email() == f"{name}@growqr.invalid"
    with pytest.raises(Refused):
        await holder.tokens(name)
    tokens = await user.tokens(name)
    assert list(tokens) == ["growqr-x"]
    for _ in range(2):
        await user.delete_token(name, tokens["growqr-x"])
    assert await holder.email() is None
    assert await Gitea(url, http, by_password(name, "a-long-Password-1")).email() is None


async def test_a_server_that_is_away_or_is_none_is_unavailable(http: aiohttp.ClientSession) -> None:
    answers = iter([b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n<html>hello",
                    b"HTTP/1.1 500 Oh\r\nConnection: close\r\n\r\n{\"message\": \"push\"}",
                    b""])  # fmt: skip

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(next(answers, b""))  # asked once more where nothing came
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    for expected in ("no Gitea", "500", "cannot be reached"):
        with pytest.raises(Unavailable, match=expected):
            await Gitea(url, http, by_token("t")).version()
    server.close()
    await server.wait_closed()
    with pytest.raises(Unavailable, match="cannot be reached"):
        await Gitea(url, http, by_token("t")).version()
