"""What an agent hears when the model's server fails, and what the ledger holds then."""

from __future__ import annotations

import asyncio
import io
import json
import time
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import aiohttp
import pytest

from deployments.models import app_over
from growqr.config import Providers, Settings
from growqr.directory import Fence
from growqr.errors import ModelError, ModelUnavailable, StoreUnavailable, Unauthorized
from growqr.models import (
    INVALID_JSON,
    Chain,
    Gateway,
    GatewayModel,
    Limits,
    ModelRequest,
    Persistence,
    Reply,
)
from tests.fakes.messages_api import THOUGHT, MessagesApi
from tests.fakes.serving import serving

pytestmark = pytest.mark.anyio

KEY = "sk-canary-0123456789"
TOOLS = [{"name": "note", "description": "", "input_schema": {"type": "object"}}]


class Books:
    """Leases and ledger of one user in memory; `outage` calls fail before one goes through."""

    def __init__(self) -> None:
        self.rows: dict[str, dict[str, Any]] = {}
        self.epoch = 3
        self.outage = 0

    async def owner(self, key: str) -> tuple[str, int] | None:
        self._maybe_away()
        return ("u_alice", self.epoch) if key == "grow-agent:u_alice" else None

    async def record(self, call_id: str, **row: Any) -> bool:
        self._maybe_away()
        return self.rows.setdefault(call_id, row) is row

    def _maybe_away(self) -> None:
        if self.outage:
            self.outage -= 1
            raise StoreUnavailable()


def read_token(text: str) -> Fence:
    key, _, epoch = text.rpartition("#")
    if not epoch.isdigit():
        raise Unauthorized("not a token of an agent")
    return Fence(key, int(epoch))


@pytest.fixture
def api() -> Iterator[MessagesApi]:
    with MessagesApi(key=KEY) as started:
        yield started


@pytest.fixture
def books() -> Books:
    return Books()


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as opened:
        yield opened


def make_gateway(books: Books, base_url: str, key: str = KEY, **settings: Any) -> Gateway:
    chosen = Settings(data="/nowhere", **settings)
    keys = {"ANTHROPIC_API_KEY": key, "ANTHROPIC_BASE_URL": base_url}
    chain = Chain.open(chosen, Providers(_env_file=None, **keys), Persistence(first_pause=0.02))
    limits = Limits.of(chosen, chain.first)
    return Gateway(chain, limits, leases=books, ledger=books, read_token=read_token)


@pytest.fixture
async def url(api: MessagesApi, books: Books) -> AsyncIterator[str]:
    gateway = make_gateway(books, api.url, llm_max_tokens=500)
    async with serving(app_over(gateway)) as served:
        yield served
    await gateway.close()


@pytest.fixture
def model(url: str, session: aiohttp.ClientSession) -> GatewayModel:
    return GatewayModel(url, "grow-agent:u_alice#3", session)


async def ask(line: GatewayModel, text: str, call: str = "c1", **more: Any) -> Reply:
    messages = [{"role": "user", "content": [{"type": "text", "text": text}]}]
    return await say(line, messages, call, **more)


async def say(line: GatewayModel, messages: list[Any], call: str = "c1", **more: Any) -> Reply:
    request = ModelRequest(
        "", messages, TOOLS, more.pop("max_tokens", 100), more.pop("model", None)
    )
    return await line.reply(request, call_id=call, turn_id="t1", step_id="s1", **more)


async def until(condition: Callable[[], object], seconds: float = 10) -> None:
    async with asyncio.timeout(seconds):
        while True:
            if condition():
                return
            await asyncio.sleep(0.01)


