"""One instance whose processes die where they are told to, and what its users see of it."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import psycopg

from growqr import names
from growqr.instance.services import ServiceRecord
from growqr.memory.paths import repository
from tests.crash.effects import effects
from tests.instances import Instance, Person

ENDS = ("turn.completed", "turn.failed", "turn.cancelled")
PATIENCE = 60.0
"""Seconds until something must have happened: several times what it takes on two busy cores."""


def until(
    probe: Callable[[], Any], what: str, seconds: float = PATIENCE, *, pause: float = 0.05
) -> Any:
    """The first truth of `probe`, polled."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := probe():
            return found
        time.sleep(pause)
    raise AssertionError(f"{what}: not within {seconds:g} s")


class Trap:
    """One failpoint, set: the next process that gets there dies, or the next of that name."""

    def __init__(self, folder: Path, point: str, name: str = "") -> None:
        self._file = folder / (f"{point}@{name}" if name else point)
        self.set()

    def set(self) -> None:
        self._file.touch()

    def remove(self) -> None:
        self._file.unlink(missing_ok=True)

    @property
    def sprung(self) -> bool:
        return not self._file.exists()

    def wait(self) -> float:
        """When it was reached, by the wall clock. Fails when nothing ever does."""
        try:
            until(lambda: self.sprung, f"nobody died at {self._file.name}", pause=0.005)
        finally:
            self.remove()
        return time.time()


@dataclass
class Scene:
    """What a case has: the instance, its traps, its sink, and where to tell how long it took."""

    instance: Instance
    folder: Path
    sink: Path
    took: list[tuple[float, str]] = field(default_factory=list)
    _anna: User | None = None

    def trap(self, point: str, name: str = "") -> Trap:
        return Trap(self.folder, point, name)

    def user(self) -> User:
        """Somebody new."""
        return User(self, self.instance.person())

    def with_opencode(self) -> User:
        """One user for all cases that need OpenCode, so that it starts once."""
        if self._anna is None:
            self._anna = self.user()
            self.sub_agent(self._anna)
            self._anna.post("/opencode/workspaces/me/start")
            until(self._anna.opencode_ready, "an OpenCode", 120)
        return self._anna

    def sub_agent(self, anna: User, channel: str = "ch-crash") -> str:
        """The id of her sub-agent in this channel."""
        body = {"type": "general", "channel_id": channel}
        return str(anna.post("/actors/me/sub-agents", body)["id"])


