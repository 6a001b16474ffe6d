"""Old events go, contiguously and for good; what they told of stays."""

from __future__ import annotations

import asyncio

import psycopg
import pytest

from growqr.store import Store, User

pytestmark = pytest.mark.anyio


async def fill(database_url: str, user: User, *, old: int, young: int, days: float = 40) -> None:
    """Events of a user: `old` ones of so many days ago, then `young` ones of now."""
    async with await psycopg.AsyncConnection.connect(database_url, autocommit=True) as conn:
        await conn.execute(
            "with s as (update stream set last_seq = last_seq + %(n)s where user_id = %(u)s"
            " returning last_seq) insert into event (user_id, seq, type, time, data)"
            " select %(u)s, last_seq - %(n)s + i, 'error', clock_timestamp()"
            " - make_interval(secs => case when i <= %(old)s then %(age)s else 0 end), '{}'"
            " from s, generate_series(1, %(n)s) as i",
            {"n": old + young, "old": old, "u": user.id, "age": days * 86400},
        )


async def kept(store: Store, user: User) -> tuple[int, int, list[int]]:
    """Floor, last seq and all that is there, checked to be without a gap above the floor."""
    floor, last = await store.events.bounds(user.id)
    seqs = [event.seq for event in await store.events.after(user.id, 0, limit=10**6)]
    assert seqs == list(range(floor + 1, last + 1))
    return floor, last, seqs


async def trimmed(store: Store, *, days: float = 30, events: int = 200, limit: int = 1000) -> int:
    """Removed until nothing is due, however many calls that takes."""
    total = 0
    while True:
        removed = await store.retention.trim(days=days, events=events, limit=limit)
        assert removed <= limit
        total += removed
        if removed < limit:
            return total


async def test_what_is_older_than_its_days_goes(
    store: Store, database_url: str, alice: User, bob: User
) -> None:
    await fill(database_url, alice, old=7, young=5)
    await fill(database_url, bob, old=0, young=3)
    assert await trimmed(store) == 7
    assert await kept(store, alice) == (7, 12, [8, 9, 10, 11, 12])
    assert await kept(store, bob) == (0, 3, [1, 2, 3])
    assert await trimmed(store) == 0


async def test_what_is_beyond_its_number_goes(store: Store, database_url: str, alice: User) -> None:
    await fill(database_url, alice, old=0, young=250)
    assert await trimmed(store) == 50
    assert (await kept(store, alice))[:2] == (50, 250)


async def test_many_go_in_small_parts_that_leave_no_gap(
    store: Store, database_url: str, alice: User, bob: User
) -> None:
    for user in (alice, bob):
        await fill(database_url, user, old=25, young=5)
    parts = []
    while removed := await store.retention.trim(days=30, events=200, limit=10):
        parts.append(removed)
        await kept(store, alice)
        await kept(store, bob)
    assert parts == [10, 10, 10, 10, 10]
    assert (await kept(store, alice))[0] == (await kept(store, bob))[0] == 25


async def test_everything_may_go_and_the_counter_goes_on(
    store: Store, database_url: str, alice: User
) -> None:
    await fill(database_url, alice, old=4, young=0)
    assert await trimmed(store) == 4
    assert await kept(store, alice) == (4, 4, [])
    assert (await store.messages.accept(alice.id, "x")).seq == 5
    assert await kept(store, alice) == (4, 5, [5])


async def test_messages_and_turns_outlive_their_events(
    store: Store, database_url: str, alice: User
) -> None:
    said = await store.messages.accept(alice.id, "remember this")
    async with await psycopg.AsyncConnection.connect(database_url, autocommit=True) as conn:
        await conn.execute("update event set time = time - interval '31 days'")
    assert await trimmed(store) == 1
    [message] = await store.messages.list(alice.id, said.thread_id, limit=5)
    assert message.content[0]["text"] == "remember this"
    assert (await store.turns.get(alice.id, said.turn_id)).seq == said.seq


async def test_writers_readers_and_two_trimmers_at_once_see_no_gap(
    store: Store, database_url: str, alice: User
) -> None:
    await fill(database_url, alice, old=300, young=100)
    done = asyncio.Event()

    async def write() -> None:
        for _ in range(60):
            await store.messages.accept(alice.id, "x")

    async def read() -> int:
        looks, cursor = 0, 0
        while not done.is_set() or looks < 3:
            looks += 1
            async with store.snapshot():
                await kept(store, alice)
            events = await store.events.after(alice.id, cursor, limit=50)
            floor, _ = await store.events.bounds(alice.id)
            seqs = [event.seq for event in events]
            # A reader that asks for the floor after its read always learns of what it missed.
            assert cursor < floor or seqs == list(range(cursor + 1, cursor + 1 + len(seqs)))
            cursor = max([cursor, floor, *seqs])
        return looks

    reading = asyncio.create_task(read())
    trimmers = [trimmed(store, events=120, limit=7) for _ in range(2)]
    await asyncio.gather(write(), *trimmers)
    done.set()
    await reading
    await trimmed(store, events=120, limit=7)
    assert (await kept(store, alice))[:2] == (340, 460)


async def test_answers_of_yesterday_are_forgotten(
    store: Store, database_url: str, alice: User
) -> None:
    for key in ("old", "new"):
        async with store.idempotency.once(alice.id, key, "POST /x", b"1") as slot:
            slot.answer = (200, {"key": key})
    async with await psycopg.AsyncConnection.connect(database_url, autocommit=True) as conn:
        await conn.execute(
            "update idempotency set created_at = created_at - interval '25 hours' where key = 'old'"
        )
        await store.retention.trim(days=30, events=200)
        rows = await (await conn.execute("select key from idempotency")).fetchall()
    assert rows == [("new",)]


async def test_every_user_has_a_turn(
    store: Store, database_url: str, alice: User, bob: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("growqr.store.retention.USERS", 1)
    for user in (alice, bob):
        await fill(database_url, user, old=1, young=1)
    assert sum([await store.retention.trim(days=30, events=200) for _ in range(3)]) == 2
    await fill(database_url, alice, old=0, young=300)
    assert sum([await store.retention.trim(days=30, events=200) for _ in range(3)]) == 101
