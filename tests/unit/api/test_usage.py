"""What a user has spent today, as the route tells it."""

from __future__ import annotations

import httpx
import pytest

from growqr.store import Store, User

pytestmark = pytest.mark.anyio


async def test_the_day_is_told_with_its_limits(
    client: httpx.AsyncClient, store: Store, alice: User, bob: User
) -> None:
    call = {"step_id": None, "provider": "p", "model": "m", "output_tokens": 1}
    for user, tokens in ((alice, 9), (bob, 50)):
        await store.usage.record(
            f"c-{user.id}", user_id=user.id, turn_id=None, input_tokens=tokens, **call
        )
    answer = await client.get("/users/me/usage")
    assert answer.status_code == 200
    tokens, usd, seconds = answer.json()["data"]
    assert (tokens["unit"], tokens["limit"], tokens["spent"]) == ("tokens", 20_000_000, 10)
    assert tokens["scope"].endswith(f":{alice.id}")
    assert (usd["limit"], usd["spent"], seconds["limit"]) == (None, 0, None)
