"""Processes killed in the middle: what was acknowledged is finished by somebody else."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import time
from contextlib import suppress

import httpx
import pytest

from growqr import names
from growqr.store import open_store
from tests.instances import Instance, Person, processes_of


def holder(instance: Instance, person: Person) -> tuple[int, int]:
    """(pid, epoch) of the process that holds the user's lease."""

    async def read() -> tuple[int, int]:
        async with open_store(instance.settings, 1) as store:
            user = names.local_user_id(person.name)
            lease = await store.leases.holder(names.grow_agent(user))
            found = re.search(r"pid (\d+)", lease.holder or "")
            assert found, lease
            return int(found[1]), lease.epoch

    return asyncio.run(read())


def begun(person: Person, turn: str, kind: str = "turn.started") -> None:
    for event in person.events():
        if event["type"] == kind and event["turn_id"] == turn:
            return
    raise AssertionError(f"{turn} never had {kind}")


def test_kill_of_the_agent_in_mid_turn_is_over_in_seconds(instance: Instance):
    anna = instance.person()
    anna.ask("hello")
    turn = anna.say("[[slow 0.2]] tell me something")
    begun(anna, turn)
    pid, epoch = holder(instance, anna)
    os.kill(pid, signal.SIGKILL)
    killed = time.monotonic()
    for event in anna.events():
        resumed = event["type"] == "turn.started" and event["data"].get("resumed")
        if resumed and event["turn_id"] == turn:
            assert event["data"]["epoch"] == epoch + 1
            break
    took = time.monotonic() - killed
    print(f"agent killed → successor has the turn: {took:.2f} s")
    assert took < 10
    assert anna.ended(turn, 30)["state"] == "completed"
    journal = anna.journal()
    assert [e["seq"] for e in journal] == list(range(1, len(journal) + 1))
    assert sum(e["type"] == "turn.completed" and e["turn_id"] == turn for e in journal) == 1


def test_kill_of_postgres_is_503_and_then_everything_goes_on(instance: Instance):
    if os.environ.get("DATABASE_URL"):
        pytest.skip("an outside Postgres is not ours to kill")
    anna = instance.person()
    anna.ask("hello")
    turn = anna.say("[[slow 0.3]] tell me something")
    begun(anna, turn)
    os.kill(instance.record["children"]["postgres"][0], signal.SIGKILL)
    killed = time.monotonic()
    statuses: set[int] = set()
    while time.monotonic() - killed < 20:
        answer = anna.http.get("/users/me")
        statuses.add(answer.status_code)
        if answer.status_code == 503:
            assert int(answer.headers["retry-after"]) <= 3
        elif time.monotonic() - killed > 1:
            break
        time.sleep(0.02)
    assert statuses <= {200, 503}
    assert anna.ended(turn, 60)["state"] == "completed"
    assert anna.ask("and again")
    journal = anna.journal()
    assert [e["seq"] for e in journal] == list(range(1, len(journal) + 1))


def test_kill_of_an_api_replica_loses_no_message(instance: Instance):
    anna = instance.person()
    anna.ask("hello")
    replicas = [
        p.pid for p in processes_of(instance) if p.title.startswith("ray::ServeReplica:api")
    ]
    os.kill(replicas[0], signal.SIGKILL)
    assert anna.ask("are you there?", 60)
    with httpx.Client() as client:
        assert client.get(f"{instance.url}/livez", timeout=20).status_code == 200


def test_loss_of_all_of_ray_is_rebuilt_from_postgres(instance: Instance):
    anna = instance.person()
    anna.ask("remember that the launch is on Friday")
    turn = anna.say("[[slow 0.3]] tell me something")
    begun(anna, turn)
    ray = instance.record["children"]["ray"][0]
    for process in processes_of(instance):
        with suppress(ProcessLookupError):
            if os.getsid(process.pid) == ray:
                os.kill(process.pid, signal.SIGKILL)
    killed = time.monotonic()
    assert anna.ended(turn, 120)["state"] == "completed"
    print(f"all of Ray killed → its turn finished: {time.monotonic() - killed:.1f} s")
    assert "Friday" in anna.ask("what do you remember about the launch?", 60)