class User:
    """A person as patient as a client should be: every request is repeated, with its key."""

    def __init__(self, scene: Scene, person: Person) -> None:
        self._scene = scene
        self._person = person
        self.id = names.local_user_id(person.name)
        self.agent = names.grow_agent(self.id)
        self.turns: list[str] = []
        self._checked = 0

    def send(
        self, method: str, path: str, body: Any = None, *, gone: bool = False, **query: Any
    ) -> Any:
        """The answer's JSON, once there is one that is not an outage; `gone`: 404 is fine too."""
        key = {"idempotency-key": uuid.uuid4().hex}
        end = time.monotonic() + PATIENCE
        while True:
            try:
                answer = self._person.http.request(
                    method, path, json=body, params=query, headers=key
                )
                if answer.status_code < 400 or (gone and answer.status_code == 404):
                    return answer.json()
                # 409: the first try is still under way, or somebody else was quicker.
                retry = answer.status_code >= 500 or answer.status_code == 409
                assert retry, f"{answer.status_code} {answer.text}"
            except httpx.TransportError:
                pass
            assert time.monotonic() < end, f"{method} {path} was not answered"
            time.sleep(0.1)

    def get(self, path: str, **query: Any) -> Any:
        return self.send("GET", path, **query)

    def post(self, path: str, body: Any = None) -> Any:
        return self.send("POST", path, body if body is not None else {})

    def say(self, text: str, **fields: Any) -> str:
        """Post a message; returns the turn's id."""
        self.turns.append(self.post("/actors/me/message", {"text": text, **fields})["turn_id"])
        return self.turns[-1]

    def ended(self, turn: str, seconds: float = PATIENCE) -> dict[str, Any]:
        """The turn once it has ended; whatever it asks meanwhile is answered."""

        def look() -> dict[str, Any] | None:
            now: dict[str, Any] = self.get(f"/turns/{turn}")
            if now["state"] == "waiting":
                self.settle()
            return now if now["finished_at"] else None

        found: dict[str, Any] = until(look, f"the end of {turn}", seconds)
        return found

    def settle(self, decision: str = "deny") -> None:
        """Say so to whatever is open, and something to whatever is asked."""
        for kind, said in (("approvals", {"decision": decision}), ("questions", {"answer": "yes"})):
            for asked in self.get(f"/{kind}")["data"]:
                self.post(f"/{kind}/{asked['id']}", said)

    def opencode_ready(self) -> bool:
        return bool(self.get("/actors/me")["stack"]["opencode"]["state"] == "ready")

    def kill_opencode(self) -> None:
        """It ends as if by itself; wished for again, so that former ends make it wait for none."""
        self.post("/opencode/workspaces/me/start")
        name = names.service("opencode", self.id)
        record = ServiceRecord.read(self._scene.instance.settings.data, name)
        assert record
        os.kill(record.pid, signal.SIGKILL)

    def lose_opencode(self) -> None:
        """It ends, and its home is gone: all it knew of any session."""
        settings = self._scene.instance.settings
        gone = settings.home(self.id).rename(settings.data / f"gone-{uuid.uuid4().hex[:8]}")
        self.kill_opencode()
        shutil.rmtree(gone, ignore_errors=True)  # something may still write there

    def ask(self, text: str) -> str:
        turn = self.ended(self.say(text))
        assert turn["state"] == "completed", turn
        return str(turn["result"])

    def journal(self) -> list[dict[str, Any]]:
        """All durable events so far."""
        while True:
            try:
                return self._person.journal()
            except httpx.TransportError:
                time.sleep(0.2)

    def seen(self, kind: str, turn: str) -> None:
        """Wait for an event of a turn."""
        for event in self._person.events(seconds=PATIENCE):
            if event["type"] == kind and event["turn_id"] == turn:
                return
        raise AssertionError(f"{turn} never had {kind}")

    def took_over(self, point: str, died: float) -> None:
        """Keep how long after the death the next owner had a turn; nothing if there was none."""
        for event in self.journal():
            began = datetime.fromisoformat(event["time"]).timestamp()
            if event["type"] == "turn.started" and began > died:
                self._scene.took.append((began - died, point))
                return

    def check(self) -> None:
        """All that must hold for this user, whatever died; then the next message is answered."""
        self.ask("are you still there?")
        journal = self.journal()
        assert [e["seq"] for e in journal] == list(range(1, len(journal) + 1))
        turns = [self.get(f"/turns/{turn}") for turn in self.turns[self._checked :]]
        self._checked = len(self.turns)
        told = self._check_results({turn["thread_id"] for turn in turns})
        for turn in turns:
            mine = [e for e in journal if e["turn_id"] == turn["id"]]
            assert sum(e["type"] in ENDS for e in mine) == 1, f"{turn['id']} did not end once"
            for step in turn["steps"]:
                self._check_step(step, mine, told)
        self._check_effects(turns)
        self._check_usage(turns)

    def _check_step(
        self, step: dict[str, Any], mine: list[dict[str, Any]], told: dict[str, dict[str, Any]]
    ) -> None:
        """Nothing is left open; what nobody knows, the user and the model are told."""
        assert step["state"] != "intent", f"{step['name']} was left open"
        if step["state"] == "unknown":
            said = {"prompt": "sub_agent.progress"}.get(step["kind"], "tool.unknown")
            assert said in [e["type"] for e in mine if e["step_id"] == step["id"]]
            # What OpenCode's model is told of its own tools is in OpenCode.
            assert told.get(step["tool_use_id"], {"is_error": True}).get("is_error")

    def _check_effects(self, turns: list[dict[str, Any]]) -> None:
        """At most once per operation id; where the result says so, exactly once."""
        done = [effect["operation"] for effect in effects(self._scene.sink)]
        for turn in turns:
            mine = [operation for operation in done if operation.split(":")[0] == turn["id"]]
            assert len(mine) == len(set(mine)), mine
            for step in turn["steps"]:
                if step["name"].startswith("crash_") and step["state"] == "done":
                    assert f"{turn['id']}:{step['tool_use_id']}" in mine, "done, and no effect"

    def _check_results(self, threads: set[str]) -> dict[str, dict[str, Any]]:
        """Every call has one result, in the message behind it; the results by the call's id."""
        told: dict[str, dict[str, Any]] = {}
        for thread in threads:
            messages = self.get(f"/threads/{thread}/messages", limit=200)["data"]
            for said, behind in zip(messages, [*messages[1:], {"content": []}], strict=True):
                calls = [b["id"] for b in said["content"] if b["type"] == "tool_use"]
                results = [b for b in behind["content"] if b["type"] == "tool_result"]
                if calls:
                    assert sorted(b["tool_use_id"] for b in results) == sorted(set(calls))
                    told |= {b["tool_use_id"]: b for b in results}
        return told

    def _check_usage(self, turns: list[dict[str, Any]]) -> None:
        """Each answered call of ours is booked, under an id of its own."""
        booked = {
            step for (step,) in self.rows("select step_id from usage where user_id = %(user)s")
        }
        for step in [step for turn in turns for step in turn["steps"]]:
            if step["kind"] == "model" and step["state"] == "done":
                assert step["id"] in booked, f"{step['id']} was not booked"

    def age(self) -> None:
        """All that waits for this user has waited a minute longer."""
        minute = "- interval '1 minute' where user_id = %(user)s"
        self.rows(
            f"with started as (update lease set start_since = start_since {minute}),"
            f" told as (update event set time = time {minute})"
            f" update turn set created_at = created_at {minute} returning id"
        )

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """What the database says; `user` in the query is this one's id."""
        url = self._scene.instance.settings.database_url
        assert url
        with psycopg.connect(url.get_secret_value(), autocommit=True) as conn:
            return conn.execute(query.encode(), {"user": self.id}).fetchall()

    def check_memory(self, path: str, content: str) -> None:
        """What was acknowledged is readable, and in git once."""
        assert self.get(f"/memory/{path}")["content"] == content
        until(lambda: self.get(f"/memory/{path}")["commit"], f"{path} in git")
        bare = repository(self._scene.instance.settings, self.id)
        log = subprocess.run(
            ["git", "-C", str(bare), "log", "--format=%H", "main", "--", path],
            capture_output=True,
            text=True,
            check=True,
        ).stdout.split()
        assert len(log) == len(set(log)) == 1, log
