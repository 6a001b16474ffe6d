"""chat and attach: what is printed, what is sent again, how they end."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable

import pytest
from click.testing import Result

from growqr.cli import client
from growqr.errors import GrowqrError, InstanceError, Invalid, NotFound, Unavailable
from tests.unit.cli.conftest import TURN, Frame, Wire, away, delta, event, problem, reply

Run = Callable[..., Result]

USER_TEXT = [{"type": "text", "text": "remember Friday"}]
ASKED = event(1, "message.created", role="user", message_id="msg_0", content=USER_TEXT)
STARTED = event(2, "turn.started", epoch=1, claims=1, resumed=False)
TOOL = {"tool_use_id": "use_1", "name": "commit_memory", "input": {"path": "launch.md"}}
TOLD: list[Frame] = [
    ASKED,
    STARTED,
    reply(3, "stp_1", ""),
    event(4, "tool.requested", "stp_2", **TOOL),
    event(5, "tool.started", "stp_2", **TOOL),
    event(6, "tool.completed", "stp_2", tool_use_id="use_1", name="commit_memory", output="{}"),
    delta("stp_3", 1, 0, "I will "),
    delta("stp_3", 1, 7, "remember."),
    reply(7, "stp_3", "I will remember."),
    event(8, "turn.completed", text="I will remember."),
]


def test_chat_streams_the_answer_and_shows_tools_apart(wire: Wire, growqr: Run) -> None:
    wire.connections = [TOLD]
    result = growqr("chat", "remember Friday")
    assert (result.exit_code, result.stdout) == (0, "I will remember.\n")
    assert result.stderr.splitlines() == ["· commit_memory launch.md", "✓ commit_memory launch.md"]
    assert wire.posts[0][1] == {"text": "remember Friday"}
    assert wire.cursors == ["1"]


def test_cuts_anywhere_lose_and_repeat_nothing(wire: Wire, growqr: Run) -> None:
    wire.connections = [TOLD[:4], [], TOLD[:7], [TOLD[4], *TOLD[7:]]]
    result = growqr("chat", "remember Friday")
    assert (result.exit_code, result.stdout) == (0, "I will remember.\n")
    assert result.stderr.count("✓ commit_memory") == 1
    assert wire.cursors == ["1", "4", "4", "6"]


def test_a_missed_delta_is_filled_by_the_message(wire: Wire, growqr: Run) -> None:
    wire.connections = [[*TOLD[:7], delta("stp_3", 1, 9, "member."), *TOLD[8:]]]
    assert growqr("chat", "x").stdout == "I will remember.\n"


def test_overlapping_deltas_are_printed_once(wire: Wire, growqr: Run) -> None:
    again = [delta("stp_3", 1, 0, "I will "), delta("stp_3", 1, 2, "will re"), TOLD[7]]
    late = delta("stp_3", 1, 0, "I will ")
    wire.connections = [[*TOLD[:7], *again, TOLD[8], late, TOLD[9]]]
    assert growqr("chat", "x").stdout == "I will remember.\n"


def test_a_repeated_event_is_shown_once(wire: Wire, growqr: Run) -> None:
    wire.connections = [[*TOLD[:6], *TOLD[3:6], *TOLD[6:]]]
    assert growqr("chat", "x").stderr.count("✓ commit_memory") == 1


def test_thinking_has_its_own_offsets_and_is_not_printed(wire: Wire, growqr: Run) -> None:
    thought = delta("stp_3", 1, 0, "hmm", kind="thinking")
    wire.connections = [[*TOLD[:6], thought, *TOLD[6:]]]
    assert growqr("chat", "x").stdout == "I will remember.\n"


TAKEOVER = [
    ASKED,
    STARTED,
    delta("stp_1", 1, 0, "The launch is "),
    event(3, "turn.started", epoch=2, claims=2, resumed=True),
    delta("stp_1", 1, 14, "STALE"),
]


@pytest.mark.parametrize("step", ["stp_1", "stp_9"])
def test_a_successor_that_writes_the_same_is_not_seen_twice(
    wire: Wire, growqr: Run, step: str
) -> None:
    said = "The launch is on Friday."
    deltas = [delta(step, 2, 0, "The "), delta(step, 2, 4, said[4:])]
    end = event(5, "turn.completed", text=said)
    frames = [frame for frame in TAKEOVER if frame[1].get("text") != "STALE"]
    wire.connections = [[*frames, *deltas, reply(4, step, said), end]]
    result = growqr("chat", "x")
    assert result.stdout == "The launch is on Friday.\n"
    assert "lost (epoch 1) → epoch 2" in result.stderr


def test_a_successor_that_writes_otherwise_begins_a_new_line(wire: Wire, growqr: Run) -> None:
    deltas = [delta("stp_1", 2, 0, "Friday."), delta("stp_1", 1, 0, "STALE")]
    end = event(5, "turn.completed", text="Friday.")
    wire.connections = [[*TAKEOVER[:4], *deltas, reply(4, "stp_1", "Friday."), end]]
    assert growqr("chat", "x").stdout == "The launch is \nFriday.\n"


def test_a_shorter_final_text_is_printed_whole(wire: Wire, growqr: Run) -> None:
    end = event(5, "turn.completed", text="The launch")
    wire.connections = [[*TAKEOVER[:4], reply(4, "stp_1", "The launch"), end]]
    assert growqr("chat", "x").stdout == "The launch is \nThe launch\n"


@pytest.mark.parametrize("end", ["failed", "cancelled"])
def test_a_turn_that_fails_says_why_and_exits_1(wire: Wire, growqr: Run, end: str) -> None:
    error = {"code": "model_unavailable", "message": "the model's server does not answer"}
    data = {"error": error} if end == "failed" else {}
    wire.connections = [[ASKED, STARTED, event(3, f"turn.{end}", **data)]]
    result = growqr("chat", "x")
    assert result.exit_code == 1
    assert result.stdout == ""
    assert (error["message"] if data else "cancelled") in result.stderr


def test_a_failed_tool_shows_its_reason(wire: Wire, growqr: Run) -> None:
    failed = event(6, "tool.failed", "stp_2", tool_use_id="use_1", name="commit_memory",
                   output="memory path '..' is not allowed")  # fmt: skip
    wire.connections = [[*TOLD[:5], failed, *TOLD[8:]]]
    assert "✗ commit_memory launch.md: memory path '..'" in growqr("chat", "x").stderr


def test_one_key_over_all_tries(wire: Wire, growqr: Run) -> None:
    wire.refusals = [away(), away(500), problem(409, "in_progress", "still running")]
    wire.connections = [TOLD]
    assert growqr("chat", "x").exit_code == 0
    keys = [key for key, _ in wire.posts]
    assert len(keys) == 4
    assert len(set(keys)) == 1
    assert keys[0]


def test_giving_up_is_one_clear_error(
    wire: Wire, growqr: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "PATIENCE", 0.5)
    wire.refusals = [away() for _ in range(50)]
    error = growqr("chat", "x").exception
    assert isinstance(error, Unavailable)
    assert "does not answer" in error.message


def test_a_refusal_is_not_tried_again(wire: Wire, growqr: Run) -> None:
    wire.refusals = [problem(422, "invalid", "body.text: must not be empty")]
    error = growqr("chat", "").exception
    assert isinstance(error, GrowqrError)
    assert error.message == "body.text: must not be empty"
    assert len(wire.posts) == 1


def test_detached_prints_the_turn_alone_and_how_to_attach(wire: Wire, growqr: Run) -> None:
    result = growqr("chat", "--detach", "x")
    assert (result.exit_code, result.stdout) == (0, f"{TURN}\n")
    assert f"growqr attach {TURN}" in result.stderr


def test_text_may_come_from_standard_input(wire: Wire, growqr: Run) -> None:
    growqr("chat", "--detach", "--thread", "thr_1", "-", stdin="long text")
    assert wire.posts[0][1] == {"text": "long text", "thread_id": "thr_1"}


def test_attach_replays_from_the_first_event(wire: Wire, growqr: Run) -> None:
    wire.turn, wire.connections = {"state": "completed"}, [TOLD]
    result = growqr("attach", TURN)
    assert (result.exit_code, result.stdout) == (0, "I will remember.\n")
    assert result.stderr.startswith("> remember Friday\n· commit_memory")
    assert wire.cursors == ["0"]


def test_attach_ends_at_the_event_that_was_asked_for(wire: Wire, growqr: Run) -> None:
    wire.turn, wire.connections = {"state": "running"}, [TOLD, TOLD]
    result = growqr("attach", TURN, "--until", "tool.started")
    assert (result.exit_code, result.stderr.count("✓")) == (0, 0)
    missed = growqr("attach", TURN, "--until", "tool.unknown")
    assert (missed.exit_code, "ended without tool.unknown" in missed.stderr) == (1, True)


def test_a_turn_older_than_the_journal_is_shown_from_its_row(wire: Wire, growqr: Run) -> None:
    wire.turn = {"state": "completed", "result": "I will remember."}
    wire.connections = [[("reset", {"seq": 900})]]
    result = growqr("attach", TURN)
    assert (result.exit_code, result.stdout) == (0, "I will remember.\n")


def test_a_restored_journal_is_followed_from_where_it_stands(wire: Wire, growqr: Run) -> None:
    wire.turn = {"id": TURN, "state": "running", "seq": 1}
    wire.connections = [[*TOLD[:6], ("reset", {"seq": 3})], [*TOLD[3:]]]
    result = growqr("chat", "remember Friday")
    assert (result.exit_code, result.stdout) == (0, "I will remember.\n")
    assert wire.cursors == ["1", "3"]
    assert result.stderr.count("✓ commit_memory") == 2  # it was done again


def test_other_turns_of_the_thread_are_left_out(wire: Wire, growqr: Run) -> None:
    other = reply(2, "stp_0", "not mine")
    other[1]["turn_id"] = "trn_" + "1" * 32
    wire.connections = [[other, *TOLD[2:]]]
    assert growqr("chat", "x").stdout == "I will remember.\n"


def test_json_is_one_object_per_event(wire: Wire, growqr: Run) -> None:
    wire.connections = [TOLD]
    lines = [json.loads(line) for line in growqr("chat", "--json", "x").stdout.splitlines()]
    assert [line["type"] for line in lines] == [kind for kind, _ in TOLD[1:]]
    assert [line["seq"] for line in lines if "seq" in line] == [2, 3, 4, 5, 6, 7, 8]


def test_ctrl_c_leaves_the_turn_and_says_how_to_come_back(wire: Wire) -> None:
    wire.connections = [TOLD[:3]]
    argv = [sys.executable, "-m", "growqr.cli", "chat", "x"]
    with subprocess.Popen(argv, stderr=subprocess.PIPE, text=True) as process:
        give_up = time.monotonic() + 20
        while len(wire.cursors) < 2 and time.monotonic() < give_up:
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        try:
            _, told = process.communicate(timeout=20)
        finally:
            process.kill()  # it may ignore Ctrl-C, as all that a shell starts in the background
    assert process.returncode == 130
    assert f"the turn goes on: growqr attach {TURN}" in told
    assert "Traceback" not in told


def test_a_known_failure_is_one_line_without_a_trace(wire: Wire) -> None:
    wire.refusals = [problem(422, "invalid", "body.text: must not be empty")]
    argv = [sys.executable, "-m", "growqr.cli", "chat", ""]
    ended = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=30)
    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr == "growqr: body.text: must not be empty\n"


def test_mistakes_are_named_before_anything_is_asked(growqr: Run, wire: Wire) -> None:
    wrong_id = growqr("attach", "msg_1").exception
    assert isinstance(wrong_id, NotFound)
    wrong_event = growqr("attach", TURN, "--until", "tool.done").exception
    assert isinstance(wrong_event, Invalid)
    assert "tool.completed" in wrong_event.message


def test_nothing_running_says_how_to_start(growqr: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GROWQR_URL", raising=False)
    error = growqr("chat", "x").exception
    assert isinstance(error, InstanceError)
    assert "growqr up" in error.message


def test_a_url_without_a_token_says_what_is_missing(
    wire: Wire, growqr: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GROWQR_TOKEN")
    error = growqr("chat", "x").exception
    assert isinstance(error, InstanceError)
    assert "GROWQR_TOKEN" in error.message
