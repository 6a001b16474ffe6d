"""What the real server does too rarely for a test: drop a prompt, stay away, be another release."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from growqr.errors import InstanceError, Unavailable
from growqr.opencode import Bridge, Limits, OpenCode, Progress, Server, new_prompt, policy

pytestmark = pytest.mark.anyio

SESSION = "ses_1"
QUICK = Limits(silence=5.0, patience=0.3, confirm=0.05, posts=3)


class Forgetful:
    """Speaks just enough to take prompts, and answers 204 to the first `drops` without a run."""

    def __init__(self, drops: int, version: str = "1.18.33", *, gone: bool = False) -> None:
        self.drops, self.version, self.gone = drops, version, gone
        self.posts: list[dict[str, Any]] = []
        self.notes: list[dict[str, Any]] = []
        self.messages: list[dict[str, Any]] = []

    def app(self) -> web.Application:
        app = web.Application()
        app.router.add_get("/global/health", self.health)
        app.router.add_get("/global/event", self.events)
        app.router.add_post(f"/session/{SESSION}/prompt_async", self.prompt)
        app.router.add_post(f"/session/{SESSION}/abort", self.empty)
        app.router.add_get("/session/status", self.status)
        app.router.add_get(f"/session/{SESSION}/message", self.history)
        app.router.add_post(f"/session/{SESSION}/message", self.note)
        app.router.add_get("/file", self.empty)
        app.router.add_post("/session", self.session)
        for path in (f"/session/{SESSION}/children", "/permission", "/question"):
            app.router.add_get(path, self.empty)
        return app

    async def health(self, request: web.Request) -> web.Response:
        return web.json_response({"healthy": True, "version": self.version})

    async def events(self, request: web.Request) -> web.StreamResponse:
        stream = web.StreamResponse(headers={"content-type": "text/event-stream"})
        await stream.prepare(request)
        greeting = {"payload": {"type": "server.connected", "properties": {}}}
        await stream.write(f"data: {json.dumps(greeting)}\n\n".encode())
        await asyncio.sleep(60)
        return stream

    async def prompt(self, request: web.Request) -> web.Response:
        self.posts.append(await request.json())
        if len(self.posts) > self.drops:
            self._done(self.posts[-1])
        return web.Response(status=204)

    def _done(self, body: dict[str, Any]) -> None:
        ours, times = body["messageID"], {"created": 1, "completed": 2}
        user = {"id": ours, "role": "user", "time": {"created": 1}}
        info = {"id": "msg_r", "role": "assistant", "parentID": ours, "time": times}
        part = {"id": "prt_r", "messageID": "msg_r", "type": "text", "text": "hello"}
        self.messages = [
            {"info": user, "parts": [part | {"messageID": ours} for part in body["parts"]]},
            {"info": info | {"finish": "stop"}, "parts": [part]},
        ]

    async def status(self, request: web.Request) -> web.Response:
        return web.json_response({})

    async def history(self, request: web.Request) -> web.Response:
        if self.gone:
            return web.json_response({"name": "NotFoundError"}, status=404)
        return web.json_response(self.messages)

    async def note(self, request: web.Request) -> web.Response:
        self.notes.append(await request.json())
        return web.json_response({})

    async def session(self, request: web.Request) -> web.Response:
        return web.json_response({"id": "ses_new"})

    async def empty(self, request: web.Request) -> web.Response:
        return web.json_response([])


@pytest.fixture
async def http(anyio_backend: str) -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


@asynccontextmanager
async def bridge_to(fake: Forgetful, http: aiohttp.ClientSession) -> AsyncIterator[Bridge]:
    runner = web.AppRunner(fake.app(), shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()

    async def server() -> Server:
        return Server(f"http://127.0.0.1:{runner.addresses[0][1]}", "pw")

    try:
        yield Bridge(server, http, QUICK)
    finally:
        await runner.cleanup()


async def run(fake: Forgetful, http: aiohttp.ClientSession, **options: Any) -> Any:
    options = {"on_progress": ignore, "resumed": False} | options
    async with bridge_to(fake, http) as bridge:
        return await bridge.run(options.pop("ids", new_prompt(SESSION, "/work")), "hi", **options)


async def ignore(progress: Progress) -> None:
    pass


async def test_a_prompt_that_was_dropped_is_posted_again_under_its_ids(
    http: aiohttp.ClientSession,
) -> None:
    fake = Forgetful(drops=1)
    assert (await run(fake, http)).text == "hello"
    assert len(fake.posts) == 2
    assert fake.posts[0] == fake.posts[1]


async def test_a_session_in_which_nothing_was_said_is_given_the_record_first(
    http: aiohttp.ClientSession,
) -> None:
    async def recall() -> str:
        assert fake.posts == []
        return "what was done"

    fake, ids = Forgetful(drops=0), new_prompt(SESSION, "/work")
    await run(fake, http, ids=ids, recall=recall, agent="plan")
    [note] = fake.notes
    assert note["noReply"]
    assert note["agent"] == "plan"
    assert note["parts"][0]["text"] == "what was done"
    assert note["messageID"] < ids.message_id
    fake = Forgetful(drops=0)  # another process, which does not know of the first one's try
    await run(fake, http, ids=ids, recall=recall, agent="plan", resumed=True)
    assert fake.notes == [note]


async def test_a_session_that_goes_on_is_given_no_record(http: aiohttp.ClientSession) -> None:
    async def recall() -> str:
        raise AssertionError("nobody needs it")

    fake = Forgetful(drops=0)
    await run(fake, http)
    await run(fake, http, recall=recall)
    assert (len(fake.posts), fake.notes) == (2, [])


async def test_nothing_to_recall_puts_nothing_before_the_prompt(
    http: aiohttp.ClientSession,
) -> None:
    async def recall() -> str:
        return ""

    fake = Forgetful(drops=0)
    assert (await run(fake, http, recall=recall)).text == "hello"
    assert fake.notes == []


@pytest.mark.parametrize("gone", [False, True], ids=["there", "gone"])
async def test_a_former_session_is_used_while_it_is_there(
    http: aiohttp.ClientSession, gone: bool
) -> None:
    async with bridge_to(Forgetful(drops=0, gone=gone), http) as bridge:
        session = await bridge.open_session("/work", "a test", SESSION)
    assert session == ("ses_new" if gone else SESSION)


async def test_a_prompt_that_is_always_dropped_fails(http: aiohttp.ClientSession) -> None:
    fake = Forgetful(drops=99)
    outcome = await run(fake, http)
    assert (outcome.state, len(fake.posts)) == ("failed", QUICK.posts)
    assert "3 times" in outcome.error


async def test_another_major_release_is_refused(http: aiohttp.ClientSession) -> None:
    fake = Forgetful(drops=0, version="2.0.4")
    with pytest.raises(InstanceError, match=r"release 2\.0\.4.*works with 1\.18\.33"):
        await run(fake, http)
    assert fake.posts == []


async def test_a_server_that_stays_away_leaves_the_end_open(http: aiohttp.ClientSession) -> None:
    async def nowhere() -> Server:
        raise Unavailable("it is starting")

    bridge = Bridge(nowhere, http, QUICK)
    outcome = await bridge.run(
        new_prompt(SESSION, "/work"), "hi", on_progress=ignore, resumed=False
    )
    assert outcome.state == "interrupted"
    with pytest.raises(Unavailable):
        await bridge.open_session("/work", "a test")


async def test_what_the_servers_owner_raises_reaches_the_caller(
    http: aiohttp.ClientSession,
) -> None:
    async def broken() -> Server:
        raise InstanceError("no sandbox")

    with pytest.raises(InstanceError, match="no sandbox"):
        await Bridge(broken, http, QUICK).run(
            new_prompt(SESSION, "/work"), "hi", on_progress=ignore, resumed=False
        )


async def test_a_password_is_never_shown(http: aiohttp.ClientSession) -> None:
    server = Server("http://127.0.0.1:9", "hush")
    assert "hush" not in repr(server) + str(server)
    with pytest.raises(Unavailable) as caught:
        await OpenCode(server, http).version()
    assert "hush" not in f"{caught.value!r} {caught.value.detail}"


@pytest.mark.parametrize("name", ["question", "external_directory", "doom_loop"])
def test_policy_denies(name: str) -> None:
    assert not policy.allows(name)


@pytest.mark.parametrize("name", ["bash", "edit", "webfetch"])
def test_policy_allows(name: str) -> None:
    assert policy.allows(name)
