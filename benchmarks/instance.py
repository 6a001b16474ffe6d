"""An instance of its own for the run, by the command line, and people who use it over HTTP."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

from growqr import names
from growqr.config import Settings, from_snapshot
from growqr.identity import mint

UP = 180.0
"""Seconds a start may take."""

KEPT = ("PATH", "HOME", "LANG", "VIRTUAL_ENV", "TMPDIR", "DATABASE_URL")


class Instance:
    """A data folder and what runs from it: offline model without delay, any free ports."""

    def __init__(self, data: Path, **settings: str) -> None:
        self.data = data
        clean = {name: os.environ[name] for name in KEPT if name in os.environ}
        root = str(Path(__file__).parents[1])
        ours = {"GROWQR_DATA": str(data), "GROWQR_PORT": "0", "LLM_PROVIDER": "scripted"}
        ours |= {"GROWQR_LIMIT_REQUESTS": "1000000000"}  # counted, and never in the way
        self._env = clean | ours | {"GROWQR_SCRIPTED_DELAY": "0", "PYTHONPATH": root} | settings

    def up(self) -> float:
        """Start; returns the seconds it took."""
        began = time.perf_counter()
        self._command("up", "--json")
        return time.perf_counter() - began

    def down(self) -> None:
        """End it."""
        self._command("down")

    def _command(self, *words: str) -> None:
        argv = [sys.executable, "-m", "growqr.cli", *words]
        done = subprocess.run(
            argv,
            env=self._env,
            cwd=self.data.parent,
            capture_output=True,
            text=True,
            timeout=UP,
            check=False,
        )
        if done.returncode:
            raise SystemExit(f"growqr {words[0]} failed:\n{done.stdout}{done.stderr}")

    @property
    def record(self) -> dict[str, Any]:
        """instance.json."""
        return dict(json.loads((self.data / "instance.json").read_text()))

    @property
    def settings(self) -> Settings:
        """What the instance runs with."""
        return from_snapshot(self.data / "settings.json")

    def person(self, http: aiohttp.ClientSession) -> Person:
        """Somebody new."""
        return Person(self, http, f"b-{uuid.uuid4().hex[:10]}")


class Person:
    """A user over HTTP."""

    def __init__(self, instance: Instance, http: aiohttp.ClientSession, name: str) -> None:
        self.user_id = names.local_user_id(name)
        self._http = http
        self._api = f"{instance.record['url']}/api/v1"
        self._headers = {"authorization": f"Bearer {mint(instance.settings, name)}"}

    async def request(self, method: str, path: str, **body: Any) -> dict[str, Any]:
        """The JSON of an answer. Raises for an error status."""
        async with self._http.request(
            method, self._api + path, headers=self._headers, json=body or None
        ) as answer:
            answer.raise_for_status()
            return dict(await answer.json())

    async def say(self, text: str) -> str:
        """Post a message; returns its turn's id."""
        return str((await self.request("POST", "/actors/me/message", text=text))["turn_id"])

    async def ask(self, text: str) -> None:
        """Say it and wait for the end of the turn, without a stream."""
        turn = await self.say(text)
        async with asyncio.timeout(60):
            while not (told := await self.request("GET", f"/turns/{turn}"))["finished_at"]:
                await asyncio.sleep(0.02)
        if told["state"] != "completed":
            raise SystemExit(f"a turn ended as {told['state']}: {told['error']}")

    @asynccontextmanager
    async def events(self) -> AsyncIterator[AsyncIterator[dict[str, Any]]]:
        """Durable events from now on, once the stream stands."""
        seq = (await self.request("GET", "/actors/me"))["seq"]
        headers = self._headers | {"last-event-id": str(seq)}
        url = f"{self._api}/actors/me/events"
        timeout = aiohttp.ClientTimeout(total=None, sock_read=60)
        async with self._http.get(url, headers=headers, timeout=timeout) as answer:
            answer.raise_for_status()
            yield _durable(answer)


async def _durable(answer: aiohttp.ClientResponse) -> AsyncIterator[dict[str, Any]]:
    async for line in answer.content:
        if line.startswith(b"data: "):
            event = json.loads(line[6:])
            if "seq" in event and "type" in event:
                yield event


async def until(events: AsyncIterator[dict[str, Any]], kind: str) -> dict[str, Any]:
    """The next event of that type."""
    async with asyncio.timeout(60):
        async for event in events:
            if event["type"] == kind:
                return event
    raise SystemExit(f"the stream ended before {kind}")
