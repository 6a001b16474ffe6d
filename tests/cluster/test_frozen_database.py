"""A database that answers nothing: told at once, waited out, and nothing is lost by it."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import httpx
import psutil
import pytest

from tests.instances import Instance, Person

FREEZE = 8.0
"""Seconds; more than three deadlines of a store call."""


@contextmanager
def frozen(instance: Instance) -> Iterator[None]:
    """Every process of the instance's Postgres stands still: a black hole that accepts."""
    server = psutil.Process(instance.record["children"]["postgres"][0])
    server.suspend()  # first, so that it makes no more children
    stopped = [server, *server.children(recursive=True)]
    assert len(stopped) > 3
    for process in stopped:
        with suppress(psutil.NoSuchProcess):
            process.suspend()
    try:
        yield
    finally:
        for process in stopped:
            with suppress(psutil.NoSuchProcess):
                process.resume()


def answered(person: Person) -> tuple[int, float]:
    """Status of one read, and the seconds it took."""
    began = time.monotonic()
    answer = person.http.get("/users/me", timeout=10)
    if answer.status_code == 503:
        assert answer.headers["content-type"] == "application/problem+json"
        assert int(answer.headers["retry-after"]) <= 3
    return answer.status_code, time.monotonic() - began


def test_a_frozen_postgres_is_503_in_time_and_the_turn_goes_on(instance: Instance):
    if os.environ.get("DATABASE_URL"):
        pytest.skip("an outside Postgres is not ours to kill")
    anna = instance.person()
    anna.ask("hello")
    turn = anna.say("[[slow 0.3]] tell me something")
    key = {"idempotency-key": "while-it-was-frozen"}
    with frozen(instance):
        until = time.monotonic() + FREEZE
        seen = []
        while time.monotonic() < until:
            seen.append(answered(anna))
        with suppress(httpx.TransportError):
            refused = anna.http.post("/actors/me/message", json={"text": "hello?"}, headers=key)
            assert refused.status_code == 503
    thawed = time.monotonic()
    assert {status for status, _ in seen} == {503}
    slowest = max(took for _, took in seen)
    assert slowest < 3 + 2, f"an answer took {slowest:.1f} s"  # two seconds for two busy cores
    while answered(anna)[0] != 200:
        assert time.monotonic() - thawed < 15
    back = time.monotonic() - thawed
    print(f"frozen: 503 after {slowest:.1f} s at most; thawed → 200: {back:.1f} s")
    ended = anna.ended(turn, 60)
    assert ended["state"] == "completed", ended["error"]
    again = anna.http.post("/actors/me/message", json={"text": "hello?"}, headers=key)
    assert again.status_code == 202
    assert anna.ended(again.json()["turn_id"])["state"] == "completed"
    journal = anna.journal()
    assert [e["seq"] for e in journal] == list(range(1, len(journal) + 1))
    assert sum(e["type"] == "turn.completed" for e in journal) == 3
