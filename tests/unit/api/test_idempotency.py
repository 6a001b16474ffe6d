"""The same key is the same effect and the same answer."""

from __future__ import annotations

import asyncio

import httpx
import pytest
from fastapi import FastAPI

from growqr.store import Store, User

pytestmark = pytest.mark.anyio


async def test_message_with_a_key_is_sent_once(client: httpx.AsyncClient) -> None:
    head = {"Idempotency-Key": "c-17"}
    calls = [client.post("/actors/me/message", json={"text": "x"}, headers=head) for _ in range(5)]
    answers = await asyncio.gather(*calls)
    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.text for answer in answers}) == 1
    messages = f"/threads/{answers[0].json()['thread_id']}/messages"
    assert len((await client.get(messages)).json()["data"]) == 1
    other = await client.post("/actors/me/message", json={"text": "y"}, headers=head)
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_mismatch")
    assert len((await client.get(messages)).json()["data"]) == 1


async def test_keys_belong_to_one_user(client: httpx.AsyncClient, other: httpx.AsyncClient) -> None:
    head = {"Idempotency-Key": "same"}
    for path, body in (("/actors/me/message", {"text": "x"}), ("/threads", {"title": "x"})):
        mine = await client.post(path, json=body, headers=head)
        theirs = await other.post(path, json=body, headers=head)
        assert mine.status_code == theirs.status_code < 300
        assert mine.json() != theirs.json()
        assert "Idempotent" not in theirs.headers


async def test_any_post_with_a_key_has_one_effect(client: httpx.AsyncClient) -> None:
    head = {"Idempotency-Key": "k"}
    first = await client.post("/threads", json={"title": "side"}, headers=head)
    again = await client.post("http://growqr/threads", json={"title": "side"}, headers=head)
    assert (first.status_code, first.json()) == (again.status_code, again.json())
    assert len((await client.get("/threads")).json()["data"]) == 2
    for path, body in (("/threads", {"title": "else"}), ("/actors/provision", None)):
        reused = await client.post(path, json=body, headers=head)
        assert (reused.status_code, reused.json()["code"]) == (422, "idempotency_mismatch")


async def test_same_key_for_another_thing_is_refused(client: httpx.AsyncClient) -> None:
    turns = [(await client.post("/actors/me/message", json={"text": "x"})).json()["turn_id"]
             for _ in range(2)]  # fmt: skip
    head = {"Idempotency-Key": "cancel"}
    assert (await client.post(f"/turns/{turns[0]}/cancel", headers=head)).status_code == 202
    assert (await client.post(f"/turns/{turns[0]}/cancel", headers=head)).status_code == 202
    assert (await client.post(f"/turns/{turns[1]}/cancel", headers=head)).status_code == 422
    assert (await client.get(f"/turns/{turns[1]}")).json()["state"] == "queued"


async def test_key_that_still_runs_is_409(
    client: httpx.AsyncClient, store: Store, alice: User
) -> None:
    async with store.idempotency.once(alice.id, "busy", "POST /threads", b"") as slot:
        answer = await client.post(
            "/threads", json={"title": "x"}, headers={"Idempotency-Key": "busy"}
        )
        assert (answer.status_code, answer.json()["code"]) == (409, "in_progress")
        assert slot.answer is None


async def test_error_leaves_the_key_free(client: httpx.AsyncClient) -> None:
    head = {"Idempotency-Key": "again"}
    assert (await client.post("/threads", json={"title": ""}, headers=head)).status_code == 422
    assert (await client.post("/threads", json={"title": "x"}, headers=head)).status_code == 201


async def test_many_keyed_requests_do_not_starve_each_other(
    app: FastAPI, client: httpx.AsyncClient
) -> None:
    calls = [client.post("/actors/provision", headers={"Idempotency-Key": f"k{n}"})
             for n in range(40)]  # fmt: skip
    answers = await asyncio.gather(*calls)
    assert {answer.status_code for answer in answers} == {202}
