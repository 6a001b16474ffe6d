"""The four memory tools over a real store: what the model is told, and what is kept."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from growqr import names
from growqr.agents import Agent, LocalDirectory
from growqr.config import Settings
from growqr.directory import Fence
from growqr.errors import Fenced, ToolError
from growqr.memory import MAX_CONTENT, Projection
from growqr.store import Store, User
from growqr.tools import ToolCall, ToolServices, choose, commit_memory, discover, validate

pytestmark = pytest.mark.anyio


def _nobody(_fence: Fence) -> Agent:
    raise AssertionError("memory tools start no agent")


def call_of(store: Store, user: User, use: str = "use_1", fence: Fence | None = None) -> ToolCall:
    return ToolCall(
        user_id=user.id,
        thread_id="thr_1",
        turn_id="trn_1",
        step_id="stp_1",
        tool_use_id=use,
        fence=fence,
        actor=names.grow_agent(user.id),
        services=ToolServices(store, LocalDirectory(_nobody), {}),
    )


async def use(tool: str, call: ToolCall, **raw: Any) -> Any:
    leaf = choose(discover(), tool)
    result = await leaf.run(call, validate(leaf, raw))
    assert isinstance(result, str)
    return json.loads(result)


@pytest.fixture
def no_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commit_memory, "COMMIT_WAIT", 0.05)


async def test_a_write_waits_for_its_commit(store: Store, alice: User, tmp_path: Path) -> None:
    projection = Projection(store, Settings(data=tmp_path), "host:test")
    task = asyncio.create_task(projection.run())
    try:
        written = await use(
            "commit_memory", call_of(store, alice), path="launch.md", content="Friday"
        )
    finally:
        task.cancel()
    file = await store.memory.get(alice.id, "launch.md")
    assert written == {"path": "launch.md", "commit": file.commit}
    assert file.content == "Friday\n"


@pytest.mark.usefixtures("no_wait")
async def test_without_git_a_write_is_pending_but_safe(store: Store, alice: User) -> None:
    call = call_of(store, alice)
    written = await use("commit_memory", call, path="launch.md", content="Friday\n")
    assert written == {"path": "launch.md", "pending": True}
    assert (await use("read_memory", call, path="launch.md"))["content"] == "Friday\n"


@pytest.mark.usefixtures("no_wait")
async def test_the_same_call_again_writes_once(store: Store, alice: User) -> None:
    for _ in range(2):
        await use("commit_memory", call_of(store, alice), path="a.md", content="x")
    await use(
        "commit_memory", call_of(store, alice, "use_2"), path="a.md", content="y", message="B"
    )
    rows = await store.memory.all(alice.id)
    assert [(r.number, r.message, r.author) for r in rows] == [
        (1, "Write a.md", f"grow-agent:{alice.id}"),
        (2, "B", f"grow-agent:{alice.id}"),
    ]


async def test_a_stale_owner_writes_nothing(store: Store, alice: User) -> None:
    stale = Fence(names.grow_agent(alice.id), 7)
    with pytest.raises(Fenced):
        await use("commit_memory", call_of(store, alice, fence=stale), path="a.md", content="x")
    assert await store.memory.all(alice.id) == []


@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [
        ("path", "../etc/passwd", "not allowed"),
        ("content", "key sk-ant-api03-abcdefgh", "Anthropic key"),
        ("message", "ghp_" + "a1" * 18, "GitHub token"),
        ("content", "x" * (MAX_CONTENT + 1), "bytes"),
        ("content", "a\0b", "NUL"),
    ],
)
async def test_what_memory_refuses_the_model_can_mend(
    store: Store, alice: User, field: str, value: str, reason: str
) -> None:
    raw = {"path": "a.md", "content": "x"} | {field: value}
    with pytest.raises(ToolError, match=reason):
        await use("commit_memory", call_of(store, alice), **raw)
    assert await store.memory.all(alice.id) == []


@pytest.mark.usefixtures("no_wait")
async def test_a_missing_file_names_similar_ones(store: Store, alice: User) -> None:
    call = call_of(store, alice)
    with pytest.raises(ToolError, match="list_memory shows"):
        await use("read_memory", call, path="launch.md")
    for number, path in enumerate(["plans/launch.md", "lunch.md", "zebra.txt"]):
        await use("commit_memory", call_of(store, alice, f"u{number}"), path=path, content="x")
    with pytest.raises(ToolError) as caught:
        await use("read_memory", call, path="launch.md")
    assert caught.value.detail == {"similar": ["plans/launch.md", "lunch.md"]}
    assert "plans/launch.md, lunch.md" in caught.value.message


@pytest.mark.usefixtures("no_wait")
async def test_listing_and_searching_see_only_ones_own(
    store: Store, alice: User, bob: User
) -> None:
    mine, his = call_of(store, alice), call_of(store, bob)
    text = "The launch is on Friday."
    await use("commit_memory", mine, path="notes/launch.md", content=text)
    await use("commit_memory", his, path="notes/secret.md", content="launch of bob")
    listed = await use("list_memory", mine, prefix="notes/")
    assert [(f["path"], f["size"]) for f in listed["files"]] == [("notes/launch.md", 25)]
    assert "more" not in listed
    found = await use("search_memory", mine, query="when is the launch")
    assert [result["path"] for result in found["results"]] == ["notes/launch.md"]
    assert "Friday" in found["results"][0]["snippet"]
    nothing = await use("search_memory", mine, query="bob")
    assert nothing["results"] == []
    assert "list_memory" in nothing["hint"]


@pytest.mark.usefixtures("no_wait")
async def test_a_long_file_is_cut_and_says_so(store: Store, alice: User) -> None:
    call = call_of(store, alice)
    await use("commit_memory", call, path="long.md", content="x" * 150_000)
    read = await use("read_memory", call, path="long.md")
    assert len(read["content"]) == 100_000
    assert read["cut_at"] == "100000 of 150001 characters"