async def test_thinking_comes_back_whole_with_its_signature(
    model: GatewayModel, books: Books
) -> None:
    pieces: list[tuple[str, str]] = []
    text = '[[thinking]] [[tools note {"a": 1} ; note {"b": "é"}]]'
    first = await ask(model, text, on_delta=lambda *piece: pieces.append(piece))
    assert [block["type"] for block in first.content] == ["thinking", "tool_use", "tool_use"]
    assert "".join(piece for kind, piece in pieces if kind == "thinking") == THOUGHT
    assert [call["input"] for call in first.tool_calls] == [{"a": 1}, {"b": "é"}]
    talk = [{"role": "user", "content": text}, {"role": "assistant", "content": first.content}]
    results = [
        {"type": "tool_result", "tool_use_id": call["id"], "content": f"result {number}"}
        for number, call in enumerate(first.tool_calls)
    ]
    second = await say(model, [*talk, {"role": "user", "content": results}], "c2")
    assert second.text == "The tools answered: result 0; result 1"
    talk[1] = {"role": "assistant", "content": first.tool_calls}
    with pytest.raises(ModelError, match="Expected `thinking`"):
        await say(model, [*talk, {"role": "user", "content": results}], "c3")
    talk[1] = {"role": "assistant", "content": first.content}
    with pytest.raises(ModelError, match="without `tool_result`"):
        await say(model, [*talk, {"role": "user", "content": results[:1]}], "c4")
    assert books.rows["c1"]["cache_read_tokens"] == 7
    assert books.rows["c1"]["output_tokens"] == first.usage["output_tokens"] > 2
    assert set(books.rows) == {"c1", "c2"}


@pytest.mark.parametrize("status", [429, 500, 529])
async def test_a_passing_failure_is_tried_again(
    model: GatewayModel, api: MessagesApi, books: Books, status: int
) -> None:
    reply = await ask(model, f"hello [[status {status} 2]]")
    assert reply.stop_reason == "end_turn"
    assert len(api.requests) == 3
    assert list(books.rows) == ["c1"]


async def test_a_lasting_failure_is_given_up_after_four_tries(
    model: GatewayModel, api: MessagesApi, books: Books
) -> None:
    with pytest.raises(ModelUnavailable, match="not able to answer now: as told"):
        await ask(model, "hello [[status 529]]")
    assert len(api.requests) == 4
    assert books.rows == {}


async def test_a_refusal_is_told_and_not_tried_again(
    model: GatewayModel, api: MessagesApi, books: Books
) -> None:
    with pytest.raises(ModelError, match="non-empty"):
        await ask(model, " ")
    assert len(api.requests) == 1
    assert books.rows == {}


async def test_a_wrong_key_is_named_and_never_shown(
    api: MessagesApi, books: Books, session: aiohttp.ClientSession
) -> None:
    gateway = make_gateway(books, api.url, "sk-wrong")
    async with serving(app_over(gateway)) as url:
        model = GatewayModel(url, "grow-agent:u_alice#3", session)
        with pytest.raises(ModelError, match=r"refused the key.*ANTHROPIC_API_KEY") as refused:
            await ask(model, "hello")
    assert "sk-wrong" not in str(refused.value) + json.dumps(refused.value.detail)
    await gateway.close()


async def test_a_server_that_is_down_is_said_within_five_seconds(
    books: Books, session: aiohttp.ClientSession
) -> None:
    with MessagesApi() as gone:
        address = gone.url
    gateway = make_gateway(books, address)
    async with serving(app_over(gateway)) as url:
        model = GatewayModel(url, "grow-agent:u_alice#3", session)
        began = time.monotonic()
        with pytest.raises(ModelUnavailable, match="cannot be reached"):
            await ask(model, "hello")
        assert time.monotonic() - began < 5
    await gateway.close()
    with pytest.raises(ModelUnavailable, match="gateway cannot be reached"):
        await ask(GatewayModel(address, "x#1", session), "hello")


