"""The bridge against the real OpenCode server of the pinned release; only the model is scripted."""

from __future__ import annotations

import asyncio
import json
import secrets
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from growqr.errors import Conflict, NotFound
from growqr.opencode import Bridge, Limits, OpenCode, Progress, PromptIds, Server, new_prompt
from tests.fakes.chat_completions import ChatCompletions
from tests.fakes.proxy import FaultProxy
from tests.opencode_server import OpenCodeServer

pytestmark = pytest.mark.anyio


class Desk:
    """A bridge, a session, and all that was told of its runs."""

    def __init__(self, bridge: Bridge, session_id: str, work: Path) -> None:
        self.bridge, self.session_id, self.work = bridge, session_id, work
        self.told: list[Progress] = []
        self.mark = secrets.token_hex(3)

    def file(self, name: str) -> Path:
        return self.work / f"{self.mark}-{name}"

    def prompt(self) -> PromptIds:
        return new_prompt(self.session_id, str(self.work))

    async def tell(self, progress: Progress) -> None:
        self.told.append(progress)

    async def run(self, text: str, ids: PromptIds | None = None, **options: Any) -> Any:
        options = {"resumed": False, "on_progress": self.tell, "deadline": 90.0} | options
        return await self.bridge.run(ids or self.prompt(), text, **options)

    def states(self, kind: str = "tool") -> list[tuple[str, str]]:
        return [(p.name, p.state) for p in self.told if p.kind == kind]

    def notices(self) -> list[str]:
        return [p.name for p in self.told if p.kind == "notice"]


@pytest.fixture
async def desk(server: OpenCodeServer, http: aiohttp.ClientSession) -> Desk:
    return await new_desk(server, http)


async def new_desk(
    server: OpenCodeServer,
    http: aiohttp.ClientSession,
    limits: Limits | None = None,
    where: Callable[[], Server] | None = None,
) -> Desk:
    async def current() -> Server:
        return where() if where else server.at

    bridge = Bridge(current, http, limits)
    session_id = await bridge.open_session(str(server.work), "a test")
    return Desk(bridge, session_id, server.work)


async def until(probe: Callable[[], Any], what: str) -> None:
    for _ in range(1000):
        found = probe()
        if await found if isinstance(found, Awaitable) else found:
            return
        await asyncio.sleep(0.02)
    raise AssertionError(f"never: {what}")


def hold(desk: Desk) -> str:
    """A command that tells its start, waits for `go`, and tells its end."""
    began, go, done = desk.file("began"), desk.file("go"), desk.file("done")
    return f"echo x >> {began}; while [ ! -e {go} ]; do sleep 0.05; done; echo x >> {done}; echo ok"


@asynccontextmanager
async def proxied(server: OpenCodeServer) -> AsyncIterator[tuple[FaultProxy, Callable[[], Server]]]:
    port = int(server.at.url.rsplit(":", 1)[1])
    async with FaultProxy("127.0.0.1", port) as proxy:
        yield proxy, lambda: server.at._replace(url=f"http://127.0.0.1:{proxy.port}")


async def test_a_prompt_writes_runs_and_answers(desk: Desk, model: ChatCompletions) -> None:
    path = desk.file("hello.txt")
    outcome = await desk.run(f"[[write {path} ::: hi there]] [[bash cat {path}]]")
    assert path.read_text() == "hi there"
    assert (outcome.state, outcome.error) == ("completed", None)
    assert outcome.text == "The tools answered: Wrote file successfully.; hi there"
    assert [(tool.name, tool.state) for tool in outcome.tools] == [
        ("write", "completed"),
        ("bash", "completed"),
    ]
    assert outcome.usage["input_tokens"] > 100
    assert outcome.usage["output_tokens"] > 0
    states = ("pending", "running", "completed")
    assert desk.states() == [(name, state) for name in ("write", "bash") for state in states]
    last = next(p for p in desk.told if (p.name, p.state) == ("bash", "completed"))
    assert (last.input["command"], last.output) == (f"cat {path}", "hi there")
    assert last.call_id.startswith("call_")
    texts = [p for p in desk.told if p.kind == "text"]
    pieces = [p.output for p in texts if p.id == texts[-1].id and p.state == "delta"]
    assert "".join(pieces) == outcome.text
    assert model.prompts[-1].headers["x-session-id"] == desk.session_id


