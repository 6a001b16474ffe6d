"""Why something failed is journaled without secrets; what people and tools said, word for word."""

from __future__ import annotations

import pytest

from growqr import names
from growqr.directory import Fence
from growqr.states import TurnState
from growqr.store import Store, User

pytestmark = pytest.mark.anyio

KEY = "sk-ant-api03-abcdefgh"


async def test_the_reason_of_a_failed_turn_is_blanked_and_the_transcript_is_not(
    store: Store, alice: User
) -> None:
    fence = Fence(names.grow_agent(alice.id), 1)
    assert await store.leases.take(fence, holder="h", ttl=60)
    accepted = await store.messages.accept(alice.id, f"my key is {KEY}")
    assert await store.turns.claim(fence, deadline=60)
    error = {"code": "model", "message": f"refused {KEY} of https://me:{KEY}@models"}

    await store.turns.finish(fence, accepted.turn_id, TurnState.FAILED, error=error)

    turn = await store.turns.get(alice.id, accepted.turn_id)
    assert turn.error == {"code": "model", "message": "refused *** of https://***@models"}
    events = {event.type: event.data for event in await store.events.after(alice.id, 0)}
    assert events["turn.failed"]["error"] == turn.error
    assert KEY in str(events["message.created"])
    assert KEY in str(await store.messages.of_turn(accepted.turn_id))


async def test_the_last_words_of_a_service_are_blanked(store: Store, alice: User) -> None:
    wanted = await store.services.want(alice.id, "opencode", "ready")
    key = names.stack(alice.id)
    fence = await store.leases.acquire(key, user_id=alice.id, holder="h", ttl=60)
    assert fence

    await store.services.observe(
        fence, wanted, state="backoff", reason=f"it said:\n{KEY} token=abc123"
    )

    seen = await store.services.get(alice.id, "opencode")
    assert seen
    assert seen.reason == "it said: *** token=***"
    last = (await store.events.of_services(alice.id, limit=1))[0]
    assert last.data["reason"] == seen.reason