async def test_a_stream_cut_inside_a_tool_call_is_no_reply_and_is_booked(
    model: GatewayModel, api: MessagesApi, books: Books
) -> None:
    text = '[[cut]] [[tools note {"text": "a long argument that will never be whole"}]]'
    with pytest.raises(ModelUnavailable, match="cut") as heard:
        await ask(model, text)
    assert heard.value.detail["reason"] == "cut"
    assert len(api.requests) == 1
    assert books.rows["c1"]["input_tokens"] > 0
    assert books.rows["c1"]["output_tokens"] == 2


async def test_an_error_in_the_stream_ends_the_reply(model: GatewayModel, books: Books) -> None:
    with pytest.raises(ModelUnavailable, match="in the middle of its reply: as told"):
        await ask(model, "hello [[error overloaded_error]]")
    with pytest.raises(ModelError, match="refused the request: as told"):
        await ask(model, "hello [[error invalid_request_error]]", "c2")
    assert set(books.rows) == {"c1", "c2"}


async def test_arguments_that_are_no_json_reach_the_loop_as_sent(model: GatewayModel) -> None:
    reply = await ask(model, '[[bad-args note {"path": "notes/]]')
    assert reply.tool_calls[0]["input"] == {INVALID_JSON: '{"path": "notes/'}


async def test_a_client_that_hangs_up_ends_the_call_and_is_booked_once(
    model: GatewayModel, api: MessagesApi, books: Books
) -> None:
    heard = asyncio.Event()
    asking = asyncio.create_task(
        ask(model, "hello [[slow 0.1]]", on_delta=lambda *piece: heard.set())
    )
    async with asyncio.timeout(10):
        await heard.wait()
    asking.cancel()
    await until(lambda: books.rows and api.hung_up.is_set())
    assert books.rows["c1"]["turn_id"] == "t1"


async def test_a_client_that_hangs_up_before_the_first_event_ends_the_call(
    model: GatewayModel, api: MessagesApi, books: Books
) -> None:
    asking = asyncio.create_task(ask(model, "hello [[slow 0.5]]"))
    await until(lambda: api.requests)
    asking.cancel()
    await until(api.hung_up.is_set)
    assert books.rows == {}


async def test_a_database_that_restarts_delays_a_call_and_loses_nothing(
    model: GatewayModel, books: Books
) -> None:
    books.outage = 2
    pieces: list[str] = []

    def hear(kind: str, piece: str) -> None:
        if not pieces:
            books.outage = 2
        pieces.append(piece)

    await ask(model, "hello [[slow 0.02]]", on_delta=hear)
    assert list(books.rows) == ["c1"]
    assert books.outage == 0


async def test_tokens_and_bodies_are_checked_before_the_call(
    url: str, api: MessagesApi, books: Books, session: aiohttp.ClientSession
) -> None:
    good = {"authorization": "Bearer grow-agent:u_alice#3"}
    hello = json.dumps({"messages": [{"role": "user", "content": "hello"}]})
    for headers, body, status, kind in [
        ({}, hello, 401, "authentication_error"),
        ({"x-api-key": "nonsense"}, hello, 401, "authentication_error"),
        ({"x-api-key": "grow-agent:u_alice#2"}, hello, 401, "authentication_error"),
        ({"x-api-key": "grow-agent:u_bob#3"}, hello, 401, "authentication_error"),
        (good, "{", 400, "invalid_request_error"),
        (good, "[]", 400, "invalid_request_error"),
        (good, '{"messages": []}', 400, "invalid_request_error"),
        (good, hello[:-1] + ', "max_tokens": 0}', 400, "invalid_request_error"),
        (good, hello[:-1] + ', "model": 7}', 400, "invalid_request_error"),
        (good | {"x-growqr-call-id": "a b"}, hello, 400, "invalid_request_error"),
        (good, hello + " " * (8 << 20), 413, "request_too_large"),
    ]:
        async with session.post(
            url + "/anthropic/v1/messages", data=io.BytesIO(body.encode()), headers=headers
        ) as answer:
            said = await answer.json()
            assert (answer.status, said["error"]["type"]) == (status, kind), said
    assert api.requests == []
    assert books.rows == {}