async def test_two_sessions_work_at_the_same_time(desk: Desk) -> None:
    other = Desk(desk.bridge, await desk.bridge.open_session(str(desk.work), "another"), desk.work)
    first, second = desk.file("met"), other.file("met")
    meet = "touch {}; while [ ! -e {} ]; do sleep 0.05; done; echo met"
    outcomes = await asyncio.gather(
        desk.run(f"[[bash {meet.format(first, second)}]]"),
        other.run(f"[[bash {meet.format(second, first)}]]"),
    )
    assert [(o.error, o.text) for o in outcomes] == [(None, "The tools answered: met")] * 2
    assert not {p.id for p in desk.told} & {p.id for p in other.told}


async def test_a_session_has_one_run_at_a_time(desk: Desk) -> None:
    first = asyncio.create_task(desk.run(f"[[bash {hold(desk)}]]"))
    await until(desk.file("began").exists, "the first run began")
    with pytest.raises(Conflict):
        await desk.run("and another")
    desk.file("go").touch()
    assert (await first).state == "completed"


async def test_what_happened_while_the_stream_was_gone_is_told_once(
    server: OpenCodeServer, http: aiohttp.ClientSession
) -> None:
    async with proxied(server) as (proxy, where):
        desk = await new_desk(server, http, where=where)
        run = asyncio.create_task(desk.run(f"[[bash {hold(desk)}]]"))
        await until(desk.file("began").exists, "the tool began")
        await until(lambda: ("bash", "running") in desk.states(), "it was told")
        proxy.mode = "refuse"
        proxy.cut()
        await until(lambda: "away" in desk.notices(), "the cut was noticed")
        desk.file("go").touch()
        await until(desk.file("done").exists, "the tool ended")
        proxy.mode = "pass"
        outcome = await run
    assert outcome.text == "The tools answered: ok"
    assert desk.states() == [("bash", "pending"), ("bash", "running"), ("bash", "completed")]
    assert desk.file("began").read_text() == "x\n"
    assert "resumed" not in desk.notices()


async def test_a_killed_server_is_waited_for_and_no_tool_runs_twice(
    server: OpenCodeServer, http: aiohttp.ClientSession, model: ChatCompletions
) -> None:
    desk = await new_desk(server, http)
    ids, written = desk.prompt(), desk.file("before.txt")
    order = f"[[write {written} ::: kept]] [[bash {hold(desk)}]]"
    run = asyncio.create_task(desk.run(order, ids))
    await until(desk.file("began").exists, "the tool began")
    await until(lambda: ("bash", "running") in desk.states(), "it was told")
    server.kill()
    desk.file("go").touch()  # the orphan ends
    await asyncio.to_thread(server.start)
    outcome = await run
    assert outcome.state == "completed"
    assert "interrupted" in outcome.text
    assert [(t.name, t.state) for t in outcome.tools] == [
        ("write", "completed"),
        ("bash", "interrupted"),
    ]
    assert desk.states()[-1] == ("bash", "interrupted")
    assert desk.states().count(("write", "completed")) == 1
    assert desk.notices() == ["away", "resumed"]
    assert desk.file("began").read_text() == "x\n"
    sent = [r for r in model.prompts if r.headers["x-session-id"] == desk.session_id]
    assert json.dumps(sent[-1].body["messages"]).count("[[write") == 1


async def test_a_cancelled_run_is_aborted_at_the_server(
    desk: Desk, server: OpenCodeServer, http: aiohttp.ClientSession, model: ChatCompletions
) -> None:
    ids = desk.prompt()
    run = asyncio.create_task(desk.run(f"[[bash {hold(desk)}]]", ids))
    await until(desk.file("began").exists, "the tool began")
    began = time.monotonic()
    run.cancel()
    with pytest.raises(asyncio.CancelledError):
        await run
    assert time.monotonic() - began < 2
    assert not await OpenCode(server.at, http).busy(ids)
    asked = len(model.requests)
    again = await desk.run("the same", ids, resumed=True)
    assert (again.state, len(model.requests)) == ("aborted", asked)
    desk.file("go").touch()
    assert not desk.file("done").exists()


