"""Threads get titles, are put away, and are found by what was said in them."""

from __future__ import annotations

import pytest

from growqr.errors import Invalid, NotFound
from growqr.store import Store, User

pytestmark = pytest.mark.anyio


async def found(store: Store, user: User, words: str) -> list[str]:
    return [one.title for one in await store.threads.list(user.id, limit=10, words=words)]


async def test_they_are_found_by_title_and_by_what_was_said(
    store: Store, alice: User, bob: User
) -> None:
    garden = await store.threads.create(alice.id, "Garden")
    await store.threads.create(alice.id, "100% sure_thing")
    await store.threads.create(bob.id, "Garden")
    await store.messages.accept(alice.id, "when do the tomatoes go out?", thread_id=garden.id)

    assert await found(store, alice, "gARd") == ["Garden"]
    assert await found(store, alice, "TOMATOES go") == ["Garden"]
    assert await found(store, alice, "0% sure_") == ["100% sure_thing"]
    assert await found(store, alice, "1%e") == []
    assert await found(store, alice, "e_t") == ["100% sure_thing"]
    assert await found(store, alice, "suXe") == []
    assert await found(store, alice, "type") == [], "keys of blocks are not what was said"
    assert await found(store, alice, "\\") == []
    assert await found(store, bob, "tomatoes") == []


async def test_a_change_is_told_once(store: Store, alice: User, bob: User) -> None:
    thread = await store.threads.create(alice.id, "first")

    changed = await store.threads.change(alice.id, thread.id, actor=alice.id, title="second")
    assert (changed.title, changed.archived_at) == ("second", None)
    away = await store.threads.change(alice.id, thread.id, actor=alice.id, archived=True)
    assert away.archived_at is not None
    assert (
        await store.threads.change(
            alice.id, thread.id, actor=alice.id, archived=True, title="second"
        )
        == away
    ), "the time it was put away stays"
    assert await store.threads.list(alice.id, limit=10, archived=True) == [away]
    assert away not in await store.threads.list(alice.id, limit=10, archived=False)
    assert away in await store.threads.list(alice.id, limit=10)
    await store.threads.change(alice.id, thread.id, actor=alice.id, archived=False)
    told = [(e.type, e.thread_id, e.data) for e in await store.events.after(alice.id, 0)]
    assert told == [
        ("thread.created", thread.id, {"title": "first", "origin": "api"}),
        ("thread.changed", thread.id, {"title": "second", "archived": False}),
        ("thread.changed", thread.id, {"title": "second", "archived": True}),
        ("thread.changed", thread.id, {"title": "second", "archived": False}),
    ]
    with pytest.raises(NotFound):
        await store.threads.change(bob.id, thread.id, actor=bob.id, title="mine")


async def test_the_master_thread_stays_as_it_is(store: Store, alice: User) -> None:
    master = await store.threads.master(alice.id)
    with pytest.raises(Invalid, match="cannot be put away"):
        await store.threads.change(alice.id, master.id, actor=alice.id, archived=True)
    with pytest.raises(Invalid, match="keeps its title"):
        await store.threads.change(alice.id, master.id, actor=alice.id, title="mine")


async def test_a_thread_tells_where_it_comes_from_and_when_it_was_used(
    store: Store, alice: User
) -> None:
    ours = await store.threads.create(alice.id, "ours", origin="web")
    assert (ours.origin, ours.sub_agent_id, ours.last_at) == ("web", None, ours.created_at)
    await store.messages.accept(alice.id, "hello", thread_id=ours.id)
    [said] = await store.messages.list(alice.id, ours.id, limit=1)
    assert (await store.threads.get(alice.id, ours.id)).last_at == said.created_at
    agent = await store.sub_agents.spawn(alice.id, "coding", actor="test")
    channel = await store.threads.get(alice.id, agent.thread_id)
    assert (channel.origin, channel.sub_agent_id) == (None, agent.id)
    assert (await store.threads.master(alice.id)).origin is None
    with pytest.raises(NotFound):
        await store.threads.create("u_nobody", "x")
