"""What the relay refuses, and where it listens at all."""

from __future__ import annotations

import asyncio
import json

import aiohttp
import pytest

from growqr.config import Settings
from growqr.errors import InstanceError
from growqr.instance.ports import Ports
from growqr.stacks.gate.relay import CONNECTIONS, Relay
from tests.unit.stacks.relay.conftest import HERE, Instance, raw

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    "path",
    ["/", "/metrics", "/actors/me/message", "/mcp/", "/mcpx", "/gateway", "/gateway/", "/gatewayx",
     "/git/../actors/me", "/git/./x", "/gateway/%2e%2e/actors/me", "/gateway/..%2factors",
     "/gateway/a%2f..%2f..%2factors", "/git//x", "//git/x", "/git/a\\..\\..\\x", "/git/a/..",
     "/GIT/x", "/git/a;b/../c", "/mcp#x", "/git/%252e%252e/x", "/gateway/x/../../actors?/mcp",
     "/?/mcp", "*"],
)  # fmt: skip
async def test_no_other_path_is_there_however_it_is_written(
    settings: Settings, relay: Relay, instance: Instance, path: str
) -> None:
    answer = await raw(
        settings, f"GET {path} HTTP/1.1\r\nHost: growqr\r\nConnection: close\r\n\r\n".encode()
    )

    head, _, body = answer.partition(b"\r\n\r\n")
    status = int(head.split()[1])
    assert status in (400, 404)
    if b"problem+json" in head:
        assert json.loads(body)["status"] == status
    assert instance.seen == []


async def test_a_refusal_is_a_problem_document(
    http: aiohttp.ClientSession, instance: Instance
) -> None:
    async with http.get("/actors/me/thread") as reply:
        problem = await reply.json()
        assert reply.headers["Content-Type"].startswith("application/problem+json")
    assert (problem["status"], problem["code"]) == (404, "not_found")
    assert problem["type"] == "https://growqr.dev/problems/not_found"
    assert instance.seen == []


GIT = b"Host: growqr\r\nConnection: close\r\n"


@pytest.mark.parametrize(
    "text",
    [
        b"GET http://127.0.0.1:1/mcp HTTP/1.1\r\n" + GIT + b"\r\n",
        b"GET http://growqr/gateway/x HTTP/1.1\r\n" + GIT + b"\r\n",
        b"CONNECT 127.0.0.1:5432 HTTP/1.1\r\n" + GIT + b"\r\n",
        b"CONNECT /mcp HTTP/1.1\r\n" + GIT + b"\r\n",
        b"GET /mcp HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
        b"POST /mcp HTTP/1.1\r\nHost: x\r\nUpgrade: h2c\r\nContent-Length: 0\r\n\r\n",
        b"DELETE /git/repos/site HTTP/1.1\r\n" + GIT + b"\r\n",
        b"PUT /git/repos/site/contents/x HTTP/1.1\r\n" + GIT + b"\r\n",
        b"POST /mcp HTTP/1.1\r\n" + GIT
        + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST /mcp HTTP/1.1\r\n" + GIT + b"Content-Length: 4\r\nContent-Length: 5\r\n\r\nabcde",
        b"GET /mcp HTTP/1.1\r\n" + GIT + b"X-Odd: \xff\r\n\r\n",
        b"GET /mcp HTTP/1.1\r\n" + GIT + b"Expect: the-moon\r\n\r\n",
        b"GET /mcp HTTP/1.1\r\n" + GIT + b"X-Big: " + b"a" * 20_000 + b"\r\n\r\n",
        b"GET /mcp HTTP/1.1\r\n" + GIT + b"X-A: b\r\n" * 200 + b"\r\n",
        b"GET /gateway/" + b"a" * 20_000 + b" HTTP/1.1\r\n" + GIT + b"\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ],
)  # fmt: skip
async def test_tricks_are_refused_and_reach_nothing(
    settings: Settings, relay: Relay, instance: Instance, text: bytes
) -> None:
    reader, writer = await asyncio.open_connection(HERE, Ports(settings.port)["relay"])
    writer.write(text)
    async with asyncio.timeout(10):
        line = await reader.readline()
    writer.close()

    assert line == b"" or 400 <= int(line.split()[1]) < 500
    assert instance.seen == []


async def test_no_container_can_hold_all_connections(
    settings: Settings, relay: Relay, instance: Instance
) -> None:
    port = Ports(settings.port)["relay"]
    held = [await asyncio.open_connection(HERE, port) for _ in range(CONNECTIONS)]
    try:
        assert await _closed_at_once(port, "127.0.0.1")
        assert not await _closed_at_once(port, "127.0.0.9")
        held.pop()[1].close()
        async with asyncio.timeout(10):
            while await _closed_at_once(port, "127.0.0.1"):
                await asyncio.sleep(0.02)
    finally:
        for _, writer in held:
            writer.close()


async def _closed_at_once(port: int, source: str) -> bool:
    """Whether a connection from `source` gets no answer at all."""
    reader, writer = await asyncio.open_connection(HERE, port, local_addr=(source, 0))
    try:
        writer.write(b"GET /mcp HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        return await asyncio.wait_for(reader.readline(), 10) == b""
    except ConnectionError:
        return True
    finally:
        writer.close()


async def test_it_listens_where_it_is_told_and_nowhere_else(
    settings: Settings, relay: Relay, instance: Instance
) -> None:
    port = Ports(settings.port)["relay"]
    await relay.listen(HERE)
    await relay.listen("127.0.0.3")

    assert b" 207 " in await raw(settings, b"GET /mcp HTTP/1.0\r\n\r\n", "127.0.0.3")
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", port)
    await relay.leave("127.0.0.3")
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.3", port)
    await relay.listen("127.0.0.3")
    assert b" 207 " in await raw(settings, b"GET /mcp HTTP/1.0\r\n\r\n", "127.0.0.3")


@pytest.mark.parametrize("address", ["0.0.0.0", "::", "224.0.0.1"])
async def test_it_never_listens_everywhere(settings: Settings, address: str) -> None:
    with pytest.raises(InstanceError, match="addresses of networks"):
        await Relay(settings).listen(address)


async def test_an_address_that_is_not_there_is_named_and_can_be_tried_again(
    settings: Settings, relay: Relay
) -> None:
    with pytest.raises(InstanceError, match=r"cannot listen on 203\.0\.113\.7:\d+"):
        await relay.listen("203.0.113.7")
    with pytest.raises(InstanceError, match=r"cannot listen on 203\.0\.113\.7:\d+"):
        await relay.listen("203.0.113.7")


async def test_closed_it_leaves_nothing_and_may_begin_anew(
    settings: Settings, relay: Relay, http: aiohttp.ClientSession, instance: Instance
) -> None:
    reply = await http.get("/gateway/stream")
    await reply.content.readuntil(b"\n\n")

    async with asyncio.timeout(10):
        await relay.close()
        await instance.gone.wait()

    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection(HERE, Ports(settings.port)["relay"])
    reply.close()
    await relay.listen(HERE)
    assert b" 207 " in await raw(settings, b"GET /mcp HTTP/1.0\r\n\r\n")
