"""inbox, approve, deny, answer; and how a turn says that it waits for somebody."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from click.testing import Result

from growqr.errors import GrowqrError
from tests.unit.cli.conftest import TURN, Wire, event

Run = Callable[..., Result]


def one(decision: str, at: str, **asked: Any) -> dict[str, Any]:
    return {
        "id": decision, "kind": "approval", "asked": asked, "options": ["approve", "deny"],
        "created_at": at, "expires_at": "2026-11-21T12:00:00Z",
    }  # fmt: skip


def test_what_waits_is_listed_oldest_first(wire: Wire, growqr: Run) -> None:
    wire.decisions = {
        "approvals": [one("dec_2", "2", name="launch", input={"number": 7}, text="unknown")],
        "questions": [one("dec_1", "1", text="Which colour?")],
    }
    listed = json.loads(growqr("inbox", "--json").stdout)
    assert [decision["id"] for decision in listed] == ["dec_1", "dec_2"]
    assert "launch" in growqr("inbox").stdout
    wire.decisions = {}
    assert growqr("inbox").stdout == "nothing waits for you\n"


@pytest.mark.parametrize(
    ("words", "path", "body"),
    [
        (["approve", "dec_1"], "/approvals/dec_1", {"decision": "approve", "note": None}),
        (
            ["deny", "dec_1", "--note", "no"],
            "/approvals/dec_1",
            {"decision": "deny", "note": "no"},
        ),
        (["answer", "dec_1", "green"], "/questions/dec_1", {"answer": "green"}),
    ],
)
def test_deciding_tells_the_turn(
    wire: Wire, growqr: Run, words: list[str], path: str, body: dict[str, Any]
) -> None:
    done = growqr(*words)
    assert (done.exit_code, wire.posts) == (0, [(f"/api/v1{path}", body)])
    assert f"growqr attach {TURN}" in done.stdout


def test_a_second_answer_is_refused_with_the_reason(wire: Wire, growqr: Run) -> None:
    done = growqr("deny", "dec_late")
    assert isinstance(done.exception, GrowqrError)
    assert "already denied" in done.exception.message


def test_a_turn_that_waits_says_what_for_and_how_to_answer(wire: Wire, growqr: Run) -> None:
    asked = {"text": "Which colour?"}
    wire.connections = [
        [
            event(2, "question.requested", decision_id="dec_1", asked=asked, options=["red"]),
            event(3, "turn.completed", text="painted"),
        ]
    ]
    shown = growqr("chat", "paint it")
    assert "? Which colour? (red)" in shown.stderr
    assert "growqr answer dec_1" in shown.stderr
