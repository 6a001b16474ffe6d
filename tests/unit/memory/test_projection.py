"""The projection over a real store: every crash, loss and repetition ends in the same history."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
from collections.abc import Callable, Coroutine
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from growqr import names
from growqr.config import Settings
from growqr.errors import Fenced
from growqr.memory import LocalRepository, Projection, repository
from growqr.store import MemoryCommit, Store, User

pytestmark = pytest.mark.anyio


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data=tmp_path, lease_ttl=2.0)


@pytest.fixture
def projection(store: Store, settings: Settings) -> Projection:
    return Projection(store, settings, "host:test")


@pytest.fixture
def folder(settings: Settings, alice: User) -> Path:
    return repository(settings, alice.id)


async def write(store: Store, user: User, count: int, start: int = 1) -> list[MemoryCommit]:
    return [
        await store.memory.accept(
            user.id,
            f"notes/{number % 3}.md",
            f"fact {number}\n",
            message=f"Fact {number}",
            author="grow-agent",
            operation_id=f"op-{number}",
        )
        for number in range(start, start + count)
    ]


async def rows(store: Store, user: User) -> list[MemoryCommit]:
    return await store.memory.all(user.id, limit=1000)


def git_ids(folder: Path) -> list[str]:
    """Commit ids, oldest first."""
    args = ["git", "-C", str(folder), "rev-list", "--reverse", "main"]
    return subprocess.run(args, check=True, capture_output=True, text=True).stdout.split()


def block(folder: Path) -> None:
    """Make a place where a repository can be neither opened nor made."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    folder.symlink_to("/proc/none")


def unblock(folder: Path) -> None:
    folder.unlink()


async def until(condition: Callable[[], Coroutine[Any, Any, bool]]) -> None:
    async with asyncio.timeout(10):
        while not await condition():
            await asyncio.sleep(0.02)


async def test_rows_become_commits_with_events(
    store: Store, alice: User, projection: Projection, folder: Path
) -> None:
    await write(store, alice, 3)
    assert await projection.project(alice.id) == 3
    ids = git_ids(folder)
    assert [row.commit_id for row in await rows(store, alice)] == ids
    events = await store.events.after(alice.id, 0)
    assert [(e.type, e.data["number"], e.data["commit"]) for e in events] == [
        ("memory.committed", number, ids[number - 1]) for number in (1, 2, 3)
    ]
    assert await projection.project(alice.id) == 0
    assert git_ids(folder) == ids


async def test_more_rows_than_a_batch(
    store: Store, alice: User, projection: Projection, folder: Path
) -> None:
    await write(store, alice, 120)
    assert await projection.project(alice.id) == 120
    assert [row.commit_id for row in await rows(store, alice)] == git_ids(folder)


async def test_a_crash_after_the_commit_commits_nothing_twice(
    store: Store, alice: User, projection: Projection, folder: Path
) -> None:
    await write(store, alice, 2)
    await projection.project(alice.id)
    lost = await write(store, alice, 3, start=3)
    LocalRepository(folder, alice.id).append(lost)  # and dies before it tells the store
    await write(store, alice, 1, start=6)
    await projection.project(alice.id)
    ids = git_ids(folder)
    assert len(ids) == 6
    assert [row.commit_id for row in await rows(store, alice)] == ids
    numbers = [event.data["number"] for event in await store.events.after(alice.id, 0)]
    assert numbers == [1, 2, 3, 4, 5, 6]


async def test_a_lost_repository_is_rebuilt_with_the_same_ids(
    store: Store, alice: User, projection: Projection, folder: Path
) -> None:
    await write(store, alice, 60)
    await projection.project(alice.id)
    before = git_ids(folder)
    shutil.rmtree(folder)
    await write(store, alice, 1, start=61)
    await projection.project(alice.id)
    assert git_ids(folder)[:60] == before
    assert len(await store.events.after(alice.id, 0)) == 61


async def test_a_broken_or_foreign_repository_is_kept_aside(
    store: Store, alice: User, projection: Projection, folder: Path
) -> None:
    await write(store, alice, 3)
    await projection.project(alice.id)
    before = git_ids(folder)
    foreign = (await write(store, alice, 1, start=4))[0]._replace(operation_id="of another life")
    LocalRepository(folder, alice.id).append([foreign])
    await projection.project(alice.id)
    assert git_ids(folder)[:3] == before
    assert len(git_ids(folder.with_suffix(".former-1.git"))) == 4
    (folder / "refs/heads/main").write_text("f" * 40)
    await projection.project(alice.id)
    assert git_ids(folder)[:3] == before
    assert folder.with_suffix(".former-2.git").exists()


async def test_two_writers_at_once_make_one_history(
    store: Store, alice: User, settings: Settings, folder: Path
) -> None:
    await write(store, alice, 30)
    made = await asyncio.gather(
        *(Projection(store, settings, f"host:{n}").project(alice.id) for n in range(3))
    )
    assert sorted(made) == [0, 0, 30]
    assert [row.commit_id for row in await rows(store, alice)] == git_ids(folder)


async def test_the_lease_is_given_back_and_a_stale_fence_writes_nothing(
    store: Store, alice: User, projection: Projection
) -> None:
    accepted = await write(store, alice, 1)
    key = names.memory(alice.id)
    stale = await store.leases.acquire(key, user_id=alice.id, holder="other", ttl=5)
    assert stale is not None
    assert await projection.project(alice.id) == 0
    await store.leases.release(stale)
    assert await projection.project(alice.id) == 1
    with pytest.raises(Fenced):
        await store.memory.projected(stale, alice.id, [(accepted[0], "0" * 40)])
    lease = await store.leases.get(key)
    assert lease is not None
    assert not lease.live


async def test_run_follows_hints_and_finds_what_was_not_hinted(
    store: Store, alice: User, bob: User, projection: Projection, settings: Settings
) -> None:
    await write(store, alice, 1)  # before anybody listens

    async def projected(user: User, count: int) -> bool:
        found = await rows(store, user)
        return len(found) == count and all(row.commit_id for row in found)

    task = asyncio.create_task(projection.run())
    try:
        await until(lambda: projected(alice, 1))
        await asyncio.gather(write(store, alice, 10, start=2), write(store, bob, 10))
        await until(lambda: projected(alice, 11))
        await until(lambda: projected(bob, 10))
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
    assert len(git_ids(repository(settings, bob.id))) == 10


async def test_one_users_broken_folder_does_not_stop_another(
    store: Store, alice: User, bob: User, projection: Projection, folder: Path
) -> None:
    block(folder)
    await write(store, alice, 1)
    await write(store, bob, 1)

    async def bob_is_done() -> bool:
        return (await rows(store, bob))[0].commit_id is not None

    task = asyncio.create_task(projection.run())
    try:
        await until(bob_is_done)
        assert not task.done()
        unblock(folder)

        async def alice_is_done() -> bool:
            return (await rows(store, alice))[0].commit_id is not None

        await until(alice_is_done)
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
