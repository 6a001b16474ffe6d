"""Every store function that takes a Fence, found by looking: a former owner changes nothing."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import psycopg
import pytest

from growqr import names
from growqr.directory import Fence
from growqr.errors import Fenced
from growqr.states import StepState, TurnState
from growqr.store import MemoryCommit, Service, Step, Store, Turn, User

pytestmark = pytest.mark.anyio

ANSWERS_FALSE = {f"leases.{verb}" for verb in ("take", "renew", "release", "release_idle", "burn")}
"""Functions whose answer to a former owner is False; all others raise Fenced."""

USES = [
    {"type": "tool_use", "id": i, "name": "launch", "input": {}} for i in ("older", "open", "new")
]


@dataclass
class Scene:
    """A user in the middle of everything; each lease is at its second epoch."""

    store: Store
    user: User
    fences: dict[str, Fence]
    turn: Turn
    model_step: str
    older: Step
    open: Step
    prompting: tuple[Turn, Step]
    idle_prompt: Turn
    commit: MemoryCommit
    service: Service

    async def take_over(self) -> None:
        """Everybody here has a successor."""
        for fence in set(self.fences.values()):
            assert await self.store.leases.release(fence)
            await taken(self.store, self.user, fence.key, fence.epoch + 1)


async def taken(store: Store, user: User, key: str, epoch: int) -> Fence:
    if key.startswith((names.GROW_AGENTS, names.SUB_AGENTS)):
        assert await store.leases.take(Fence(key, epoch), holder="test", ttl=60)
    else:
        got = await store.leases.acquire(key, user_id=user.id, holder="test", ttl=60)
        assert got == Fence(key, epoch)
    return Fence(key, epoch)


async def twice(store: Store, user: User, key: str) -> Fence:
    """The owner of a key after one take-over."""
    await store.leases.release(await taken(store, user, key, 1))
    return await taken(store, user, key, 2)


async def claimed(store: Store, fence: Fence) -> Turn:
    turn = await store.turns.claim(fence, deadline=60)
    assert turn is not None
    return turn


async def sub_agent_at_work(store: Store, user: User) -> tuple[Fence, Turn]:
    agent = await store.sub_agents.spawn(user.id, "coding", actor=user.id)
    await store.messages.accept(user.id, "work", thread_id=agent.thread_id)
    fence = await twice(store, user, agent.lease_key)
    return fence, await claimed(store, fence)


@pytest.fixture
async def scene(store: Store, alice: User) -> Scene:
    """A turn with a call of an earlier epoch, an open one and a model call; and all the others."""
    await store.messages.accept(alice.id, "go")
    first = await taken(store, alice, names.grow_agent(alice.id), 1)
    turn = await claimed(store, first)
    step = await store.steps.begin_model(first, turn, 1, "m", None)
    await store.steps.finish_model(first, turn, step, content=USES, output={}, result=None)
    older = (await store.steps.claim_tool(first, turn, 1, USES[0], "unsafe")).step
    await store.leases.release(first)
    grow = await taken(store, alice, first.key, 2)
    turn = await claimed(store, grow)
    opened = (await store.steps.claim_tool(grow, turn, 1, USES[1], "unsafe")).step
    thread = await store.threads.create(alice.id, "beside")
    await store.messages.accept(alice.id, "queued", thread_id=thread.id)
    sub, prompted = await sub_agent_at_work(store, alice)
    ids = {"session_id": "ses_1", "message_id": "msg_1", "part_id": "prt_1", "directory": "/w"}
    prompt = await store.steps.begin_prompt(sub, prompted, 1, ids)
    other, idle_prompt = await sub_agent_at_work(store, alice)
    stack = await twice(store, alice, names.stack(alice.id))
    author = {"message": "m", "author": "a", "operation_id": "before"}
    return Scene(
        store=store,
        user=alice,
        fences={
            "grow": grow,
            "sub": sub,
            "other": other,
            "memory": await twice(store, alice, names.memory(alice.id)),
            "mirror": await twice(store, alice, names.mirror(alice.id)),
            "stack": stack,
        },
        turn=turn,
        model_step=await store.steps.begin_model(grow, turn, 2, "m", None),
        older=older,
        open=opened,
        prompting=(prompted, prompt),
        idle_prompt=idle_prompt,
        commit=await store.memory.accept(alice.id, "notes/a.md", "a\n", **author),
        service=await undecided(store, alice, stack),
    )


async def undecided(store: Store, user: User, stack: Fence) -> Service:
    """A service that ended by itself."""
    wanted = await store.services.want(user.id, "opencode", "ready")
    await store.services.observe(stack, wanted, state="unhealthy", decision="open")
    [service] = await store.services.undecided(user.id)
    return service


Maker = Callable[[Scene], Any]

ARGUMENTS: dict[str, Maker] = {
    "actor": lambda s: s.fences["grow"].key,
    "asked": lambda s: {"why": "test"},
    "author": lambda s: s.fences["grow"].key,
    "by": lambda s: "agent",
    "call": lambda s: USES[2],
    "commits": lambda s: [(s.commit, "f" * 40)],
    "content": lambda s: "text",
    "data": lambda s: {"text": "news"},
    "deadline": lambda s: 60.0,
    "decision": lambda s: "restart",
    "effect": lambda s: "unsafe",
    "expiry": lambda s: 60.0,
    "fence": lambda s: s.fences["grow"],
    "heads": lambda s: "d" * 64,
    "holder": lambda s: "late",
    "ids": lambda s: {
        "session_id": "ses_2",
        "message_id": "msg_2",
        "part_id": "p",
        "directory": "/w",
    },
    "key": lambda s: "key",
    "kind": lambda s: "question",
    "message": lambda s: "why",
    "model": lambda s: "m",
    "operation_id": lambda s: "operation",
    "output": lambda s: {},
    "path": lambda s: "notes/b.md",
    "position": lambda s: 3,
    "repo": lambda s: names.MEMORY_REPO,
    "result": lambda s: "the end",
    "results": lambda s: [{"type": "tool_result", "tool_use_id": "older", "content": "x"}],
    "seen": lambda s: s.service,
    "server": lambda s: "generation 1",
    "session_id": lambda s: "ses_9",
    "state": lambda s: StepState.DONE,
    "step": lambda s: s.open,
    "step_id": lambda s: s.model_step,
    "text": lambda s: "said",
    "told": lambda s: "outcome unknown",
    "ttl": lambda s: 60.0,
    "turn": lambda s: s.turn,
    "turn_id": lambda s: s.turn.id,
    "type": lambda s: "general",
    "user_id": lambda s: s.user.id,
    "why": lambda s: "it is in use",
}
"""What a parameter is given, by its name."""

OTHERWISE: dict[str, dict[str, Maker]] = {
    "decisions.ask_about_unknown": {"step": lambda s: s.older},
    "decisions.repeat_tool": {"step": lambda s: s.older},
    "memory.projected": {"fence": lambda s: s.fences["memory"]},
    "mirror.confirm": {"fence": lambda s: s.fences["mirror"]},
    "services.observe": {"fence": lambda s: s.fences["stack"], "state": lambda s: "starting"},
    "steps.begin_prompt": {
        "fence": lambda s: s.fences["other"],
        "turn": lambda s: s.idle_prompt,
        "position": lambda s: 1,
    },
    "steps.finish_model": {"content": lambda s: [{"type": "text", "text": "x"}]},
    "steps.finish_prompt": {
        "fence": lambda s: s.fences["sub"],
        "turn": lambda s: s.prompting[0],
        "step": lambda s: s.prompting[1],
    },
    "steps.lose_prompt": {
        "fence": lambda s: s.fences["sub"],
        "turn": lambda s: s.prompting[0],
        "step": lambda s: s.prompting[1],
    },
    "steps.progress": {
        "fence": lambda s: s.fences["sub"],
        "turn": lambda s: s.prompting[0],
        "step": lambda s: s.prompting[1],
    },
    "timers.set": {"seconds": lambda s: 60.0},
    "turns.finish": {"state": lambda s: TurnState.FAILED},
}
"""Where one function means something else by a name."""


def parameters(method: Any) -> dict[str, inspect.Parameter]:
    return {k: p for k, p in inspect.signature(method).parameters.items() if k != "self"}


def takes_fence(method: Any) -> bool:
    return any(
        name == "fence" or re.search(r"\bFence\b", str(p.annotation))
        for name, p in parameters(method).items()
    )


def fenced_functions() -> list[str]:
    """`noun.method` of all that take a fence, in every noun of a Store."""
    store = Store("postgresql://nowhere/", 1)
    nouns = {name: noun for name, noun in vars(store).items() if not name.startswith("_")}
    return sorted(
        f"{name}.{verb}"
        for name, noun in nouns.items()
        for verb, method in inspect.getmembers(type(noun), inspect.isfunction)
        if not verb.startswith("_") and takes_fence(method)
    )


def prepared(scene: Scene, function: str) -> Callable[[], Any]:
    """The call, with every argument it needs. A parameter nobody here knows fails the test."""
    noun, verb = function.split(".")
    method = getattr(getattr(scene.store, noun), verb)
    special = OTHERWISE.get(function, {})
    given: dict[str, Any] = {}
    for name, parameter in parameters(method).items():
        if name in special or name == "fence" or parameter.default is parameter.empty:
            maker = special.get(name) or ARGUMENTS.get(name)
            assert maker, f"{function} has a parameter {name!r}: say in ARGUMENTS what it is given"
            given[name] = maker(scene)
    kinds = {name: p.kind for name, p in parameters(method).items()}
    at_place = [v for k, v in given.items() if kinds[k] != inspect.Parameter.KEYWORD_ONLY]
    by_name = {k: v for k, v in given.items() if kinds[k] == inspect.Parameter.KEYWORD_ONLY}
    return lambda: method(*at_place, **by_name)


async def rows(url: str) -> dict[str, list[str]]:
    """Every row of every table, as text."""
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as conn:
        found = await conn.execute(
            "select table_name from information_schema.tables where table_schema = current_schema()"
        )
        tables = [str(name) for (name,) in await found.fetchall()]
        return {
            table: [
                str(row)
                for (row,) in await (
                    await conn.execute(f"select t::text from {table} t order by 1".encode())
                ).fetchall()
            ]
            for table in tables
        }


def test_the_walk_finds_the_functions():
    found = fenced_functions()
    assert {"turns.claim", "steps.claim_tool", "memory.projected", "services.observe"} <= set(found)
    assert ANSWERS_FALSE <= set(found)
    assert OTHERWISE.keys() - set(found) <= {f for f in OTHERWISE if f.startswith("decisions.")}


@pytest.mark.parametrize("function", fenced_functions())
async def test_a_former_owner_is_refused_and_changes_nothing(
    scene: Scene, database_url: str, function: str
):
    call = prepared(scene, function)
    await scene.take_over()
    before = await rows(database_url)
    if function in ANSWERS_FALSE:
        assert await call() is False
    else:
        with pytest.raises(Fenced):
            await call()
    assert await rows(database_url) == before


@pytest.mark.parametrize("function", [f for f in fenced_functions() if f not in ANSWERS_FALSE])
async def test_the_owner_changes_something_by_the_same_call(
    scene: Scene, database_url: str, function: str
):
    """So the refusal above was the fence's, and not that of arguments that fit nothing."""
    before = await rows(database_url)
    await prepared(scene, function)()
    assert await rows(database_url) != before
