"""Calls of stacks: whose they are, what they are booked to, and how they are refused."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Any, NamedTuple

import aiohttp
import pytest

from deployments.models import app_over
from growqr.config import Settings
from growqr.directory import Fence
from growqr.errors import StoreUnavailable
from growqr.identity import read_token, stack_token
from growqr.models import Chain, Gateway, Limits, Link
from growqr.models.base import StreamEvent
from growqr.models.providers.scripted import Scripted
from tests.fakes.serving import serving

pytestmark = pytest.mark.anyio

SECRET = bytes(32)
HELLO = {"model": "default", "messages": [{"role": "user", "content": "hello"}]}


class Row(NamedTuple):
    generation: int


class Rows:
    """Alice's OpenCode of generation 4, with one session in a turn; and the ledger.

    `under_way`: the newest prompt that she waits for.
    """

    def __init__(self) -> None:
        self.ledger: list[tuple[str, dict[str, Any]]] = []
        self.outage = 0
        self.under_way: tuple[str, str] | None = None

    async def owner(self, key: str) -> tuple[str, int] | None:
        return ("u_alice", 1) if key == "grow-agent:u_alice" else None

    async def get(self, user_id: str, role: str) -> Row | None:
        if self.outage:
            self.outage -= 1
            raise StoreUnavailable()
        return (
            Row(4) if (user_id, role) in (("u_alice", "opencode"), ("u_bob", "opencode")) else None
        )

    async def by_session(self, user_id: str, session_id: str | None) -> tuple[str, str] | None:
        if (user_id, session_id) == ("u_alice", "ses_1"):
            return ("trn_1", "stp_1")
        return self.under_way if user_id == "u_alice" else None

    async def record(self, call_id: str, **row: Any) -> bool:
        self.ledger.append((call_id, row))
        return True


class Counted(Scripted):
    """The offline model, which knows how many calls it had at once."""

    under_way = most = 0

    async def stream(self, body: dict[str, Any]) -> AsyncGenerator[StreamEvent, None]:
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        try:
            await asyncio.sleep(0.05)
            async for event in super().stream(body):
                yield event
        finally:
            self.under_way -= 1


@pytest.fixture
def rows() -> Rows:
    return Rows()


@pytest.fixture
def provider() -> Counted:
    return Counted()


@pytest.fixture
async def url(rows: Rows, provider: Counted) -> AsyncIterator[str]:
    only = ("growqr-offline",)
    gateway = Gateway(
        Chain([Link(provider)]),
        Limits.of(Settings(data="/nowhere", llm_allowed=only, limit_model_calls=3), provider),
        leases=rows,
        ledger=rows,
        read_token=lambda token: read_token(SECRET, token),
        services=rows,
        sessions=rows,
    )
    async with serving(app_over(gateway)) as served:
        yield served


async def post(
    url: str,
    token: str,
    body: Any = HELLO,
    path: str = "/openai/v1/chat/completions",
    **headers: str,
) -> tuple[int, Any]:
    sent = {"authorization": f"Bearer {token}"} | headers
    async with aiohttp.ClientSession() as session:
        async with session.post(url + path, json=body, headers=sent) as answer:
            return answer.status, await answer.json()


def token_of(user_id: str = "u_alice", generation: int = 4, role: str = "opencode") -> str:
    return stack_token(SECRET, user_id, role, generation)


async def test_the_session_tells_the_turn_and_a_strange_one_only_the_user(
    url: str, rows: Rows
) -> None:
    for user, session, booked in [
        ("u_alice", "ses_1", ("u_alice", "trn_1", "stp_1")),
        ("u_alice", "ses_unknown", ("u_alice", None, None)),
        ("u_alice", "a b\u00e9", ("u_alice", None, None)),
        ("u_bob", "ses_1", ("u_bob", None, None)),
    ]:
        headers = {"X-Session-Id": session}
        assert (await post(url, token_of(user), **headers))[0] == 200
        call_id, row = rows.ledger.pop()
        assert (row["user_id"], row["turn_id"], row["step_id"]) == booked
        assert call_id.startswith(f"stack:{user}:")
    assert rows.ledger == []


async def test_a_strange_session_is_booked_to_what_is_under_way(url: str, rows: Rows) -> None:
    rows.under_way = ("trn_2", "stp_2")
    for session in ({}, {"X-Session-Id": "ses_unknown"}, {"X-Session-Id": "a b\u00e9"}):
        assert (await post(url, token_of(), **session))[0] == 200
        assert rows.ledger.pop()[1]["turn_id"] == "trn_2"


async def test_calls_beyond_so_many_at_once_wait_and_are_answered(
    url: str, rows: Rows, provider: Counted
) -> None:
    answers = await asyncio.gather(*(post(url, token_of()) for _ in range(10)))
    assert [status for status, _ in answers] == [200] * 10
    assert (provider.most, len(rows.ledger)) == (3, 10)


async def test_a_stack_cannot_choose_what_its_call_is_booked_as(url: str, rows: Rows) -> None:
    labels = {"x-growqr-call-id": "stp_1.1.1", "x-growqr-turn-id": "trn_of_another"}
    for path in ("/openai/v1/chat/completions", "/anthropic/v1/messages"):
        assert (await post(url, token_of(), path=path, **labels))[0] == 200
    assert len({call_id for call_id, _ in rows.ledger}) == 2
    assert all(call_id.startswith("stack:u_alice:") for call_id, _ in rows.ledger)
    assert all(row["turn_id"] is None for _, row in rows.ledger)


async def test_a_passed_generation_and_a_stranger_get_no_answer(url: str, rows: Rows) -> None:
    for token in (
        "",
        token_of(generation=3),
        token_of(generation=5),
        token_of(role="gitea"),
        token_of("u_carol"),
        token_of()[:-1] + ("A" if token_of()[-1] != "A" else "B"),
    ):
        status, said = await post(url, token)
        assert (status, said["error"]["type"]) == (401, "authentication_error")
    assert rows.ledger == []


async def test_refusals_are_in_the_form_of_chat_completions(url: str, rows: Rows) -> None:
    for body, said in [
        ({"messages": []}, "messages"),
        ({"messages": [{"role": "user"}], "tools": [{}]}, "no chat completion"),
        ({"messages": ["x"]}, "no chat completion"),
        (HELLO | {"model": "gpt-9"}, "not allowed"),
    ]:
        status, answer = await post(url, token_of(), body)
        assert (status, answer["error"]["type"]) == (400, "invalid_request_error")
        assert said in answer["error"]["message"]
    assert rows.ledger == []


async def test_a_database_that_restarts_only_delays_a_stack(url: str, rows: Rows) -> None:
    rows.outage = 2
    assert (await post(url, token_of()))[0] == 200


async def test_an_agents_token_opens_both_doors(url: str, rows: Rows) -> None:
    from growqr.identity import agent_token

    token = agent_token(SECRET, Fence("grow-agent:u_alice", 1))
    headers = {"x-growqr-call-id": "c1", "x-growqr-turn-id": "trn_2", "X-Session-Id": "ses_1"}
    status, answer = await post(url, token, **headers)
    assert status == 200
    assert json.dumps(answer).count("Hello!") == 1
    assert rows.ledger[0][0] == "c1"
    assert rows.ledger[0][1]["turn_id"] == "trn_2"
