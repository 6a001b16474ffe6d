"""Accepted writes: once per operation, numbered without a gap, found by what they say."""

from __future__ import annotations

import asyncio

import pytest

from growqr import names
from growqr.errors import Conflict, Invalid, NotFound
from growqr.store import MemoryCommit, Store, User

pytestmark = pytest.mark.anyio


async def write(store: Store, user: User, path: str, content: str | None, op: str) -> MemoryCommit:
    return await store.memory.accept(
        user.id, path, content, message="m", author="a", operation_id=op
    )


async def test_an_operation_is_accepted_once(store: Store, alice: User):
    rows = await asyncio.gather(*(write(store, alice, "a.md", "x", "op") for _ in range(8)))
    assert len({row.id for row in rows}) == 1


async def test_numbers_have_no_gap(store: Store, alice: User):
    await asyncio.gather(*(write(store, alice, f"{i}.md", "x", f"op{i}") for i in range(30)))
    rows = await store.memory.all(alice.id)
    assert [row.number for row in rows] == list(range(1, 31))


async def test_a_removal_and_what_stays(store: Store, alice: User):
    await write(store, alice, "a.md", "x", "1")
    await write(store, alice, "a.md", None, "2")
    with pytest.raises(NotFound):
        await store.memory.get(alice.id, "a.md")
    history = await store.memory.history(alice.id, "a.md", limit=10)
    assert [row.content for row in history] == [None, "x"]


async def test_a_path_is_a_file_or_a_folder(store: Store, alice: User):
    await write(store, alice, "notes/a.md", "x", "1")
    with pytest.raises(Invalid, match=r"'notes/a\.md'"):
        await write(store, alice, "notes", "x", "2")
    with pytest.raises(Invalid, match=r"'notes/a\.md'"):
        await write(store, alice, "notes/a.md/b/c.md", "x", "3")
    await write(store, alice, "notes/a.mdx", "x", "4")
    await write(store, alice, "note", "x", "5")
    await write(store, alice, "notes/a.md", None, "6")
    await write(store, alice, "notes/a.md/b/c.md", "x", "7")
    assert (await write(store, alice, "notes/a.md", "x", "1")).number == 1, "accepted before"
    assert [row.number for row in await store.memory.all(alice.id)] == [1, 2, 3, 4, 5]


async def test_a_version_knows_what_was_before_it(store: Store, alice: User, bob: User):
    first = await write(store, alice, "a.md", "one", "1")
    await write(store, alice, "b.md", "other", "2")
    gone = await write(store, alice, "a.md", None, "3")
    again = await write(store, alice, "a.md", "two", "4")
    known = [await store.memory.version(alice.id, "a.md", row.id) for row in (first, gone, again)]
    assert [(row.content, before) for row, before in known] == [
        ("one", None), (None, "one"), ("two", None),
    ]  # fmt: skip
    for user, path in ((bob, "a.md"), (alice, "b.md")):
        with pytest.raises(NotFound):
            await store.memory.version(user.id, path, first.id)


async def test_a_write_behind_a_version_is_refused_once_another_came(store: Store, alice: User):
    first = await write(store, alice, "a.md", "one", "1")
    await write(store, alice, "b.md", "other files do not count", "2")

    async def behind(op: str) -> MemoryCommit:
        return await store.memory.accept(
            alice.id, "a.md", None, message="m", author="a", operation_id=op, behind=first.id
        )

    outcomes = await asyncio.gather(*(behind(f"b{i}") for i in range(6)), return_exceptions=True)
    [done] = [found for found in outcomes if isinstance(found, MemoryCommit)]
    assert sum(isinstance(found, Conflict) for found in outcomes) == 5
    assert (await behind(done.operation_id)).id == done.id, "accepted before"
    assert len(await store.memory.history(alice.id, "a.md", limit=10)) == 2


async def test_of_a_file_and_a_folder_at_once_one_is_accepted(store: Store, alice: User):
    for i in range(10):
        both = (
            write(store, alice, f"n{i}", "x", f"f{i}"),
            write(store, alice, f"n{i}/a", "x", f"d{i}"),
        )
        outcomes = await asyncio.gather(*both, return_exceptions=True)
        assert [isinstance(outcome, Invalid) for outcome in outcomes].count(True) == 1


async def test_search_finds_any_word_and_ranks_more_of_them_higher(store: Store, alice: User):
    await write(store, alice, "notes/launch.md", "The launch is on Friday.", "1")
    await write(store, alice, "notes/lunch.md", "On Friday we eat at noon.", "2")
    hits = await store.memory.search(alice.id, "launch friday")
    assert [file.path for file, _ in hits] == ["notes/launch.md", "notes/lunch.md"]
    assert "Friday" in hits[0][1]
    assert await store.memory.search(alice.id, "nothing of it") == []
    assert await store.memory.search(alice.id, "' & | ! :* (") == []


async def test_memory_of_others_does_not_exist(store: Store, alice: User, bob: User):
    await write(store, alice, "a.md", "secret word", "1")
    assert await store.memory.list(bob.id) == []
    assert await store.memory.search(bob.id, "secret") == []
    with pytest.raises(NotFound):
        await store.memory.get(bob.id, "a.md")


async def test_a_projected_write_has_its_commit_and_an_event_once(store: Store, alice: User):
    row = await write(store, alice, "a.md", "x", "1")
    key = names.memory(alice.id)
    fence = await store.leases.acquire(key, user_id=alice.id, holder="h", ttl=5)
    assert fence is not None
    assert await store.leases.acquire(key, user_id=alice.id, holder="i", ttl=5) is None
    for _ in range(2):
        await store.memory.projected(fence, alice.id, [(row, "abc")])
    assert (await store.memory.get(alice.id, "a.md")).commit == "abc"
    told = [e.data for e in await store.events.after(alice.id, 0)]
    assert told == [{"path": "a.md", "commit": "abc", "number": 1}]
    assert await store.memory.pending(alice.id) == []
