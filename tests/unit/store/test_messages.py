"""A message once accepted is there for good, once."""

from __future__ import annotations

import asyncio

import psycopg
import pytest

from growqr.errors import Forbidden, KeyReused, NotFound
from growqr.store import Store, User

pytestmark = pytest.mark.anyio


async def test_accepting_queues_a_turn_and_tells_it_in_one_commit(store: Store, alice: User):
    accepted = await store.messages.accept(alice.id, "hello")
    turn = await store.turns.get(alice.id, accepted.turn_id)
    events = await store.events.after(alice.id, 0)
    assert turn.state == "queued"
    assert [(e.seq, e.type, e.turn_id) for e in events] == [
        (1, "message.created", accepted.turn_id)
    ]
    assert not accepted.lease.live


async def test_the_same_key_and_body_is_the_same_message(store: Store, alice: User):
    answers = await asyncio.gather(
        *(store.messages.accept(alice.id, "hello", client_key="k-1") for _ in range(8))
    )
    assert len({a.message_id for a in answers}) == 1
    assert sum(not a.repeated for a in answers) == 1
    assert await store.events.bounds(alice.id) == (0, 1)


async def test_the_same_key_with_another_body_is_refused(store: Store, alice: User):
    await store.messages.accept(alice.id, "hello", client_key="k-1")
    with pytest.raises(KeyReused):
        await store.messages.accept(alice.id, "goodbye", client_key="k-1")


async def test_two_users_may_use_the_same_key(store: Store, alice: User, bob: User):
    await store.messages.accept(alice.id, "hello", client_key="k-1")
    assert not (await store.messages.accept(bob.id, "goodbye", client_key="k-1")).repeated


async def test_a_foreign_thread_does_not_exist(store: Store, alice: User, bob: User):
    theirs = await store.threads.create(bob.id, "theirs")
    before = await store.events.bounds(bob.id)
    with pytest.raises(NotFound):
        await store.messages.accept(alice.id, "hello", thread_id=theirs.id)
    assert await store.events.bounds(bob.id) == before


async def test_text_that_postgres_cannot_hold_is_made_storable(store: Store, alice: User):
    accepted = await store.messages.accept(alice.id, "a\x00b\ud800c")
    [message] = await store.messages.list(alice.id, accepted.thread_id, limit=10)
    assert message.content == [{"type": "text", "text": "a\ufffdb?c"}]


async def test_writers_of_one_user_leave_no_gap(store: Store, alice: User):
    """Readers by cursor, running beside the writers, see 1, 2, 3 …"""
    seen: list[int] = []

    async def read() -> None:
        while len(seen) < 120:
            seen.extend(e.seq for e in await store.events.after(alice.id, len(seen)))

    reader = asyncio.create_task(read())
    await asyncio.gather(*(_write(store, alice, 20) for _ in range(6)))
    await asyncio.wait_for(reader, 20)
    assert seen == list(range(1, 121))


async def _write(store: Store, user: User, times: int) -> None:
    for _ in range(times):
        await store.messages.accept(user.id, "x")


async def test_pages_of_messages(store: Store, alice: User):
    for number in range(5):
        accepted = await store.messages.accept(alice.id, f"{number}")
    thread = accepted.thread_id
    newest = await store.messages.list(alice.id, thread, limit=2)
    older = await store.messages.list(alice.id, thread, limit=2, before=newest[0].seq)
    later = await store.messages.list(alice.id, thread, limit=2, after=older[-1].seq)
    assert [m.seq for m in newest] == [4, 5]
    assert [m.seq for m in older] == [2, 3]
    assert later == newest


async def test_what_a_suspension_overtakes_is_not_asked(
    store: Store, database_url: str, alice: User, bob: User
):
    """It was let in before, and would be committed after whatever is cancelled."""
    async with await psycopg.AsyncConnection.connect(database_url) as conn:
        await conn.execute(
            "update users set suspended_at = clock_timestamp() where id = %s", [bob.id]
        )
        late = asyncio.create_task(store.messages.accept(bob.id, "just one more"))
        await asyncio.sleep(0.3)
        assert not late.done()
        await conn.commit()
    with pytest.raises(Forbidden) as refused:
        await late
    assert refused.value.detail == {"rule": "suspended"}
    assert await store.turns.cancel_all(bob.id) == []
    await store.messages.accept(alice.id, "others go on")
