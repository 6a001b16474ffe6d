"""What is done so that each statement is reached, by whom it is, and what must then hold."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import NamedTuple

from growqr import names
from tests.crash.scene import Scene, User, until

Act = Callable[[Scene, str], None]
"""Has a process die at the point (`<statement>.<before|after>`), then looks whether all is well."""


class Case(NamedTuple):
    """One way to reach a statement. `lane`: agents and opencode go side by side, others alone."""

    statement: str
    lane: str
    act: Act
    label: str = ""


ALL_TOOLS = "[[tools crash_unsafe {} ; crash_idempotent {} ; crash_reconcilable {}]]"
LONG = "[[slow 0.2]] tell me something"


def turn(text: str, *, warm: bool = True) -> Act:
    """The agent dies in a turn that its successor completes."""

    def act(scene: Scene, point: str) -> None:
        anna = scene.user()
        if warm:
            anna.ask("hello")
        dies_in(scene, anna, point, anna.agent, text)

    return act


def dies_in(scene: Scene, anna: User, point: str, name: str, text: str) -> None:
    """Somebody dies in a turn that is completed all the same; `name`: the agent it is."""
    trap = scene.trap(point, name)
    said = anna.say(text)
    died = trap.wait()
    ended = anna.ended(said)
    assert ended["state"] == "completed", ended
    if name:
        anna.took_over(point, died)
    anna.check()


def tool(effect: str) -> str:
    return f"[[tools crash_{effect} {{}}]]"


def cancelled(scene: Scene, point: str) -> None:
    """Whoever ends the turn dies; it is cancelled all the same, once."""
    anna = scene.user()
    anna.ask("hello")
    beside = anna.post("/threads", {"title": "beside"})["id"]
    said = anna.say("[[slow 0.4]] tell me something", thread_id=beside)
    anna.seen("turn.started", said)
    trap = scene.trap(point, anna.agent if point.startswith("finish_turn") else "")
    anna.post(f"/turns/{said}/cancel")
    trap.wait()
    assert anna.ended(said)["state"] == "cancelled"
    anna.check()


def idle(scene: Scene, point: str) -> None:
    """It dies on its way to sleep; the next message finds a successor."""
    anna = scene.user()
    anna.ask("hello")
    scene.trap(point, anna.agent).wait()
    anna.check()


def remembers(scene: Scene, point: str) -> None:
    path = f"notes/{point}.md"
    given = json.dumps({"path": path, "content": "kept\n"})
    anna = scene.user()
    anna.ask("hello")
    dies_in(scene, anna, point, anna.agent, f"[[tools commit_memory {given}]]")
    anna.check_memory(path, "kept\n")


def spawns(scene: Scene, point: str) -> None:
    anna = scene.user()
    anna.ask("hello")
    dies_in(scene, anna, point, anna.agent, '[[tools spawn_sub_agent {"type": "research"}]]')
    assert len(anna.get("/actors/me/sub-agents")["data"]) == 1


def unknown(effect: str, decision: str = "deny") -> Act:
    """An agent dies with a call claimed, and its successor over what to do about that."""

    def act(scene: Scene, point: str) -> None:
        anna = scene.user()
        anna.ask("hello")
        first = scene.trap("claim_tool.after", anna.agent)
        second = scene.trap(point, anna.agent)
        said = anna.say(tool(effect))
        first.wait()

        def sprung() -> bool:
            if anna.get(f"/turns/{said}")["state"] == "waiting":
                anna.settle(decision)
            return second.sprung

        until(sprung, f"nobody died at {point}")
        assert anna.ended(said)["state"] == "completed"
        anna.check()

    return act


def poison(scene: Scene, point: str) -> None:
    """A turn that ends its agent each time is given up, and says why."""
    anna = scene.user()
    trap = scene.trap(point, anna.agent)
    said = anna.say("poison")

    def over() -> bool:
        if trap.sprung:
            trap.set()
        return bool(anna.get(f"/turns/{said}")["finished_at"])

    until(over, "the end of a turn that kills", 90)
    trap.remove()
    ended = anna.get(f"/turns/{said}")
    assert ended["state"] == "failed"
    assert "given up" in ended["error"]["message"], ended
    anna.check()


# --- sub-agents: one user with a warm OpenCode, one after the other


def delegates(scene: Scene, point: str) -> None:
    """The Grow Agent dies while it hands a task over."""
    anna = scene.with_opencode()
    given = json.dumps({"sub_agent_id": scene.sub_agent(anna), "prompt": "hello"})
    dies_in(scene, anna, point, anna.agent, f"[[tools run_sub_agent {given}]]")


def task(prompt: str, *, channel: str = "ch-crash") -> Act:
    """The sub-agent dies during a task."""

    def act(scene: Scene, point: str) -> None:
        anna = scene.with_opencode()
        agent = scene.sub_agent(anna, channel.format(point=re.sub(r"\W|_", "-", point)))
        trap = scene.trap(point, names.sub_agent(anna.id, agent))
        said = anna.post(f"/actors/me/sub-agents/{agent}/run", {"prompt": prompt})["turn_id"]
        anna.turns.append(said)
        died = trap.wait()
        ended = anna.ended(said)
        assert ended["state"] == "completed", ended
        anna.took_over(point, died)
        anna.check()

    return act


def forgets(prompt: str, *, under_way: bool = False) -> Act:
    """OpenCode is destroyed with all it knew, before a task or during it, and the sub-agent dies
    over what it does about that."""

    def act(scene: Scene, point: str) -> None:
        anna = scene.with_opencode()
        agent = scene.sub_agent(anna, "ch-forgets-" + re.sub(r"\W|_", "-", point))
        run = f"/actors/me/sub-agents/{agent}/run"
        first = anna.post(run, {"prompt": "hello"})["turn_id"]
        assert anna.ended(first)["state"] == "completed"
        if not under_way:
            anna.lose_opencode()
            trap = scene.trap(point, names.sub_agent(anna.id, agent))
        said = anna.post(run, {"prompt": prompt})["turn_id"]
        if under_way:
            anna.seen("sub_agent.started", said)
            anna.lose_opencode()
            trap = scene.trap(point, names.sub_agent(anna.id, agent))
        anna.turns += [first, said]
        died = trap.wait()
        ended = anna.ended(said, 120)
        assert ended["state"] == "completed", ended
        prompts = [step["state"] for step in ended["steps"] if step["kind"] == "prompt"]
        assert prompts == ["unknown"] * under_way + ["done"], prompts
        told = [e for e in anna.journal() if e["turn_id"] == said and "restored" in e["data"]]
        assert len(told) == 1, "what was restored is told once"
        anna.took_over(point, died)
        anna.check()

    return act


def service_ends(*, asleep: bool = False) -> Act:
    """OpenCode is killed, and whoever says what becomes of it dies over that: it is said once."""

    def act(scene: Scene, point: str) -> None:
        anna = scene.with_opencode()
        anna.ask("hello")
        if asleep:
            anna.post("/actors/me/stop")
            until(lambda: anna.get("/actors/me")["state"] == "asleep", "the agent asleep")
        before = len(anna.journal())
        trap = scene.trap(point, names.host("local") if asleep else anna.agent)
        if not asleep:  # it would fall asleep before long
            anna.post("/actors/me/start")
            until(lambda: anna.get("/actors/me")["state"] == "awake", "the agent awake")
        anna.kill_opencode()
        trap.wait()

        def told(kind: str) -> list[tuple[str, str | None]]:
            found = [e for e in anna.journal()[before:] if e["type"] == kind]
            return [(e["actor"], e["data"].get("decision")) for e in found]

        until(lambda: told("service.ready"), "OpenCode again")
        assert told("service.decided") == [(anna.agent, "restart")]
        anna.check()

    return act


WORK = "create hello.py that writes 1 to 2 to hello.txt and run it"


# --- the api: a replica dies, the client asks again


def met(scene: Scene, point: str) -> None:
    anna = scene.user()
    trap = scene.trap(point)
    assert anna.get("/users/me")["id"] == anna.id
    trap.wait()
    anna.check()


def accepted(scene: Scene, point: str) -> None:
    anna = scene.user()
    anna.ask("hello")
    trap = scene.trap(point)
    said = anna.say(ALL_TOOLS)
    trap.wait()
    assert anna.ended(said)["state"] == "completed"
    asked = [e for e in anna.journal() if ALL_TOOLS in json.dumps(e["data"], ensure_ascii=False)]
    assert len(asked) == 1, "accepted twice"
    anna.check()


def answered(scene: Scene, point: str) -> None:
    """A POST with a key has one effect and one answer, however often it is repeated."""
    anna = scene.user()
    trap = scene.trap(point)
    made = anna.post("/threads", {"title": "a title"})
    trap.wait()
    found = [t["id"] for t in anna.get("/threads")["data"] if t["title"] == "a title"]
    assert found == [made["id"]]
    anna.check()


def stopped(scene: Scene, point: str) -> None:
    anna = scene.user()
    agent = anna.post("/actors/me/sub-agents", {"type": "general"})["id"]
    trap = scene.trap(point)
    anna.post(f"/actors/me/sub-agents/{agent}/stop")
    trap.wait()
    assert anna.get(f"/actors/me/sub-agents/{agent}")["state"] == "stopped"
    told = [e["type"] for e in anna.journal()]
    assert told.count("sub_agent.stopped") == 1
    anna.check()


def decided(scene: Scene, point: str) -> None:
    """An answer is given once, whichever replica died over it."""
    anna = scene.user()
    said = anna.say('[[tools ask_user {"question": "which one?"}]]')
    until(lambda: anna.get("/questions")["data"], "a question")
    trap = scene.trap(point)
    anna.settle()
    trap.wait()
    assert anna.ended(said)["state"] == "completed"
    told = [e["type"] for e in anna.journal() if e["turn_id"] == said]
    assert told.count("question.resolved") == told.count("tool.completed") == 1
    anna.check()


def timer_removed(scene: Scene, point: str) -> None:
    anna = scene.user()
    timer = anna.post("/timers", {"text": "never", "seconds": 86_400})["id"]
    trap = scene.trap(point)
    anna.send("DELETE", f"/timers/{timer}", gone=True)
    trap.wait()
    assert anna.get("/timers")["data"] == []
    told = [e["type"] for e in anna.journal()]
    assert told.count("timer.removed") == 1
    anna.check()


def thread_changed(scene: Scene, point: str) -> None:
    anna = scene.user()
    thread = anna.post("/threads", {"title": "first"})["id"]
    trap = scene.trap(point)
    anna.send("PATCH", f"/threads/{thread}", {"title": "second", "archived": True})
    trap.wait()
    found = anna.get(f"/threads/{thread}")
    assert (found["title"], bool(found["archived_at"])) == ("second", True)
    told = [e["data"] for e in anna.journal() if e["type"] == "thread.changed"]
    assert told == [{"title": "second", "archived": True}]
    anna.check()


def timer_fired(scene: Scene, point: str) -> None:
    """It comes once, though the Supervisor died over it."""
    anna = scene.user()
    anna.post("/timers", {"text": "it is time", "seconds": 1})
    scene.trap(point, names.SUPERVISOR).wait()
    fired = until(
        lambda: [e for e in anna.journal() if e["type"] == "timer.fired"], "the timer fires"
    )
    anna.turns.append(fired[0]["turn_id"])
    assert anna.ended(anna.turns[-1])["state"] == "completed"
    anna.check()
    told = [e["type"] for e in anna.journal()]
    assert told.count("timer.fired") == 1


def put(name: str = "") -> Act:
    """A file put over HTTP: accepted by the api, brought into git by the Host."""

    def act(scene: Scene, point: str) -> None:
        anna = scene.user()
        path = f"notes/{point}.md"
        trap = scene.trap(point, name)
        anna.send("PUT", f"/memory/{path}", {"content": "kept\n"})
        trap.wait()
        anna.check_memory(path, "kept\n")
        anna.check()

    return act


def wanted(scene: Scene, point: str) -> None:
    """The pair is as it was last wished, whoever of api and Host died."""
    anna = scene.with_opencode()
    for wish, state in (("stop", "stopped"), ("start", "ready")):
        trap = scene.trap(point) if wish == "stop" else None
        anna.post(f"/opencode/workspaces/me/{wish}")
        if trap:
            trap.wait()
        until(
            lambda state=state: anna.get("/actors/me")["stack"]["opencode"]["state"] == state,
            f"OpenCode {state}",
        )
    anna.check()


# --- gateway and Supervisor


def metered(scene: Scene, point: str) -> None:
    anna = scene.user()
    anna.ask("hello")
    dies_in(scene, anna, point, "", ALL_TOOLS)


def orphaned(scene: Scene, point: str) -> None:
    """An agent dies, and then the Supervisor that saw it."""
    anna = scene.user()
    anna.ask("hello")
    trap = scene.trap(point, names.SUPERVISOR)
    agent = scene.trap("begin_model_step.after", anna.agent)
    said = anna.say(ALL_TOOLS)
    agent.wait()
    trap.wait()
    assert anna.ended(said)["state"] == "completed"
    anna.check()


def overdue(scene: Scene, point: str) -> None:
    """No start takes its epoch, so that it is given up; over that the Supervisor dies."""
    anna = scene.user()
    late = scene.trap("take_lease.before", anna.agent)
    trap = scene.trap(point, names.SUPERVISOR)
    said = anna.say(ALL_TOOLS)

    def burnt() -> bool:
        if late.sprung and not trap.sprung:
            late.set()
            anna.age()  # so that nobody has to wait until it is overdue
        return trap.sprung

    until(burnt, f"nobody died at {point}", 90)
    late.remove()
    assert anna.ended(said)["state"] == "completed"
    anna.check()
