"""What the relay passes on, piece by piece, and how either end's leaving is seen."""

from __future__ import annotations

import asyncio
import tracemalloc
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from yarl import URL

from growqr.config import Settings
from growqr.instance.ports import Ports
from growqr.stacks.gate.relay import Relay
from tests.unit.stacks.relay.conftest import HERE, Instance, serving, until

pytestmark = pytest.mark.anyio


async def test_it_passes_on_what_is_allowed_as_it_is(
    http: aiohttp.ClientSession, instance: Instance, settings: Settings
) -> None:
    headers = {
        "Authorization": "Bearer t0ken", "X-Session-Id": "ses_1", "Connection": "x-mine",
        "X-Mine": "1", "X-Forwarded-For": "1.2.3.4", "Proxy-Authorization": "p", "TE": "trailers",
        "Content-Encoding": "gzip",
    }  # fmt: skip
    path = "/gateway/openai/v1/chat/completions?a=%2e%2e/&b"
    async with http.post(
        URL(path, encoded=True), data=b"\x1f\x8bnot gzip", headers=headers
    ) as reply:
        assert (reply.status, await reply.read()) == (207, b"not really gzip")
        assert reply.headers["X-Kept"] == "1"
        assert reply.headers["Content-Encoding"] == "gzip"
        assert "Keep-Alive" not in reply.headers

    [seen] = instance.seen
    assert seen.raw_path == path
    assert seen.headers["Host"] == f"127.0.0.1:{settings.port}"
    assert seen.headers["Authorization"] == "Bearer t0ken"
    assert seen.headers["X-Session-Id"] == "ses_1"
    for name in ("X-Mine", "X-Forwarded-For", "Proxy-Authorization", "TE"):
        assert name not in seen.headers
    assert instance.bodies == [b"\x1f\x8bnot gzip"]


@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", "/mcp"), ("GET", "/git/u_alice/site.git/info/refs?service=git-upload-pack"),
     ("HEAD", "/gateway/x")],
)  # fmt: skip
async def test_three_doors_are_open(
    http: aiohttp.ClientSession, instance: Instance, method: str, path: str
) -> None:
    async with http.request(method, path) as reply:
        assert reply.status == 207
    assert [request.raw_path for request in instance.seen] == [path]
    assert "Transfer-Encoding" not in instance.seen[0].headers


async def test_a_stream_arrives_as_it_is_said(
    http: aiohttp.ClientSession, instance: Instance
) -> None:
    async with http.get("/gateway/stream") as reply:
        for number in range(3):  # each is here before the next one is said
            assert await reply.content.readuntil(b"\n\n") == f"data: {number}\n\n".encode()
            instance.go.set()


async def test_who_hangs_up_ends_the_call_to_the_instance(
    http: aiohttp.ClientSession, instance: Instance
) -> None:
    reply = await http.get("/gateway/stream")
    await reply.content.readuntil(b"\n\n")

    reply.close()

    async with asyncio.timeout(10):
        await instance.gone.wait()


async def test_a_large_push_is_held_back_and_takes_no_memory(
    http: aiohttp.ClientSession, instance: Instance
) -> None:
    whole, sent = 20 << 20, 0
    instance.hold.clear()

    async def body() -> AsyncIterator[bytes]:
        nonlocal sent
        for _ in range(whole // 65536):
            sent += 65536
            yield bytes(65536)

    tracemalloc.start()
    try:
        push = asyncio.create_task(_text(http.post("/git/u_alice/site.git/push", data=body())))
        before = -1
        while before != sent:  # it stands still: the instance reads nothing
            before = sent
            await asyncio.sleep(0.3)
        assert 0 < sent < whole
        instance.hold.set()
        assert await push == str(whole)
        assert tracemalloc.get_traced_memory()[1] < 6 << 20
    finally:
        tracemalloc.stop()


async def _text(asked: Any) -> str:
    async with asked as reply:
        return str(await reply.text())


async def test_a_body_that_ends_early_is_never_taken_for_a_whole_one(
    settings: Settings, relay: Relay, instance: Instance
) -> None:
    _, writer = await asyncio.open_connection(HERE, Ports(settings.port)["relay"])
    writer.write(b"POST /mcp HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhalf")
    await until(lambda: len(instance.seen) == 1)
    writer.close()
    await until(lambda: instance.seen[0].transport is None)
    assert instance.bodies == []


async def test_an_answer_before_the_body_is_read_arrives(
    http: aiohttp.ClientSession, instance: Instance
) -> None:
    async with http.post("/git/u_alice/site.git/early", data=b"x" * 100_000) as reply:
        assert (reply.status, await reply.text()) == (401, "no")


async def test_one_that_waits_for_leave_to_send_gets_it(
    settings: Settings, relay: Relay, instance: Instance
) -> None:
    reader, writer = await asyncio.open_connection(HERE, Ports(settings.port)["relay"])
    writer.write(b"POST /mcp HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n"
                 b"Expect: 100-continue\r\n\r\n")  # fmt: skip
    async with asyncio.timeout(10):
        assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        writer.write(b"body")
        assert (await reader.readline()).split()[1] == b"207"
    writer.close()
    assert instance.bodies == [b"body"]


async def test_a_cut_answer_does_not_look_whole(
    http: aiohttp.ClientSession, instance: Instance
) -> None:
    with pytest.raises(aiohttp.ClientError):
        async with http.get("/gateway/cut") as reply:
            assert await reply.read() != b"the first half"


async def test_without_the_instance_it_says_so_and_goes_on_once_it_is_back(
    http: aiohttp.ClientSession, settings: Settings
) -> None:
    async with http.post("/mcp", data=b"x") as reply:
        assert (reply.status, (await reply.json())["code"]) == (502, "unavailable")
    async with serving(settings), http.post("/mcp", data=b"x") as reply:
        assert reply.status == 207


async def test_a_stream_that_stands_still_is_ended(settings: Settings, instance: Instance) -> None:
    relay = Relay(settings, idle=0.3)
    await relay.listen("127.0.0.4")
    url = f"http://127.0.0.4:{Ports(settings.port)['relay']}/gateway/stream"
    try:
        async with aiohttp.ClientSession() as session:
            async with session.get(url) as reply:
                with pytest.raises(aiohttp.ClientError):
                    await asyncio.wait_for(reply.read(), 10)
    finally:
        await relay.close()
