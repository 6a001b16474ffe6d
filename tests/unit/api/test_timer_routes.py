"""Timers over HTTP: set, seen, removed; a repeated request sets one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import httpx
import pytest

from growqr.store import Store, User

pytestmark = pytest.mark.anyio


async def test_a_timer_is_set_listed_and_removed(
    client: httpx.AsyncClient, other: httpx.AsyncClient
):
    due = datetime.now(UTC) + timedelta(hours=1)
    made = await client.post("/timers", json={"text": "stand up", "at": due.isoformat()})
    assert made.status_code == 201
    timer = made.json()
    assert timer["id"].startswith("tmr_")
    assert datetime.fromisoformat(timer["due"]) == due
    assert (await client.get("/timers")).json() == {"data": [timer], "next_cursor": None}
    assert (await other.get("/timers")).json()["data"] == []
    assert (await other.delete(f"/timers/{timer['id']}")).status_code == 404
    assert (await client.delete(f"/timers/{timer['id']}")).json() == timer
    assert (await client.delete(f"/timers/{timer['id']}")).status_code == 404


async def test_the_same_key_sets_one_timer(client: httpx.AsyncClient, store: Store, alice: User):
    for _ in range(2):
        answer = await client.post(
            "/timers", json={"text": "once", "seconds": 60}, headers={"Idempotency-Key": "k-1"}
        )
        assert answer.status_code == 201
    other = await client.post(
        "/timers", json={"text": "other", "seconds": 60}, headers={"Idempotency-Key": "k-1"}
    )
    assert other.status_code == 422
    assert len(await store.timers.list(alice.id, limit=10)) == 1


async def test_pages_follow_the_time(client: httpx.AsyncClient):
    for seconds in (300, 100, 200):
        await client.post("/timers", json={"text": f"in {seconds}", "seconds": seconds})
    page = (await client.get("/timers", params={"limit": 2})).json()
    rest = await client.get("/timers", params={"limit": 2, "cursor": page["next_cursor"]})
    texts = [timer["text"] for timer in page["data"] + rest.json()["data"]]
    assert texts == ["in 100", "in 200", "in 300"]
    assert rest.json()["next_cursor"] is None


@pytest.mark.parametrize(
    "body",
    [
        {"text": "x"},
        {"text": "", "seconds": 1},
        {"text": "x", "seconds": -1},
        {"text": "x", "seconds": 1, "at": "2100-01-01T00:00:00Z"},
        {"text": "x", "at": "2100-01-01T00:00:00Z"},
        {"text": "x", "at": "2027-01-01T00:00:00"},
        {"text": "x", "at": "tomorrow"},
        {"text": "x", "seconds": 1, "every": 5},
    ],
)
async def test_what_cannot_be_is_a_problem(client: httpx.AsyncClient, body: dict):
    answer = await client.post("/timers", json=body)
    assert answer.status_code == 422
    assert answer.headers["content-type"].startswith("application/problem+json")


async def test_unknown_threads_and_bad_cursors(client: httpx.AsyncClient):
    body = {"text": "x", "seconds": 1, "thread_id": "thr_" + "0" * 32}
    assert (await client.post("/timers", json=body)).status_code == 404
    assert (await client.get("/timers", params={"cursor": "x"})).status_code == 422
    assert (await client.delete("/timers/nothing")).status_code == 404
