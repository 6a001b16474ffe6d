"""What a service answers when it is not the one we started any more."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from growqr.errors import Unavailable
from growqr.opencode import client
from growqr.opencode.client import OpenCode, Server
from growqr.stacks.base import Health
from growqr.stacks.probe import WrongVersion, answers

pytestmark = pytest.mark.anyio

HEALTH = Health("/health", "svc", "s3cret", major="1")


class Impostor:
    """Answers everything with `body` or a `location`, and counts what comes to /inside."""

    def __init__(self) -> None:
        self.url, self.inside = "", 0
        self.body, self.location = b"", ""

    async def __call__(self, request: web.BaseRequest) -> web.StreamResponse:
        if request.path == "/inside":
            self.inside += 1
            return web.json_response({"version": "1.0", "healthy": True})
        if self.location:
            return web.Response(status=307, headers={"Location": self.location})
        return web.Response(body=self.body, content_type="application/json")


@pytest.fixture
async def impostor() -> AsyncIterator[Impostor]:
    made = Impostor()
    runner = web.ServerRunner(web.Server(made))
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    made.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield made
    await runner.cleanup()


@pytest.fixture
async def opencode(impostor: Impostor) -> AsyncIterator[OpenCode]:
    async with aiohttp.ClientSession() as http:
        yield OpenCode(Server(impostor.url, "s3cret"), http)


async def test_nobody_is_followed_to_where_only_we_can_go(
    impostor: Impostor, opencode: OpenCode
) -> None:
    impostor.location = f"{impostor.url}/inside"

    assert not await answers(impostor.url, HEALTH)
    assert await answers(impostor.url, Health("/"))
    with pytest.raises(Exception, match="307"):
        await opencode.dispose("/work")
    with pytest.raises(Exception, match="307"):
        await anext(opencode.events())
    assert impostor.inside == 0


async def test_an_answer_that_breaks_readers_is_none(
    impostor: Impostor, opencode: OpenCode
) -> None:
    impostor.body = b"[" * 60_000

    assert not await answers(impostor.url, HEALTH)
    with pytest.raises(Unavailable):
        await opencode.permissions("/work")


async def test_another_version_is_told_shortly(impostor: Impostor) -> None:
    impostor.body = json.dumps({"version": "2" * 9000}).encode()

    with pytest.raises(WrongVersion) as raised:
        await answers(impostor.url, HEALTH)
    assert len(str(raised.value)) < 100


async def test_an_answer_without_end_is_not_kept(
    impostor: Impostor, opencode: OpenCode, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole: Any = [{"id": "x" * 1000}]
    impostor.body = json.dumps(whole).encode()
    assert await opencode.permissions("/work") == whole

    monkeypatch.setattr(client, "MAX_ANSWER", 500)
    with pytest.raises(Unavailable):
        await opencode.permissions("/work")
    with pytest.raises(Unavailable):
        await anext(opencode.events())
