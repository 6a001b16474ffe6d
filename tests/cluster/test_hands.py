"""Sub-agents and the real OpenCode, through the public door."""

from __future__ import annotations

import json
import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from growqr import names
from growqr.identity import instance_secret, service_password
from tests.instances import Instance, Person

COUNT = "create count.py that writes 1 to {n} to count.txt, one a second, and run it"


def opencode(instance: Instance, person: Person, path: str) -> Any:
    """What the user's OpenCode server itself answers."""
    user = names.local_user_id(person.name)
    record = json.loads(
        (instance.data / "services" / f"{names.service('opencode', user)}.json").read_text()
    )
    secret = instance_secret(instance.settings)
    password = service_password(secret, user, "opencode", record["generation"])
    answer = httpx.get(
        f"http://127.0.0.1:{record['port']}{path}",
        params={"directory": str(instance.settings.workspace(user))},
        auth=("opencode", password),
        timeout=20,
        trust_env=False,
    )
    assert answer.status_code == 200, answer.text
    return answer.json()


def wait_for(person: Person, turn: str, kind: str, name: str, seconds: float = 60) -> None:
    for event in person.events(seconds=seconds):
        if event["type"] == kind and event["data"].get("name") == name:
            return
    raise AssertionError(f"{turn}: no {kind} of {name}")


def test_the_work_was_really_done_by_opencode(instance: Instance):
    anna = instance.person()
    assert "count.txt" in anna.ask(COUNT.format(n=3), 90)
    [session] = opencode(instance, anna, "/session")
    messages = opencode(instance, anna, f"/session/{session['id']}/message")
    parts = [p for m in messages for p in m["parts"] if p["type"] == "tool"]
    done = {p["tool"]: p["state"] for p in parts if p["state"]["status"] == "completed"}
    assert done["write"]["input"]["filePath"].endswith("count.py")
    assert done["bash"]["output"]
    script = anna.http.get("/files/count.py").content.decode()
    assert script == done["write"]["input"]["content"]
    assert anna.http.get("/files/count.txt").content.decode().split() == ["1", "2", "3"]
    assert anna.http.get("/files/..%2f..%2fsecrets%2finstance.key").status_code in (404, 422)


def test_both_agents_killed_while_it_counts(instance: Instance):
    anna = instance.person()
    turn = anna.say(COUNT.format(n=8))
    wait_for(anna, turn, "tool.started", "bash")
    killed = instance.command("status", "--pids", "agents").stdout.split()
    assert len(killed) >= 2
    for pid in killed:
        os.kill(int(pid), signal.SIGKILL)
    assert anna.ended(turn, 90)["state"] == "completed"
    lines = anna.http.get("/files/count.txt").content.decode().split()
    assert lines == [str(n) for n in range(1, 9)]
    journal = anna.journal()
    assert [e["seq"] for e in journal] == list(range(1, len(journal) + 1))
    assert sum(e["type"] == "sub_agent.completed" for e in journal) == 1


def test_opencode_killed_while_it_works(instance: Instance):
    anna = instance.person()
    turn = anna.say(COUNT.format(n=6))
    wait_for(anna, turn, "tool.started", "bash")
    user = names.local_user_id(anna.name)
    record = json.loads(
        (instance.data / "services" / f"{names.service('opencode', user)}.json").read_text()
    )
    os.kill(record["pid"], signal.SIGKILL)
    ended = anna.ended(turn, 120)
    assert ended["state"] in ("completed", "failed")
    told = [e["type"] for e in anna.journal()]
    assert "service.unhealthy" in told or told.count("service.ready") > 1
    assert "count" in anna.ask("create again.py that writes 1 to 2 to count2.txt and run it", 120)


def test_a_cancelled_run_ends_within_seconds_and_the_next_works(instance: Instance):
    anna = instance.person()
    turn = anna.say(COUNT.format(n=60))
    wait_for(anna, turn, "tool.started", "bash")
    asked = time.monotonic()
    assert anna.http.post(f"/turns/{turn}/cancel").status_code == 202
    [child] = anna.get("/actors/me/sub-agents")["data"]
    while anna.get(f"/actors/me/sub-agents/{child['id']}")["state"] != "idle":
        assert time.monotonic() - asked < 6
        time.sleep(0.05)
    print(f"cancel of a run in bash: {time.monotonic() - asked:.2f} s")
    before = anna.http.get("/files/count.txt").content
    assert "count.txt" in anna.ask(COUNT.format(n=2), 90)
    assert len(before.split()) < 60


