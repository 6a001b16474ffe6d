"""A process that stands still is taken for dead; when it moves again, it finds itself refused."""

from __future__ import annotations

import json
import os
import signal
import time
from pathlib import Path
from typing import Any

from httpx_sse import EventSource

from growqr import names
from growqr.instance.folder import ray_folder
from tests.cluster.test_failures import begun, holder
from tests.cluster.test_wake import agents, until
from tests.fakes.messages_api import MessagesApi
from tests.instances import Instance, Person

FREEZE = 20.0
"""Seconds for which an agent stands still, at least."""

TAKEOVER = 15.0
"""Seconds until its successor has begun: a lease's life and five more."""


def freezing(lab: Instance, point: str, name: str) -> Path:
    """A failpoint at which the next process of that name stops itself; it is gone when one has."""
    folder = lab.settings.failpoints
    assert folder
    made = folder / "new"
    made.write_text("SIGSTOP")
    return made.rename(folder / f"{point}@{name}")


def words_of(lab: Instance, pid: int) -> str:
    """What a worker has logged."""
    logs = ray_folder(lab.settings.data) / "r" / "session_latest" / "logs"
    return "".join(file.read_text() for file in logs.glob(f"worker-*-{pid}.err"))


def resumed(person: Person, turn: str) -> int:
    """Wait for a successor to begin with the turn; returns its epoch."""
    for event in person.events(seconds=60):
        if event["type"] == "turn.started" and event["turn_id"] == turn:
            if event["data"].get("resumed"):
                return int(event["data"]["epoch"])
    raise AssertionError("nobody went on")


def asked(api: MessagesApi, word: str) -> int:
    """Model calls about something that was said once."""
    return sum(word in str(r.body["messages"]) for r in list(api.requests))


def rest_of(source: EventSource, turn: str) -> list[dict[str, Any]]:
    """Everything a stream tells, deltas included, to the end of `turn`."""
    told = []
    for event in source.iter_sse():
        body = json.loads(event.data or "{}")
        told.append(body | {"kind": event.event})
        if event.event == "turn.completed" and body["turn_id"] == turn:
            return told
    raise AssertionError("the stream ended")


def test_agents_that_stood_still_are_replaced_and_then_refused(
    lab: Instance, messages_api: MessagesApi
):
    """Anna's stops when a reply that asks for a tool has come and is about to be journaled; Bob's
    while it reads a reply.
    """
    anna, bob = lab.person(), lab.person()
    key = names.grow_agent(names.local_user_id(anna.name))
    sprung = freezing(lab, "finish_model_step.before", key)
    reads = bob.say("[[slow 0.3]] hello")
    begun(bob, reads)
    writes = anna.say(f"remember that {anna.name} likes tea")
    until(lambda: not sprung.exists(), "the agent is about to journal the reply", 60)
    held = {person.name: holder(lab, person) for person in (anna, bob)}
    os.kill(held[bob.name][0], signal.SIGSTOP)
    frozen = time.monotonic()
    for person, turn in ((anna, writes), (bob, reads)):
        assert resumed(person, turn) > held[person.name][1]
        print(f"agent frozen → successor has the turn: {time.monotonic() - frozen:.1f} s")
    assert time.monotonic() - frozen < TAKEOVER
    for person, turn in ((anna, writes), (bob, reads)):
        assert person.ended(turn, 60)["state"] == "completed"
    until(lambda: time.monotonic() - frozen > FREEZE, "the freeze is over", FREEZE + 5)
    old = {pid for pid, _ in held.values()}
    assert old <= agents(lab)

    before = {person.name: person.journal() for person in (anna, bob)}
    last = [journal[-1]["seq"] for journal in before.values()]
    calls = asked(messages_api, f"{anna.name} likes tea")
    with anna.stream(last[0], 60) as to_anna, bob.stream(last[1], 60) as to_bob:
        for pid in old:
            os.kill(pid, signal.SIGCONT)
        until(lambda: not old & agents(lab), "they have ended")
        for person in (anna, bob):
            pid, epoch = held[person.name]
            assert f"has passed on from epoch {epoch}" in words_of(lab, pid), "it never tried"
        assert asked(messages_api, f"{anna.name} likes tea") == calls
        for person, source in ((anna, to_anna), (bob, to_bob)):
            again = person.say("and again")
            told = rest_of(source, again)
            assert {body["turn_id"] for body in told if "turn_id" in body} == {again}
            journal = before[person.name]
            assert person.journal()[: len(journal)] == journal
    assert len(anna.get("/memory")["data"]) == 1
