"""A client that is cut and comes back, on whichever replica, misses nothing and repeats nothing."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Generator
from typing import Any

import httpx
from httpx_sse import EventSource

from tests.instances import Instance, Person, processes_of


def rejoined(person: Person, seconds: float) -> Generator[dict[str, Any], None, None]:
    """Durable events from the first, over as many connections as it takes."""
    until, last = time.monotonic() + seconds, 0
    while time.monotonic() < until:
        try:
            head = {"last-event-id": str(last)}
            with person.http.stream(
                "GET", "/actors/me/events", headers=head, timeout=seconds
            ) as answer:
                for event in EventSource(answer).iter_sse() if answer.status_code == 200 else ():
                    assert event.event != "reset"
                    if event.event not in ("ping", "delta"):
                        last = int(event.id)
                        yield event.json()
                    assert time.monotonic() < until, f"nothing more than {last}"
        except httpx.TransportError:
            pass
        time.sleep(0.1)
    raise AssertionError(f"nothing more than {last} within {seconds:g} s")


def test_a_client_cut_again_and_again_sees_every_event_once(instance: Instance):
    anna = instance.person()
    turn = anna.say("[[slow 0.1]] tell me something long")
    seen: list[int] = []
    ended = False
    while not ended:
        for count, event in enumerate(anna.events(after=seen[-1] if seen else 0)):
            if event["type"] != "delta":
                seen.append(event["seq"])
                ended = event["type"] == "turn.completed"
            if ended or count == 1:
                break
    assert seen == list(range(1, len(seen) + 1))
    assert [e["seq"] for e in anna.journal()] == seen
    assert anna.ended(turn)["state"] == "completed"


def test_deltas_of_a_reply_add_up_to_it(instance: Instance):
    anna = instance.person()
    with anna.stream() as source:
        turn = anna.say("hello there")
        text, final = "", ""
        for event in source.iter_sse():
            body = event.json()
            if event.event == "delta" and body["kind"] == "text":
                assert body["turn_id"] == turn
                assert body["offset"] == len(text)
                text += body["text"]
            if event.event == "turn.completed":
                final = body["data"]["text"]
                break
    assert text == final != ""


def test_many_streams_on_both_replicas_tell_the_same(instance: Instance):
    anna = instance.person()
    for number in range(3):
        anna.ask(f"hello {number}")
    last = anna.get("/actors/me")["seq"]
    told = []
    for _ in range(6):
        seqs = []
        for event in anna.events():
            seqs.append(event["seq"])
            if event["seq"] == last:
                break
        told.append(seqs)
    assert told == [list(range(1, last + 1))] * 6


def test_a_stream_opened_while_a_replica_dies_follows_the_journal(instance: Instance):
    anna = instance.person()
    anna.ask("hello")
    before = anna.get("/actors/me")["seq"]
    replicas = [
        p.pid for p in processes_of(instance) if p.title.startswith("ray::ServeReplica:api")
    ]
    os.kill(replicas[-1], signal.SIGKILL)
    told = rejoined(anna, 60)
    seen = [next(told)["seq"] for _ in range(before)]
    for number in range(3):
        turn = anna.say(f"are you there? {number}")
        said = time.monotonic()
        event = next(told)
        late = time.monotonic() - said
        seen.append(event["seq"])
        assert (event["type"], event["turn_id"]) == ("message.created", turn)
        assert late < 10
        while event["type"] != "turn.completed":
            event = next(told)
            seen.append(event["seq"])
    told.close()
    assert seen == list(range(1, len(seen) + 1))


def test_hostile_requests_are_problems_and_lose_nothing(instance: Instance):
    anna = instance.person()
    anna.ask("hello")
    before = anna.journal()
    json_body = {"content-type": "application/json"}
    attempts = [
        ("POST", "/actors/me/message", {"content": b"{not json", "headers": json_body}, {400, 422}),
        ("POST", "/actors/me/message", {"json": {"text": 7}}, {422}),
        ("POST", "/actors/me/message", {"json": {"text": "  "}}, {422}),
        ("POST", "/actors/me/message", {"json": {"text": "x" * 300_000}}, {422}),
        ("POST", "/actors/me/message", {"content": b"x" * 2_097_152}, {413}),
        ("POST", "/actors/me/message", {"json": {"text": "x", "thread_id": "thr_no"}}, {404, 422}),
        ("GET", "/turns/trn_" + "0" * 32, {}, {404}),
        ("GET", "/turns/'; drop table users; --", {}, {404, 422}),
        ("GET", "/threads?cursor=nonsense", {}, {422}),
        ("GET", "/actors/me/events?after=-1", {}, {422}),
        ("GET", "/memory/..%2f..%2fetc%2fpasswd", {}, {404, 422}),
    ]
    for method, path, body, allowed in attempts:
        answer = anna.http.request(method, path, **body)
        assert answer.status_code in allowed, (path, answer.status_code, answer.text)
        assert answer.headers["content-type"] == "application/problem+json", path
        assert answer.json()["status"] == answer.status_code
    key = {"idempotency-key": "the-same"}
    first = anna.http.post("/actors/me/message", json={"text": "one"}, headers=key)
    again = anna.http.post("/actors/me/message", json={"text": "one"}, headers=key)
    other = anna.http.post("/actors/me/message", json={"text": "two"}, headers=key)
    assert (first.status_code, again.status_code, other.status_code) == (202, 202, 422)
    assert first.json() == again.json()
    anna.ended(first.json()["turn_id"])
    assert anna.journal()[: len(before)] == before


def test_without_a_valid_token_every_route_is_closed(instance: Instance):
    paths = httpx.get(f"{instance.url}/openapi.json", timeout=10).json()["paths"]
    assert len(paths) > 15
    for path, methods in paths.items():
        for method, operation in methods.items():
            if "security" not in operation:
                continue
            url = instance.url + path.replace("{", "").replace("}", "")
            answer = httpx.request(method, url, timeout=10)
            assert answer.status_code == 401, (method, path)
            assert answer.headers["www-authenticate"].startswith("Bearer")
