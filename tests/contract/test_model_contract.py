"""One conversation, whoever answers: agent's client → gateway over HTTP → provider → ledger."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

import aiohttp
import pytest

from deployments.models import make_app
from growqr import names
from growqr.config import Providers, Settings
from growqr.directory import Fence
from growqr.errors import BudgetExceeded
from growqr.identity import agent_token, instance_secret
from growqr.models import GatewayModel, ModelRequest, Reply
from growqr.store import Store, User
from tests.fakes.chat_offline import offline_chat
from tests.fakes.messages_api import MessagesApi
from tests.fakes.serving import serving

pytestmark = pytest.mark.anyio

TOOLS = [
    {"name": name, "description": name, "input_schema": {"type": "object", "properties": {}}}
    for name in ("commit_memory", "search_memory", "list_memory", "read_memory")
]
KEY = "sk-canary-0123456789"


class Line(NamedTuple):
    """A line to a model: who asks, and where."""

    model: GatewayModel
    store: Store
    fence: Fence
    url: str
    session: aiohttp.ClientSession
    settings: Settings

    async def ask(self, messages: list[dict[str, Any]], call: str = "c1", **more: Any) -> Reply:
        request = ModelRequest("You are a Grow Agent.", messages, TOOLS, 1000)
        return await self.model.reply(request, call_id=call, turn_id="trn_1", **more)


@pytest.fixture(params=["scripted", "anthropic", "openai_compatible"])
async def keys(request: pytest.FixtureRequest) -> AsyncIterator[dict[str, str]]:
    """What is set about providers: it decides who answers."""
    if request.param == "anthropic":
        with MessagesApi(key=KEY) as api:
            yield {"ANTHROPIC_API_KEY": KEY, "ANTHROPIC_BASE_URL": api.url}
    elif request.param == "openai_compatible":
        async with serving(offline_chat(KEY, [])) as url:
            yield {"OPENAI_API_KEY": KEY, "OPENAI_BASE_URL": url + "/v1"}
    else:
        yield {}


@pytest.fixture
async def line(
    keys: dict[str, str], database_url: str, store: Store, alice: User, tmp_path: Path
) -> AsyncIterator[Line]:
    async with open_line(keys, database_url, store, alice, tmp_path) as opened:
        yield opened


@asynccontextmanager
async def open_line(
    keys: dict[str, str], database_url: str, store: Store, user: User, data: Path, **chosen: Any
) -> AsyncIterator[Line]:
    settings = Settings(data=data, **chosen)
    settings.secrets.mkdir()
    (settings.secrets / "instance.key").write_text(secrets.token_hex(32))
    app = make_app(settings, Store(database_url, 2), Providers(_env_file=None, **keys))
    fence = Fence(names.grow_agent(user.id), 1)
    assert await store.leases.take(fence, holder="test", ttl=60)
    token = agent_token(instance_secret(settings), fence)
    async with serving(app) as url, aiohttp.ClientSession() as session:
        model = GatewayModel(url, token, session)
        yield Line(model, store, fence, url, session, settings)


def said(text: str) -> dict[str, Any]:
    return {"role": "user", "content": [{"type": "text", "text": text}]}


def answered(reply: Reply, *results: str) -> list[dict[str, Any]]:
    blocks = [
        {"type": "tool_result", "tool_use_id": call["id"], "content": result}
        for call, result in zip(reply.tool_calls, results, strict=True)
    ]
    return [
        {"role": "assistant", "content": reply.content},
        {"role": "user", "content": blocks},
    ]


async def test_remembering_is_a_tool_call_and_then_a_reply(line: Line) -> None:
    talk = [said("remember that the launch is on Friday")]
    first = await line.ask(talk, "c1")
    assert first.stop_reason == "tool_use"
    (call,) = first.tool_calls
    assert call["name"] == "commit_memory"
    assert call["input"]["path"] == "notes/launch-friday.md"
    assert call["input"]["content"] == "The launch is on Friday.\n"
    talk += answered(first, '{"path": "notes/launch-friday.md", "commit": "abcdef0123456789"}')
    second = await line.ask(talk, "c2")
    assert second.stop_reason == "end_turn"
    assert "notes/launch-friday.md" in second.text
    assert "abcdef0123" in second.text
    spent = await line.store.usage.of_turn("trn_1")
    assert spent["calls"] == 2
    assert spent["input_tokens"] == first.usage["input_tokens"] + second.usage["input_tokens"] > 0
    assert (
        spent["output_tokens"] == first.usage["output_tokens"] + second.usage["output_tokens"] > 0
    )


async def test_several_tools_are_called_in_one_reply(line: Line) -> None:
    talk = [said("remember that the cat is Tom; the dog is Rex; the fish is Bob")]
    first = await line.ask(talk, "c1")
    assert [call["name"] for call in first.tool_calls] == ["commit_memory"] * 3
    assert len({call["id"] for call in first.tool_calls}) == 3
    assert len({call["input"]["path"] for call in first.tool_calls}) == 3
    second = await line.ask(talk + answered(first, *['{"pending": true}'] * 3), "c2")
    assert all(name in second.text for name in ("tom", "rex", "bob"))


async def test_the_reply_is_told_piece_by_piece_in_order(line: Line) -> None:
    pieces: list[tuple[str, str]] = []
    reply = await line.ask([said("hello")], on_delta=lambda *piece: pieces.append(piece))
    assert len(pieces) > 5
    assert {kind for kind, _ in pieces} == {"text"}
    assert "".join(text for _, text in pieces) == reply.text


async def test_the_same_call_is_booked_once(line: Line) -> None:
    await line.ask([said("hello")], "same")
    await line.ask([said("hello")], "same")
    assert (await line.store.usage.of_turn("trn_1"))["calls"] == 1


async def test_a_passed_epoch_gets_no_answer(line: Line) -> None:
    await line.store.leases.burn(Fence(line.fence.key, 2))
    await line.store.leases.release(line.fence)
    assert await line.store.leases.take(Fence(line.fence.key, 2), holder="next", ttl=60)
    async with line.session.post(
        line.url + "/anthropic/v1/messages",
        json={"messages": [said("hello")]},
        headers={
            "x-api-key": agent_token(instance_secret(line.settings), line.fence),
        },
    ) as answer:
        assert answer.status == 401
        assert (await answer.json())["error"]["type"] == "authentication_error"
    assert (await line.store.usage.of_turn("trn_1"))["calls"] == 0


async def test_a_spent_budget_stops_a_turn_in_the_middle_of_its_work(
    keys: dict[str, str], database_url: str, store: Store, alice: User, tmp_path: Path
) -> None:
    chosen = {"budget_turn_tokens": 20}
    async with open_line(keys, database_url, store, alice, tmp_path, **chosen) as line:
        talk = [said("remember that the launch is on Friday")]
        first = await line.ask(talk, "c1")
        talk += answered(first, '{"pending": true}')
        with pytest.raises(BudgetExceeded, match="of 20 tokens; somebody must allow") as spent:
            await line.ask(talk, "c2")
    assert spent.value.detail["scope"] == "turn:trn_1"
    used = await store.usage.of_turn("trn_1")
    counted = sum(count for name, count in used.items() if name.endswith("_tokens"))
    assert (used["calls"], counted) == (1, spent.value.detail["spent"])


async def test_a_request_without_stream_gets_one_message(line: Line) -> None:
    async with line.session.post(
        line.url + "/anthropic/v1/messages",
        json={"messages": [{"role": "user", "content": "hello"}], "max_tokens": 100},
        headers={
            "authorization": f"Bearer {agent_token(instance_secret(line.settings), line.fence)}"
        },
    ) as answer:
        assert answer.status == 200
        message = await answer.json()
    assert message["type"] == "message"
    assert message["stop_reason"] == "end_turn"
    assert message["content"][0]["text"].startswith("Hello!")
    assert message["usage"]["output_tokens"] > 2
