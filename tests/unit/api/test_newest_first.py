"""A long thread opens with its newest messages; the agent's view names its model."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from growqr.store import Store, User

pytestmark = pytest.mark.anyio


async def test_pages_newest_first_stand_for_one_event(
    client: httpx.AsyncClient, store: Store, alice: User
) -> None:
    said = [await store.messages.accept(alice.id, f"message {n}") for n in range(7)]
    path = f"/threads/{said[0].thread_id}/messages"
    query: dict[str, Any] = {"order": "newest", "limit": 3}
    pages = [(await client.get(path, params=query)).json()]
    await store.messages.accept(alice.id, "while it is read")
    while cursor := pages[-1]["next_cursor"]:
        pages.append((await client.get(path, params=query | {"cursor": cursor})).json())
    seen = [row["seq"] for page in pages for row in page["data"]]
    assert seen == [one.seq for one in reversed(said)]
    assert {page["seq"] for page in pages} == {said[-1].seq}
    assert [len(page["data"]) for page in pages] == [3, 3, 1]


async def test_a_cursor_is_for_its_order(
    client: httpx.AsyncClient, store: Store, alice: User
) -> None:
    said = [await store.messages.accept(alice.id, f"message {n}") for n in range(3)]
    path = f"/threads/{said[0].thread_id}/messages"
    for order, other in (("oldest", "newest"), ("newest", "oldest")):
        page = (await client.get(path, params={"order": order, "limit": 1})).json()
        query = {"order": other, "limit": 1, "cursor": page["next_cursor"]}
        wrong = await client.get(path, params=query)
        assert (wrong.status_code, wrong.json()["code"]) == (422, "bad_cursor")
    assert (await client.get(path, params={"order": "some"})).status_code == 422


async def test_the_model_that_answered_last_is_named(
    client: httpx.AsyncClient, store: Store, alice: User
) -> None:
    assert (await client.get("/actors/me")).json()["model"] is None
    for call, provider in (("a", "scripted"), ("b", "anthropic")):
        await store.usage.record(
            call_id=call, user_id=alice.id, turn_id=None, step_id=None, provider=provider,
            model=f"of {provider}", input_tokens=1, output_tokens=1,
        )  # fmt: skip
        model = (await client.get("/actors/me")).json()["model"]
        assert model == {"provider": provider, "name": f"of {provider}"}
