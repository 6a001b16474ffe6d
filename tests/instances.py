"""A whole instance for tests, started and ended by the command line as a user would."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

import httpx
from httpx_sse import EventSource

from growqr.config import Settings, from_snapshot
from growqr.identity import mint

UP = 180.0
"""Seconds a start may take: three times what it takes on two busy cores."""

KEPT = ("PATH", "HOME", "LANG", "VIRTUAL_ENV", "PYTHONPATH", "TMPDIR")


class Instance:
    """A data folder and what runs from it. `env` is all that the commands get to see."""

    def __init__(self, data: Path, **env: str) -> None:
        self.data = data
        clean = {name: os.environ[name] for name in KEPT if name in os.environ}
        self.people: list[Person] = []
        ours = {"GROWQR_DATA": str(data), "GROWQR_PORT": "0"}
        busy = {"GROWQR_LIMIT_REQUESTS": "100000"}  # a test polls more than a person would
        self.env = clean | ours | busy | env

    def command(self, *words: str, seconds: float = UP) -> subprocess.CompletedProcess[str]:
        """Run `growqr …` to its end, from outside the checkout."""
        return subprocess.run(
            [sys.executable, "-m", "growqr.cli", *words],
            env=self.env,
            cwd=self.data.parent,
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )

    def up(self) -> float:
        """Start; returns the seconds it took."""
        began = time.monotonic()
        done = self.command("up", "--json")
        assert done.returncode == 0, done.stdout + done.stderr + self.logs()
        return time.monotonic() - began

    def down(self) -> None:
        """End; fails the test when the command does."""
        done = self.command("down")
        assert done.returncode == 0, done.stdout + done.stderr

    def logs(self) -> str:
        """The end of every log, for a test that failed."""
        files = sorted((self.data / "logs").glob("*.log"))
        return "".join(f"\n== {f.name}\n{f.read_text(errors='replace')[-3000:]}" for f in files)

    @property
    def record(self) -> dict[str, Any]:
        return json.loads((self.data / "instance.json").read_text())

    @property
    def settings(self) -> Settings:
        return from_snapshot(self.data / "settings.json")

    @property
    def url(self) -> str:
        return self.record["url"]

    def person(self, name: str = "") -> Person:
        """Somebody with a token; without a name, somebody new."""
        self.people.append(Person(self, name or f"p-{uuid.uuid4().hex[:10]}"))
        return self.people[-1]

    def part(self) -> None:
        """Close the connections of everybody met so far."""
        while self.people:
            self.people.pop().http.close()


class Person:
    """A user of an instance, over HTTP."""

    def __init__(self, instance: Instance, name: str) -> None:
        self.name = name
        self.instance = instance
        self.headers = {"authorization": f"Bearer {mint(instance.settings, name)}"}
        self.http = httpx.Client(
            base_url=f"{instance.url}/api/v1", headers=self.headers, timeout=20
        )

    def get(self, path: str, **query: Any) -> Any:
        answer = self.http.get(path, params=query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def say(self, text: str, **fields: Any) -> str:
        """Post a message, as patiently as any client should; returns the turn's id."""
        key = {"idempotency-key": uuid.uuid4().hex}
        until = time.monotonic() + 60
        while True:
            try:
                answer = self.http.post(
                    "/actors/me/message", json={"text": text, **fields}, headers=key
                )
                if answer.status_code == 202:
                    return answer.json()["turn_id"]
                # While Ray is rebuilt, what answers is not ours: a bare error without a problem.
                ours = answer.headers.get("content-type") == "application/problem+json"
                assert not ours or answer.status_code >= 500, answer.text
            except httpx.TransportError:
                pass
            assert time.monotonic() < until, "the message was not accepted within 60 s"
            time.sleep(0.2)

    def ended(self, turn_id: str, seconds: float = 30) -> dict[str, Any]:
        """The turn once it has ended."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            try:
                answer = self.http.get(f"/turns/{turn_id}")
                if answer.status_code == 200 and answer.json()["finished_at"]:
                    return answer.json()
            except httpx.TransportError:
                pass
            time.sleep(0.05)
        told = [(e["type"], e["data"]) for e in self.journal()][-8:]
        raise AssertionError(f"turn {turn_id} has not ended after {seconds} s: {told}")

    def ask(self, text: str, seconds: float = 30) -> str:
        """Say it and return the answer."""
        turn = self.ended(self.say(text), seconds)
        assert turn["state"] == "completed", turn
        return turn["result"]

    def events(self, after: int = 0, seconds: float = 20) -> Generator[dict[str, Any], None, None]:
        """Envelopes of the stream with their ids checked, until the server or the clock ends it."""
        with self.stream(after, seconds) as source:
            for event in source.iter_sse():
                if event.event == "delta":
                    yield {"type": "delta", **json.loads(event.data)}
                elif event.event not in ("ping", "reset"):  # these repeat the last id
                    envelope = json.loads(event.data)
                    assert int(event.id) == envelope["seq"]
                    yield envelope

    @contextmanager
    def stream(self, after: int = 0, seconds: float = 20) -> Iterator[EventSource]:
        headers = {"last-event-id": str(after)} if after else {}
        with self.http.stream(
            "GET", "/actors/me/events", headers=headers, timeout=seconds
        ) as answer:
            assert answer.status_code == 200
            yield EventSource(answer)

    def journal(self) -> list[dict[str, Any]]:
        """All durable events so far, by one fresh stream."""
        last = self.get("/actors/me")["seq"]
        found: list[dict[str, Any]] = []
        if not last:
            return found
        for event in self.events():
            if event["type"] != "delta":
                found.append(event)
                if event["seq"] >= last:
                    return found
        raise AssertionError(f"the stream ended before event {last}")


def until(what: Callable[[], bool], seconds: float, complaint: str | Callable[[], str]) -> None:
    """Wait until it is so. Fails the test with the complaint when that takes too long; one that
    is called tells how things are then."""
    end = time.monotonic() + seconds
    while not what():
        if time.monotonic() > end:
            told = complaint if isinstance(complaint, str) else complaint()
            raise AssertionError(f"{told} after {seconds:g} s")
        time.sleep(0.1)


class Process(NamedTuple):
    """A process of an instance, as /proc showed it."""

    pid: int
    title: str
    environment: bytes


def processes_of(instance: Instance) -> list[Process]:
    """Every process that belongs to the instance: its daemon, and the sessions it owns."""
    record = instance.record
    sessions = {child[0] for child in record["children"].values()} | {record["pid"]}
    found: list[Process] = []
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit():
            continue
        with suppress(OSError):
            session = int((folder / "stat").read_text().rpartition(")")[2].split()[3])
            if session in sessions:
                title = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
                environment = (folder / "environ").read_bytes()
                found.append(Process(int(folder.name), title, environment))
    return found