def test_the_smoke_test_of_the_origins(instance: Instance):
    anna = instance.person()
    root = httpx.Client(base_url=instance.url, headers=anna.headers, timeout=20)
    user = names.local_user_id(anna.name)
    with root:
        assert root.post("/actors/provision", json={"userId": user}).status_code == 202
        said = root.post(f"/actors/{user}/message", json={"userId": user, "text": "hello"})
        assert said.status_code == 202
        body = {"type": "coding", "channelId": "ch-coding-1"}
        made = root.post(f"/actors/{user}/sub-agents", json=body)
        assert made.status_code == 201, made.text
        assert root.post(f"/actors/{user}/sub-agents", json=body).json() == made.json()
        agent = made.json()["id"]
        ran = root.post(
            f"/actors/{user}/sub-agents/{agent}/run",
            json={"prompt": "create hello.py that writes 1 to 2 to hello.txt and run it"},
        )
        assert ran.status_code == 202, ran.text
        turn = anna.ended(ran.json()["turn_id"], 90)
        assert turn["state"] == "completed"
        assert turn["usage"]["calls"] >= 2, "OpenCode's model calls are booked to its turn"
        messages = anna.get(f"/threads/{ran.json()['thread_id']}/messages")["data"]
        assert [m["role"] for m in messages] == ["user", "assistant"]
        assert root.post(f"/actors/{user}/stop", json={}).status_code == 202
    assert anna.get("/actors/me")["stack"]["opencode"]["state"] == "ready"


def test_a_note_and_a_skill_reach_the_sub_agent(instance: Instance):
    anna = instance.person()
    skill = "---\nname: greeting\ndescription: how to greet\n---\nAlways greet with MOIN-77.\n"
    put = anna.http.put("/memory/skills/greeting/SKILL.md", json={"content": skill})
    assert put.status_code == 200, put.text
    anna.ask("remember that the launch code word is PELICAN-42")
    agent = anna.http.post("/actors/me/sub-agents", json={"type": "research"}).json()["id"]

    def run(prompt: str) -> str:
        path = f"/actors/me/sub-agents/{agent}/run"
        turn = anna.http.post(path, json={"prompt": prompt}).json()["turn_id"]
        return str(anna.ended(turn, 90)["result"])

    assert "PELICAN-42" in run("what do you remember about the launch code word?")
    assert "MOIN-77" in run("what does the skill greeting say?")


def test_a_sub_agent_clones_and_pushes_a_project(instance: Instance):
    anna, bob = instance.person(), instance.person()
    made = anna.http.post("/git/repos", json={"name": "site"}).json()
    agent = anna.http.post("/actors/me/sub-agents", json={"type": "coding"}).json()["id"]
    work = (
        f"run git clone {made['clone_url']} site && cd site && echo hello > a.txt"
        " && git add a.txt && git commit -qm first && git push origin HEAD:main"
    )
    path = f"/actors/me/sub-agents/{agent}/run"
    turn = anna.ended(anna.http.post(path, json={"prompt": work}).json()["turn_id"], 90)
    assert turn["state"] == "completed", turn
    found = anna.http.get("/git/repos/site/contents/a.txt")
    assert found.status_code == 200, (found.text, turn["result"])
    assert found.json()["content"] == "hello\n"
    assert bob.http.get("/git/repos/site/contents/a.txt").status_code == 404


@pytest.mark.parametrize("people", [6])
def test_six_users_start_at_once(instance: Instance, people: int):
    crowd = [instance.person() for _ in range(people)]

    def work(person: Person) -> str:
        return person.ask(f"create {person.name}.py that writes 1 to 2 to out.txt and run it", 180)

    with ThreadPoolExecutor(people) as pool:
        assert len(list(pool.map(work, crowd))) == people
    for person in crowd:
        assert person.http.get("/files/out.txt").content.split() == [b"1", b"2"]
        assert len(person.get("/files")["data"]) == 2
    for person in crowd:
        stopped = person.http.post("/opencode/workspaces/me/stop", json={})
        assert stopped.status_code == 202
    until = time.monotonic() + 30
    for person in crowd:
        while person.get("/actors/me")["stack"]["opencode"]["state"] != "stopped":
            assert time.monotonic() < until
            time.sleep(0.1)
        user = names.local_user_id(person.name)
        assert not (instance.data / "services" / f"{names.service('opencode', user)}.json").exists()
