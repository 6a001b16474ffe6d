"""Events recorded from a real server become our progress, whole, once and in order."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from growqr.opencode import Progress, PromptIds
from growqr.opencode.transcript import Transcript

Event = dict[str, Any]
RECORDED: list[Event] = json.loads((Path(__file__).parent / "recorded.json").read_text())
TEXT = "The tools answered: Wrote file successfully.; hi there"
SESSION = RECORDED[0]["properties"]["sessionID"]
OURS = next(e["properties"]["info"]["id"] for e in RECORDED if e["type"] == "message.updated")


def transcript() -> Transcript:
    return Transcript(PromptIds(SESSION, OURS, "prt_1", "/work"))


def feed(into: Transcript, events: list[Event]) -> list[Progress]:
    return [p for e in events for p in into.take(e["type"], copy.deepcopy(e["properties"]))]


def history(events: list[Event]) -> list[Event]:
    """The messages a server would show after these events."""
    messages: dict[str, Event] = {}
    for event in events:
        body = copy.deepcopy(event["properties"])
        if event["type"] == "message.updated":
            found = messages.setdefault(body["info"]["id"], {"info": {}, "parts": []})
            found["info"] = body["info"]
        elif event["type"] == "message.part.updated":
            parts = messages[body["part"]["messageID"]]["parts"]
            parts[:] = [p for p in parts if p["id"] != body["part"]["id"]] + [body["part"]]
    return list(messages.values())


def finals(told: list[Progress]) -> list[tuple[str, str, str]]:
    return [(p.kind, p.state, p.output) for p in told if p.state in ("done", "completed")]


WHOLE = [
    ("text", "done", "Step 1."),
    ("tool", "completed", "Wrote file successfully."),
    ("text", "done", "Step 2."),
    ("tool", "completed", "hi there"),
    ("text", "done", TEXT),
]


def joined(told: list[Progress]) -> dict[str, str]:
    """Text by part, as a reader of the deltas has it."""
    texts: dict[str, str] = {}
    for progress in told:
        if progress.state == "delta":
            texts[progress.id] = texts.get(progress.id, "") + progress.output
    return texts


def test_a_recorded_run_is_told_in_order() -> None:
    run = transcript()
    told = feed(run, RECORDED)
    assert finals(told) == WHOLE
    tools = [(p.name, p.state) for p in told if p.kind == "tool"]
    states = ("pending", "running", "completed")
    assert tools == [(name, state) for name in ("write", "bash") for state in states]
    assert joined(told) == {p.id: p.output for p in told if p.state == "done"}
    bash = told[-1 - next(i for i, p in enumerate(told[::-1]) if p.name == "bash")]
    assert bash.title == "cat hello.txt"
    assert bash.call_id.startswith("call_")


def test_its_outcome_is_the_last_text_its_tools_and_all_its_tokens() -> None:
    run = transcript()
    feed(run, RECORDED)
    outcome = run.outcome()
    assert (outcome.state, outcome.text, outcome.error) == ("completed", TEXT, None)
    assert [(t.name, t.state) for t in outcome.tools] == [
        ("write", "completed"),
        ("bash", "completed"),
    ]
    assert outcome.usage["input_tokens"] == 2443 + 2525 + 2607
    assert outcome.usage["output_tokens"] == 15


def test_it_is_finished_by_its_last_message_and_not_before() -> None:
    run, at = transcript(), []
    for index, event in enumerate(RECORDED):
        run.take(event["type"], event["properties"])
        at += [index] if run.finished else []
    first = RECORDED[at[0]]
    assert first["properties"]["info"]["finish"] == "stop"
    assert at == list(range(at[0], len(RECORDED)))


def test_history_alone_tells_the_same() -> None:
    run = transcript()
    told = run.read(history(RECORDED))
    assert finals(told) == WHOLE
    live = transcript()
    feed(live, RECORDED)
    assert run.finished
    assert run.outcome() == live.outcome()


@given(st.integers(0, len(RECORDED)), st.integers(0, len(RECORDED)))
def test_a_gap_anywhere_loses_nothing_and_repeats_nothing(a: int, b: int) -> None:
    start, end = sorted((a, b))
    run = transcript()
    told = feed(run, RECORDED[:start])
    run.missed()
    told += run.read(history(RECORDED[:end]))
    told += feed(run, RECORDED[end:])
    told += run.read(history(RECORDED))
    assert sorted(finals(told)) == sorted(WHOLE)
    assert joined(told) == {p.id: p.output for p in told if p.state == "done"}
    assert run.outcome().text == TEXT


def test_what_was_told_is_not_told_again() -> None:
    run = transcript()
    feed(run, RECORDED)
    assert feed(run, RECORDED) == []
    assert run.read(history(RECORDED)) == []


def test_another_run_of_the_session_tells_nothing() -> None:
    other = Transcript(PromptIds(SESSION, "msg_other", "prt_2", "/work"))
    assert feed(other, RECORDED) == []
    assert other.read(history(RECORDED)) == []
    assert not other.finished


def test_the_run_ends_at_the_next_prompt() -> None:
    messages = history(RECORDED)
    later = json.loads(json.dumps(messages).replace(OURS, "msg_later").replace("prt_", "prt_z"))
    for message in later:
        message["info"]["id"] = "msg_z" + message["info"]["id"]
        for part in message["parts"]:
            part["messageID"] = message["info"]["id"]
    run = transcript()
    assert finals(run.read(messages + later)) == WHOLE


@pytest.mark.parametrize(
    "event",
    [
        {"type": "session.next.unheard", "properties": {}},
        {"type": "message.updated", "properties": {}},
        {"type": "message.part.updated", "properties": {"part": {"type": "tool"}}},
        {"type": "message.part.delta", "properties": {"partID": "prt_x"}},
        {"type": "session.error", "properties": {"error": None}},
    ],
    ids=lambda event: event["type"],
)
def test_what_is_not_understood_is_passed_over(event: Event) -> None:
    run = transcript()
    told = feed(run, [event, *RECORDED[:20], event, *RECORDED[20:]])
    assert finals(told) == WHOLE


def reply(message_id: str, created: int, **facts: Any) -> Event:
    info = {"id": message_id, "role": "assistant", "parentID": OURS, "time": {"created": created}}
    return {"type": "message.updated", "properties": {"info": info | facts}}


def asked(message_id: str = OURS, created: int = 1) -> Event:
    info = {"id": message_id, "role": "user", "time": {"created": created}}
    return {"type": "message.updated", "properties": {"info": info}}


def ended(created: int, **facts: Any) -> Event:
    return reply("msg_r", created, **({"time": {"created": created, "completed": 9}} | facts))


@pytest.mark.parametrize(
    ("facts", "finished"),
    [
        ({"finish": "stop"}, True),
        ({"finish": "length"}, True),
        ({"finish": "tool-calls"}, False),
        ({"finish": "unknown"}, False),
        ({}, False),
        ({"finish": "tool-calls", "structured": {"a": 1}}, True),
        ({"error": {"name": "UnknownError", "data": {}}}, True),
        ({"finish": "stop", "summary": True}, False),
        ({"finish": "stop", "time": {"created": 2}}, False),
    ],
)
def test_when_a_run_counts_as_finished(facts: dict[str, Any], finished: bool) -> None:
    run = transcript()
    feed(run, [asked(), ended(2, **facts)])
    assert run.finished is finished


def test_compaction_in_the_middle_belongs_to_the_run() -> None:
    run = transcript()
    summary = ended(4, summary=True, finish="stop", parentID="msg_compaction", id="msg_s")
    last = ended(6, finish="stop", parentID="msg_goes_on", id="msg_t")
    feed(run, [asked(), ended(2, finish="tool-calls"), asked("msg_compaction", 3), summary])
    assert not run.finished
    feed(run, [asked("msg_goes_on", 5), last])
    assert run.finished


def test_an_older_reply_found_late_is_not_taken_for_the_newest() -> None:
    run = transcript()
    feed(run, [asked(), ended(5, finish="stop"), reply("msg_q", 3)])
    assert run.finished


def tool(state: str, part_id: str = "prt_t", **facts: Any) -> Event:
    part = {"id": part_id, "messageID": "msg_r", "type": "tool", "tool": "bash", "callID": "c"}
    state_facts = {"status": state, "input": {"command": "make"}} | facts
    return {"type": "message.part.updated", "properties": {"part": part | {"state": state_facts}}}


def test_a_tool_nobody_will_finish_is_told_as_interrupted_once() -> None:
    run = transcript()
    feed(run, [asked(), reply("msg_r", 2), tool("running", metadata={"output": "half"})])
    (told,) = run.interrupt()
    assert (told.state, told.output, told.input) == ("interrupted", "half", {"command": "make"})
    assert run.interrupt() == []
    assert feed(run, [tool("running")]) == []
    assert [t.state for t in run.ended("failed", "x").tools] == ["interrupted"]


def test_a_tool_that_failed_says_why() -> None:
    run = transcript()
    told = feed(run, [asked(), reply("msg_r", 2), tool("error", error="no such file")])
    assert [(p.state, p.output) for p in told] == [("error", "no such file")]


def test_long_output_and_input_are_cut_with_a_note() -> None:
    run = transcript()
    facts = {"output": "a" * 50_000 + "end", "input": {"content": "é" * 50_000, "n": [1, "x"]}}
    (told,) = feed(run, [asked(), reply("msg_r", 2), tool("completed", **facts)])
    assert len(told.output.encode()) < 8400
    assert told.output.endswith("end")
    assert "41811 bytes left out" in told.output
    assert told.input
    assert len(told.input["content"].encode()) < 8400
    assert told.input["n"] == [1, "x"]


@pytest.mark.parametrize(
    ("running", "seconds"),
    [([], 0), ([tool("running")], 120), ([tool("completed")], 0),
     ([tool("running", input={"timeout": 600_000}), tool("running", "prt_u")], 600)],
)  # fmt: skip
def test_a_running_tool_may_be_silent_for_its_own_timeout(
    running: list[Event], seconds: float
) -> None:
    run = transcript()
    feed(run, [asked(), reply("msg_r", 2), *running])
    assert run.allowance == seconds


@pytest.mark.parametrize(
    ("error", "state", "words"),
    [
        ({"name": "MessageAbortedError", "data": {"message": "Aborted"}}, "aborted", "aborted"),
        (
            {"name": "APIError", "data": {"message": "no credit", "statusCode": 402,
                                          "responseBody": "sk-secret"}},
            "failed", "the model did not answer (402): no credit",
        ),
        ({"name": "ProviderAuthError", "data": {"message": "bad key"}}, "failed", "bad key"),
        ({"name": "UnknownError", "data": {"message": "UnknownError: UnknownError\n at x.js:1"}},
         "failed", "its agent or model may not exist there"),
        ({"name": "UnknownError", "data": {"message": "Model not found: x\n at y"}},
         "failed", "Model not found: x"),
        ({"name": "NewError"}, "failed", "NewError: no reason given"),
    ],
)  # fmt: skip
def test_errors_are_told_in_words(error: dict[str, Any], state: str, words: str) -> None:
    run = transcript()
    feed(run, [asked(), ended(2, error=error)])
    outcome = run.outcome()
    assert outcome.state == state
    assert outcome.error
    assert words in outcome.error
    assert "sk-secret" not in outcome.error
    assert "\n" not in outcome.error
