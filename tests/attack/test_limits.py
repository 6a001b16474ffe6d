"""Too much of what is allowed: requests, streams, strangers, sub-agents."""

from __future__ import annotations

import asyncio
import json
import re
from collections import Counter

import httpx
import pytest

from growqr.config import Settings
from growqr.identity import stack_token
from growqr.store import Store, User
from tests.attack.house import SECRET, House, house, problem

pytestmark = pytest.mark.anyio

LIVE = 8
"""Sub-agents of one user that may live at once."""


async def test_94_the_101st_request_of_a_minute(
    settings: Settings, store: Store, alice: User, bob: User
) -> None:
    narrow = settings.model_copy(update={"limit_requests": 100})
    async with house(narrow, store, replicas=2) as ours:
        here, there = [await ours.person(alice, replica) for replica in (0, 1)]
        answers = [await (here, there)[n % 2].get("/users/me") for n in range(100)]
        assert {answer.status_code for answer in answers} == {200}
        left = [int(re.findall(r"r=(\d+)", answer.headers["ratelimit"])[0]) for answer in answers]
        assert left == list(range(99, -1, -1)), "both replicas count the same requests"
        assert answers[0].headers["ratelimit-policy"] == '"user";q=100;w=60'
        for who in (here, there):
            answer = await who.post("/threads", json={"title": "x"})
            body = problem(answer, 429, "too_many")
            assert 1 <= int(answer.headers["retry-after"]) <= 60
            assert re.fullmatch(r'"user";r=0;t=\d+', answer.headers["ratelimit"])
            assert "100 requests in a minute" in body["detail"]
        his = await ours.person(bob)
        assert (await his.get("/users/me")).status_code == 200
        assert len(await store.threads.list(alice.id, limit=9)) == 1, "what is refused is not done"


async def test_94_twin_twenty_at_once_are_all_counted(
    settings: Settings, store: Store, alice: User
) -> None:
    narrow = settings.model_copy(update={"limit_requests": 20})
    async with house(narrow, store, replicas=2) as ours:
        both = [await ours.person(alice, replica) for replica in (0, 1)]
        answers = await asyncio.gather(*(both[n % 2].get("/users/me") for n in range(60)))
    assert Counter(answer.status_code for answer in answers) == {200: 20, 429: 40}


async def test_94_twin_keys_and_strangers_are_counted_apart(
    settings: Settings, store: Store, alice: User, bob: User
) -> None:
    changes = {"limit_requests": 1000, "limit_key_requests": 10, "limit_strangers": 20}
    async with house(settings.model_copy(update=changes), store, replicas=2) as ours:
        her = await ours.person(alice)
        key, other = [await ours.key(her, "read") for _ in range(2)]
        programs = [await ours.program(key, replica) for replica in (0, 1)]
        for n in range(10):
            assert (await programs[n % 2].get("/threads")).status_code == 200
        answer = await programs[0].get("/threads")
        assert "this key has made 10 requests" in problem(answer, 429)["detail"]
        assert (await (await ours.program(other)).get("/threads")).status_code == 200
        assert (await her.get("/threads")).status_code == 200
        doors = [await ours.stranger(replica) for replica in (0, 1)]
        told = []
        for n in range(24):  # whoever says that they come from elsewhere is not believed
            head = {"X-Forwarded-For": f"203.0.113.{n}", "Forwarded": f"for=203.0.113.{n}",
                    "X-Real-IP": f"203.0.113.{n}"}  # fmt: skip
            told.append(await doors[n % 2].get("/users/me", headers=head))
        assert [answer.status_code for answer in told] == [401] * 20 + [429] * 4
        problem(await doors[0].get("/config"), 429)
        assert (await (await ours.person(bob)).get("/users/me")).status_code == 200


async def test_96_sub_agents_without_end(ours: House, alice: User) -> None:
    """They are leaves: their tools make none. A user has so many, whoever asks for them."""
    token = stack_token(SECRET, alice.id, "opencode", await _generation(ours, alice))
    inside = await ours.stranger(Authorization=f"Bearer {token}")
    for tool in ("spawn_sub_agent", "run_sub_agent", "list_sub_agents"):
        told = await _called(inside, ours, tool, {"type": "coding", "task": "x", "prompt": "x"})
        assert told["isError"] is True
        assert tool in told["content"][0]["text"]
    her = await ours.person(alice)
    for n in range(LIVE):
        body = {"type": "coding", "channel_id": f"c{n}"}
        assert (await her.post("/actors/me/sub-agents", json=body)).status_code == 201
    answers = await asyncio.gather(
        *(her.post("/actors/me/sub-agents", json={"type": "coding", "channel_id": f"d{n}"})
          for n in range(10))
    )  # fmt: skip
    assert {problem(answer, 429)["code"] for answer in answers} == {"too_many"}
    problem(await her.post("/opencode/workspaces/me/sessions", json={}), 429)
    listed = (await her.get("/actors/me/sub-agents")).json()["data"]
    assert len(listed) == LIVE
    assert (await her.post(f"/actors/me/sub-agents/{listed[0]['id']}/stop")).status_code == 202
    body = {"type": "coding", "channel_id": "e"}
    assert (await her.post("/actors/me/sub-agents", json=body)).status_code == 201
    told = await _called(inside, ours, "list_memory", {})
    assert told["isError"] is False


async def test_96_twin_raced_they_are_no_more(ours: House, alice: User) -> None:
    her = await ours.person(alice)
    answers = await asyncio.gather(
        *(her.post("/actors/me/sub-agents", json={"type": "coding", "channel_id": f"c{n}"})
          for n in range(20))
    )  # fmt: skip
    assert Counter(answer.status_code for answer in answers) == {201: LIVE, 429: 20 - LIVE}


async def test_streams_beyond_the_limit(settings: Settings, store: Store, alice: User, bob: User):
    narrow = settings.model_copy(update={"limit_streams": 2})
    async with house(narrow, store, replicas=2) as ours:
        here, there, his = (
            await ours.person(alice), await ours.person(alice, 1), await ours.person(bob)
        )  # fmt: skip
        async with here.stream("GET", "/actors/me/events") as first:
            assert first.status_code == 200
            async with there.stream("GET", "/actors/me/events") as second:
                assert second.status_code == 200
                for who in (here, there):
                    async with who.stream("GET", "/actors/me/events") as third:
                        await third.aread()
                        problem(third, 429, "too_many")
                async with his.stream("GET", "/actors/me/events") as other:
                    assert other.status_code == 200
        async with asyncio.timeout(5):
            while True:
                async with here.stream("GET", "/actors/me/events") as again:
                    if again.status_code == 200:
                        break
                await asyncio.sleep(0.05)


async def _generation(ours: House, user: User) -> int:
    her = await ours.person(user)
    assert (await her.post("/opencode/provision")).status_code == 202
    service = await ours.store.services.get(user.id, "opencode")
    assert service is not None
    return service.generation


async def _called(who: httpx.AsyncClient, ours: House, tool: str, arguments: object) -> dict:
    params = {"name": tool, "arguments": arguments}
    body = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}
    answer = await who.post(f"{ours.urls[0]}/mcp", json=body)
    assert answer.status_code == 200, answer.text
    told = json.loads(answer.text)
    return told["result"]
