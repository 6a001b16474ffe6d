"""The memory tools over MCP: for a service of the generation that stands, and for nobody else."""

from __future__ import annotations

import json
import secrets
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from growqr import names
from growqr.config import Settings
from growqr.directory import Fence
from growqr.identity import agent_token, instance_secret, mint, stack_token
from growqr.store import Store, User

pytestmark = pytest.mark.anyio


@pytest.fixture
async def post(
    app: FastAPI, settings: Settings, store: Store, alice: User
) -> AsyncIterator[httpx.AsyncClient]:
    """Alice's OpenCode of the generation that stands."""
    settings.secrets.mkdir(exist_ok=True)
    (settings.secrets / "instance.key").write_text(secrets.token_hex(32))
    service = await store.services.want(alice.id, "opencode", "ready")
    token = stack_token(instance_secret(settings), alice.id, "opencode", service.generation)
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app),
        base_url="http://growqr",
        headers={"authorization": f"Bearer {token}"},
    ) as client:
        yield client


async def rpc(client: httpx.AsyncClient, method: str, **params: Any) -> Any:
    body = {"jsonrpc": "2.0", "id": 7, "method": method, "params": params}
    answer = await client.post("/mcp", json=body)
    assert answer.status_code == 200, answer.text
    assert answer.json()["id"] == 7
    return answer.json()


async def use(client: httpx.AsyncClient, name: str, **given: Any) -> tuple[str, bool]:
    result = (await rpc(client, "tools/call", name=name, arguments=given))["result"]
    return result["content"][0]["text"], result["isError"]


async def test_a_client_gets_to_know_the_tools(post: httpx.AsyncClient) -> None:
    hello = (await rpc(post, "initialize", protocolVersion="2025-06-18"))["result"]
    assert (hello["protocolVersion"], hello["serverInfo"]["name"]) == ("2025-06-18", "growqr")
    assert "tools" in hello["capabilities"]
    begun = await post.post("/mcp", json={"jsonrpc": "2.0", "method": "notifications/initialized"})
    assert (begun.status_code, begun.content) == (202, b"")
    tools = {t["name"]: t for t in (await rpc(post, "tools/list"))["result"]["tools"]}
    assert set(tools) == {"commit_memory", "list_memory", "read_memory", "search_memory"}
    assert tools["read_memory"]["inputSchema"]["required"] == ["path"]
    assert tools["read_memory"]["annotations"]["readOnlyHint"] is True
    assert tools["commit_memory"]["annotations"]["readOnlyHint"] is False
    assert (await rpc(post, "ping"))["result"] == {}


async def test_what_was_remembered_is_found_and_each_call_is_a_new_one(
    post: httpx.AsyncClient, store: Store, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("growqr.tools.commit_memory.COMMIT_WAIT", 0.01)
    for text in (
        "The launch is on Friday.",
        "The launch is on Monday.",
        "The launch is on Friday.",
    ):
        said, failed = await use(post, "commit_memory", path="notes/launch.md", content=text)
        assert not failed
        assert json.loads(said)["path"] == "notes/launch.md"
    assert len(await store.memory.history(alice.id, "notes/launch.md", limit=10)) == 3
    said, _ = await use(post, "search_memory", query="launch")
    assert json.loads(said)["results"][0]["path"] == "notes/launch.md"
    said, _ = await use(post, "read_memory", path="notes/launch.md")
    assert json.loads(said)["content"] == "The launch is on Friday.\n"


async def test_a_mistake_of_the_model_is_a_result_it_can_mend(post: httpx.AsyncClient) -> None:
    for name, given, said in [
        ("read_memory", {}, "path: Field required"),
        ("read_memory", {"path": "notes/none.md"}, "no memory file"),
        ("run_sub_agent", {"prompt": "x"}, "known are commit_memory"),
    ]:
        text, failed = await use(post, name, **given)
        assert failed
        assert said in text


async def test_what_is_no_request_is_told_in_their_codes(post: httpx.AsyncClient) -> None:
    assert (await rpc(post, "tools/none"))["error"]["code"] == -32601
    assert (await rpc(post, "tools/call", name=None))["error"]["code"] == -32602
    deep = b"[" * 100 + b"]" * 100
    for body, code in [(b"{", -32700), (deep, -32700), (b"[]", -32600), (b'{"id": 1}', -32600)]:
        answer = await post.post("/mcp", content=body)
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, code)
    assert (await post.get("/mcp")).status_code == 405


async def test_only_a_service_as_it_stands_is_let_in(
    post: httpx.AsyncClient, settings: Settings, store: Store, alice: User, bob: User
) -> None:
    await store.memory.accept(
        bob.id, "notes/b.md", "Bob's.\n", message="", author="bob", operation_id="1"
    )
    assert json.loads((await use(post, "list_memory"))[0])["files"] == []
    secret = instance_secret(settings)
    fence = Fence(names.grow_agent(alice.id), 1)
    assert await store.leases.take(fence, holder="test", ttl=60)
    for token in (
        "",
        "nonsense",
        mint(settings, alice.subject),
        agent_token(secret, fence),
        stack_token(secret, alice.id, "opencode", 99),
        stack_token(secret, alice.id, "gitea", 0),
        stack_token(secret, bob.id, "opencode", 0),
        stack_token(b"another secret", alice.id, "opencode", 0),
    ):
        answer = await post.post(
            "/mcp",
            json={"jsonrpc": "2.0", "id": 1, "method": "tools/list"},
            headers={"authorization": f"Bearer {token}"},
        )
        assert answer.status_code == 401, token
        assert answer.json()["code"] == "unauthorized"
