"""OpenCode and all it knew is destroyed: the real server's next prompt knows what was done all the
same, because the transcript of record is ours."""

from __future__ import annotations

import asyncio
import json

import aiohttp
import pytest

from growqr.errors import NotFound
from growqr.opencode import Bridge, OpenCode, Progress, Server, new_prompt
from growqr.opencode.ids import record_before
from growqr.store import Store, Turn, User
from tests.fakes.chat_completions import ChatCompletions
from tests.opencode_server import OpenCodeServer
from tests.unit.agents.test_prompting import Desk

pytestmark = pytest.mark.anyio


@pytest.fixture
def bridge(server: OpenCodeServer, http: aiohttp.ClientSession) -> Bridge:
    async def current() -> Server:
        return server.at

    return Bridge(current, http)


async def done(desk: Desk, task: str) -> Turn:
    await desk.give(task)
    work, turn = await desk.take_over()
    await work.run(turn)
    return await desk.store.turns.get(None, turn.id)


def asked(model: ChatCompletions) -> list[str]:
    """What the model was told by its user at last, message by message."""
    messages = model.prompts[-1].body["messages"]
    return [json.dumps(m["content"]) for m in messages if m["role"] == "user"]


async def test_the_next_task_knows_what_was_done_before(
    store: Store, alice: User, server: OpenCodeServer, bridge: Bridge, model: ChatCompletions
) -> None:
    agent = await store.sub_agents.spawn(alice.id, "coding", actor=alice.id)
    desk = Desk(store, agent, bridge, str(server.work))
    first = await done(desk, "remember the colour is green [[bash echo a shade]] [[say noted it]]")
    assert first.result == "noted it"
    await asyncio.to_thread(server.lose_home)
    second = await done(desk, "which colour? [[say as recorded]]")
    assert second.result == "as recorded"
    told = "\n".join(asked(model))
    for known in ("remember the colour is green", "-> done: a shade", "Answered: noted it"):
        assert told.count(known) == 1
    assert told.index("RESTORED RECORD") < told.index("which colour?")
    events = await store.events.after(alice.id, 0)
    [restored] = [e.data["restored"] for e in events if "restored" in e.data]
    assert (restored["tasks"], restored["answers"], restored["tool_calls"]) == (1, 1, 1)


async def test_a_task_under_way_goes_on_in_a_new_session(
    store: Store, alice: User, server: OpenCodeServer, bridge: Bridge, model: ChatCompletions
) -> None:
    agent = await store.sub_agents.spawn(alice.id, "coding", actor=alice.id)
    desk = Desk(store, agent, bridge, str(server.work))
    began, go = server.work / "began", server.work / "go"
    wait = f"touch {began}; while [ ! -e {go} ]; do sleep 0.05; done"
    await desk.give(f"[[bash {wait}]] [[say done]]")
    work, turn = await desk.take_over()
    run = asyncio.create_task(work.run(turn))
    async with asyncio.timeout(60):
        while not (began.exists() and await open_calls(store, turn)):
            await asyncio.sleep(0.05)
    await asyncio.to_thread(server.lose_home)
    go.touch()
    async with asyncio.timeout(60):
        await run
    assert (await store.turns.get(None, turn.id)).result == "done"
    steps = await store.steps.of(turn.id)
    assert [s.state for s in steps if s.kind == "prompt"] == ["unknown", "done"]
    assert sorted(s.state for s in steps if s.kind == "tool") == ["done", "unknown"]
    record, again = asked(model)
    assert "-> unknown" in record
    assert "is given again now" in record
    assert again == json.dumps(f"[[bash {wait}]] [[say done]]")


async def open_calls(store: Store, turn: Turn) -> bool:
    return any(s.kind == "tool" and s.state == "intent" for s in await store.steps.of(turn.id))


async def test_a_record_that_was_sent_twice_stands_there_once(
    server: OpenCodeServer, bridge: Bridge, http: aiohttp.ClientSession, model: ChatCompletions
) -> None:
    async def recall() -> str:
        raise AssertionError("the record is there")

    async def ignore(progress: Progress) -> None:
        pass

    session = await bridge.open_session(str(server.work), "a test")
    ids, client = new_prompt(session, str(server.work)), OpenCode(server.at, http)
    for text in ("a first try", "the colour is green"):
        await client.note(record_before(ids), text, agent="build")
    asked_before = len(model.requests)
    assert await client.begun(session, ids.directory)
    assert not await client.busy(ids)
    assert len(model.requests) == asked_before, "nobody answers a record"
    outcome = await bridge.run(
        ids, "which? [[say hi]]", on_progress=ignore, resumed=True, recall=recall
    )
    assert outcome.text == "hi"
    assert [said.count("green") for said in asked(model)] == [1, 0]
    assert "a first try" not in "".join(asked(model))


async def test_a_session_is_another_one_once_it_is_gone(
    server: OpenCodeServer, bridge: Bridge, http: aiohttp.ClientSession
) -> None:
    where = (str(server.work), "a test")
    former = await bridge.open_session(*where)
    assert await bridge.open_session(*where, former) == former
    await asyncio.to_thread(server.lose_home)
    with pytest.raises(NotFound):
        await OpenCode(server.at, http).begun(former, where[0])
    assert await bridge.open_session(*where, former) != former
