"""An instance as seen from the wire: the routes the command line uses, misbehaving on request."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from click.testing import Result
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route
from typer.testing import CliRunner

TURN = "trn_" + "0" * 32
THREAD = "thr_" + "0" * 32
Frame = tuple[str, dict[str, Any]]


def event(seq: int, kind: str, step_id: str | None = None, **data: Any) -> Frame:
    """A durable event of the one turn."""
    envelope = {
        "seq": seq, "type": kind, "time": "2026-11-20T12:00:00+00:00", "thread_id": THREAD,
        "turn_id": TURN, "step_id": step_id, "actor": "grow-agent:u_owner", "data": data,
    }  # fmt: skip
    return kind, envelope


def delta(step_id: str, epoch: int, offset: int, text: str, kind: str = "text") -> Frame:
    return "delta", {
        "thread_id": THREAD, "turn_id": TURN, "step_id": step_id, "epoch": epoch,
        "offset": offset, "text": text, "kind": kind,
    }  # fmt: skip


def reply(seq: int, step_id: str, text: str) -> Frame:
    blocks = [{"type": "text", "text": text}]
    return event(
        seq, "message.created", step_id, message_id="msg_1", role="assistant", content=blocks
    )


@dataclass
class Wire:
    """What the server plays, and what it saw. Each connection takes the next list of frames.

    A connection whose frames are used up is cut hard; durable frames up to its Last-Event-ID are
    left out, as the real server does.
    """

    connections: list[list[Frame]] = field(default_factory=list)
    refusals: list[Response] = field(default_factory=list)
    turn: dict[str, Any] | None = None
    posts: list[tuple[str | None, dict[str, Any]]] = field(default_factory=list)
    cursors: list[str | None] = field(default_factory=list)
    files: dict[str, str] = field(default_factory=dict)
    decisions: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    def app(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/api/v1/actors/me/message", self._message, methods=["POST"]),
                Route("/api/v1/actors/me/events", self._events),
                Route("/api/v1/turns/{id}", self._turn),
                Route("/api/v1/approvals", self._decisions),
                Route("/api/v1/questions", self._decisions),
                Route("/api/v1/approvals/{id}", self._decide, methods=["POST"]),
                Route("/api/v1/questions/{id}", self._decide, methods=["POST"]),
                Route("/api/v1/memory", self._list),
                Route("/api/v1/memory/{path:path}/history", self._history),
                Route("/api/v1/memory/{path:path}", self._file, methods=["GET", "PUT"]),
            ]
        )

    async def _message(self, request: Request) -> Response:
        self.posts.append((request.headers.get("idempotency-key"), await request.json()))
        if self.refusals:
            return self.refusals.pop(0)
        accepted = {"message_id": "msg_1", "turn_id": TURN, "thread_id": THREAD, "seq": 1}
        return JSONResponse(accepted, 202)

    async def _events(self, request: Request) -> Response:
        if request.headers["authorization"] != "Bearer token":
            return problem(401, "unauthorized", "the token has expired")
        cursor = request.headers.get("last-event-id")
        self.cursors.append(cursor)
        frames = self.connections.pop(0) if self.connections else []
        return StreamingResponse(_play(frames, int(cursor or 0)), media_type="text/event-stream")

    async def _turn(self, request: Request) -> Response:
        if self.turn is None or request.path_params["id"] != TURN:
            return problem(404, "not_found", "there is no such turn")
        return JSONResponse({"id": TURN, "thread_id": THREAD, "seq": 1} | self.turn)

    async def _list(self, request: Request) -> Response:
        prefix, after = request.query_params["prefix"], request.query_params.get("cursor", "")
        paths = sorted(p for p in self.files if p.startswith(prefix) and p > after)
        data = [{"path": p, "size": len(self.files[p]), "commit": "c" * 40} for p in paths[:2]]
        return JSONResponse({"data": data, "next_cursor": paths[1] if paths[2:] else None})

    async def _decisions(self, request: Request) -> Response:
        kind = request.url.path.rpartition("/")[2]
        return JSONResponse({"data": self.decisions.get(kind, []), "next_cursor": None})

    async def _decide(self, request: Request) -> Response:
        body = await request.json()
        self.posts.append((request.url.path, body))
        if request.path_params["id"] == "dec_late":
            return problem(409, "already_decided", "dec_late is already denied")
        return JSONResponse({"state": body.get("decision", "answer"), "turn_id": TURN})

    async def _history(self, request: Request) -> Response:
        row = {"commit": None, "at": "2026-11-20T12:00:00Z", "author": "ann", "message": "Why\n\nx"}
        return JSONResponse({"data": [row], "next_cursor": None})

    async def _file(self, request: Request) -> Response:
        path = request.path_params["path"]
        if request.method == "PUT":
            self.files[path] = (await request.json())["content"]
        if path not in self.files:
            return problem(404, "not_found", f"memory holds no file {path!r}")
        return JSONResponse({"path": path, "content": self.files[path], "commit": "c" * 40})


def problem(status: int, code: str, detail: str) -> Response:
    body = {"type": "about:blank", "title": code, "status": status, "code": code, "detail": detail}
    return JSONResponse(body, status, media_type="application/problem+json")


def away(status: int = 503) -> Response:
    """What a proxy says when nothing of ours answers."""
    return PlainTextResponse("<html>", status)


async def _play(frames: list[Frame], after: int) -> AsyncIterator[str]:
    yield "retry: 2000\n\n"
    for kind, data in frames:
        if data.get("seq", after + 1) > after:
            number = f"id: {data['seq']}\n" if "seq" in data and kind != "reset" else ""
            yield f"{number}event: {kind}\ndata: {json.dumps(data)}\n\n"
    raise ConnectionAbortedError


@pytest.fixture
def wire(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Wire]:
    """A server on a free port of loopback, and an environment that points at it."""
    played = Wire()
    server = uvicorn.Server(uvicorn.Config(played.app(), port=0, log_config=None, lifespan="off"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    give_up = time.monotonic() + 10
    while not server.started and time.monotonic() < give_up:
        time.sleep(0.005)
    port = server.servers[0].sockets[0].getsockname()[1]
    monkeypatch.setenv("GROWQR_URL", f"http://127.0.0.1:{port}")
    monkeypatch.setenv("GROWQR_TOKEN", "token")
    yield played
    server.should_exit = True
    thread.join(10)


@pytest.fixture
def growqr(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., Result]:
    """Runs a command line in this process, with a data folder of its own."""
    from growqr.cli import app

    monkeypatch.setenv("GROWQR_DATA", str(tmp_path))

    def invoke(*args: str, stdin: str | None = None) -> Result:
        return CliRunner().invoke(app, list(args), input=stdin)

    return invoke