async def test_what_is_asked_for_stays_within_the_limits(
    model: GatewayModel, api: MessagesApi, books: Books, session: aiohttp.ClientSession
) -> None:
    await ask(model, "hello", max_tokens=100_000, model="any-model")
    sent = api.requests[0].body
    assert (sent["max_tokens"], sent["model"]) == (500, "any-model")
    gateway = make_gateway(books, api.url, llm_model="small", llm_allowed=("large",))
    async with serving(app_over(gateway)) as url:
        strict = GatewayModel(url, "grow-agent:u_alice#3", session)
        await ask(strict, "hello", "c2")
        await ask(strict, "hello", "c3", model="large")
        with pytest.raises(ModelError, match="allowed: large, small"):
            await ask(strict, "hello", "c4", model="any-model")
    await gateway.close()
    assert [request.body["model"] for request in api.requests[1:]] == ["small", "large"]


async def test_fields_the_gateway_does_not_know_pass_unchanged(
    url: str, api: MessagesApi, session: aiohttp.ClientSession
) -> None:
    cached = {"type": "text", "text": "hello", "cache_control": {"type": "ephemeral"}}
    body = {
        "messages": [{"role": "user", "content": [cached]}],
        "thinking": {"type": "enabled", "budget_tokens": 1024},
        "something_new": [1, {"deep": True}],
        "stream": True,
    }
    headers = {"authorization": "Bearer grow-agent:u_alice#3"}
    async with session.post(url + "/anthropic/v1/messages", json=body, headers=headers) as answer:
        assert answer.status == 200
        assert b"message_stop" in await answer.read()
    (request,) = api.requests
    assert {key: request.body[key] for key in body} == body
    assert request.headers["x-api-key"] == KEY
    assert "grow-agent" not in json.dumps(request.headers)


@pytest.mark.parametrize("failure", ["mute 5", "stall 0 5", "stall 2 5", "stall 6 5"])
async def test_a_silent_server_is_given_up_and_not_asked_again(
    api: MessagesApi, books: Books, session: aiohttp.ClientSession, failure: str, monkeypatch: Any
) -> None:
    """Before the first byte, before the first event, before any content, in the middle."""
    monkeypatch.setattr("growqr.models.trouble.SILENCE_DEADLINE", 0.2)
    gateway = make_gateway(books, api.url)
    api.failures.append(failure)
    async with serving(app_over(gateway)) as url:
        model = GatewayModel(url, "grow-agent:u_alice#3", session)
        with pytest.raises(ModelUnavailable, match="did not answer in time"):
            await ask(model, "hello")
    await gateway.close()
    assert len(api.requests) == 1


async def test_a_slow_server_is_heard_as_long_as_it_goes_on(
    api: MessagesApi, books: Books, session: aiohttp.ClientSession, monkeypatch: Any
) -> None:
    monkeypatch.setattr("growqr.models.trouble.SILENCE_DEADLINE", 0.6)
    gateway = make_gateway(books, api.url)
    async with serving(app_over(gateway)) as url:
        model = GatewayModel(url, "grow-agent:u_alice#3", session)
        began = time.monotonic()
        await ask(model, "hello [[slow 0.06]]")
        assert time.monotonic() - began > 0.6
    await gateway.close()


async def test_a_silent_gateway_is_given_up(
    api: MessagesApi, session: aiohttp.ClientSession, monkeypatch: Any
) -> None:
    monkeypatch.setattr("growqr.models.client.SILENCE_DEADLINE", 0.2)

    async def swallow(scope: Any, receive: Any, send: Any) -> None:
        assert scope["type"] == "http"
        while (await receive())["type"] != "http.disconnect":
            pass

    async with serving(swallow) as url:
        with pytest.raises(ModelUnavailable, match="silent for too long"):
            await ask(GatewayModel(url, "grow-agent:u_alice#3", session), "hello")