async def test_a_successor_joins_the_run_its_former_owner_left(
    desk: Desk, server: OpenCodeServer, http: aiohttp.ClientSession
) -> None:
    ids, order = desk.prompt(), f"[[bash {hold(desk)}]]"
    run = asyncio.create_task(desk.run(order, ids))
    await until(desk.file("began").exists, "the tool began")
    desk.bridge.leave()
    run.cancel()
    with pytest.raises(asyncio.CancelledError):
        await run
    successor = await new_desk(server, http)
    joined = asyncio.create_task(successor.run(order, ids, resumed=True))
    await until(lambda: ("bash", "running") in successor.states(), "the successor sees it")
    desk.file("go").touch()
    assert (await joined).text == "The tools answered: ok"
    assert desk.file("began").read_text() == "x\n"


async def test_a_finished_run_is_answered_from_history(desk: Desk, model: ChatCompletions) -> None:
    ids = desk.prompt()
    first = await desk.run("[[bash echo once]]", ids)
    asked, told = len(model.requests), {(p.id, p.state, p.output) for p in desk.told}
    desk.told.clear()
    assert await desk.run("[[bash echo once]]", ids, resumed=True) == first
    assert len(model.requests) == asked
    assert {(p.id, p.state, p.output) for p in desk.told if p.state == "completed"} <= told


async def test_a_prompt_that_was_never_sent_is_sent_by_a_resumed_run(desk: Desk) -> None:
    assert (await desk.run("[[say hello]]", resumed=True)).text == "hello"


async def test_a_model_that_refuses_fails_the_run(desk: Desk) -> None:
    outcome = await desk.run("[[status 400]]")
    assert outcome.state == "failed"
    assert "(400): as told" in outcome.error


async def test_an_agent_that_is_not_there_fails_the_run_soon(desk: Desk) -> None:
    began = time.monotonic()
    outcome = await desk.run("hello", agent="nobody")
    assert outcome.state == "failed"
    assert "agent" in outcome.error.lower()
    assert "\n" not in outcome.error
    assert time.monotonic() - began < 12


async def test_a_permission_is_given_once_and_at_once(desk: Desk) -> None:
    outcome = await desk.run("[[bash echo ask me]]")
    assert outcome.text == "The tools answered: ask me"
    assert desk.states("notice") == [("permission", "once")]


async def test_what_policy_denies_is_told_to_the_model(desk: Desk) -> None:
    outcome = await desk.run('[[call read {"filePath": "/etc/hostname"}]]')
    assert outcome.state == "completed"
    assert "not allowed here" in outcome.text
    assert desk.states("notice") == [("permission", "reject")]
    assert desk.states()[-1] == ("read", "error")


async def test_a_request_made_while_nobody_listened_is_answered(
    server: OpenCodeServer, http: aiohttp.ClientSession
) -> None:
    async with proxied(server) as (proxy, where):
        desk = await new_desk(server, http, where=where)
        run = asyncio.create_task(desk.run(f"[[bash {hold(desk)}]] [[bash echo ask me]]"))
        await until(desk.file("began").exists, "the tool began")
        proxy.mode = "refuse"
        proxy.cut()
        desk.file("go").touch()
        direct = OpenCode(server.at, http)
        await until(lambda: direct.permissions(str(server.work)), "it asks")
        proxy.mode = "pass"
        assert (await run).text == "The tools answered: ok; ask me"


@pytest.mark.parametrize(
    ("limits", "deadline", "reason"),
    [(Limits(silence=1.0), 90.0, "no sign of work for 1 s"), (Limits(), 1.0, "its 1 s")],
    ids=["silence", "deadline"],
)
async def test_a_run_that_hangs_is_stopped(
    server: OpenCodeServer,
    http: aiohttp.ClientSession,
    limits: Limits,
    deadline: float,
    reason: str,
) -> None:
    desk = await new_desk(server, http, limits)
    ids = desk.prompt()
    outcome = await desk.run("[[silent 30]]", ids, deadline=deadline)
    assert outcome.state == "failed"
    assert reason in outcome.error
    assert not await OpenCode(server.at, http).busy(ids)


async def test_a_folder_that_is_not_there_is_refused(desk: Desk) -> None:
    with pytest.raises(NotFound, match="no folder"):
        await desk.bridge.open_session(str(desk.work / "nowhere"), "a test")


async def test_a_session_that_is_not_there_is_told(desk: Desk) -> None:
    desk.session_id = "ses_nowhere"
    with pytest.raises(NotFound, match="ses_nowhere"):
        await desk.run("hello")
