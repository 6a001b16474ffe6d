"""What a session that begins anew is told of earlier work, and how much of it."""

from __future__ import annotations

from typing import Any

import pytest

from growqr.agents.record import FORMS, HEAD, LIMIT, record
from growqr.store import Done


def turn(number: int, total: int, **fields: Any) -> Done:
    common = {"id": f"trn_{number}", "state": "completed", "error": None, "total": total}
    common |= {"task": f"task {number}", "answer": f"answer {number}", "tools": []}
    return Done(**(common | fields))


def call(**fields: Any) -> dict[str, Any]:
    return {"name": "bash", "state": "done", "input": "{}", "output": "out"} | fields


def turns(number: int, **fields: Any) -> list[Done]:
    """The newest first; the very first is the one under way."""
    return [turn(n, number, **fields) for n in range(number, 0, -1)]


def test_nothing_before_is_no_record():
    assert record([], own=False).text == ""
    assert record(turns(1), own=False).told() is None


def test_the_oldest_stands_first_and_the_turn_under_way_only_if_asked():
    told = record(turns(3), own=False)
    assert told.text.startswith(HEAD)
    assert told.text.index("task 1") < told.text.index("task 2")
    assert "task 3" not in told.text
    assert (told.tasks, told.answers, told.left_out) == (2, 2, 0)
    own = record([turn(2, 2, state="running", answer=None), turn(1, 2)], own=True)
    assert "## Task (interrupted)\nAsked: task 2" in own.text
    assert (own.tasks, own.answers) == (2, 1)


def test_how_calls_ended_is_told():
    calls = [call(), call(state="unknown", output=None), call(state="intent", output=None)]
    text = record(turns(2, tools=calls), own=False).text
    assert text.count("- bash {} -> done: out") == 1
    assert text.count("- bash {} -> unknown") == 2


def test_a_turn_without_an_answer_says_how_it_ended():
    failed = turns(2, state="failed", answer=None, error="no model")
    assert "## Task (failed)\nAsked: task 1\nEnded: no model" in record(failed, own=False).text


@pytest.mark.parametrize("size", [100, 3_000, 20_000, 300_000])
def test_it_is_bounded_and_the_newest_comes_first(size: int):
    calls = [call(input="i" * 900, output="o" * 900)] * 40
    many = turns(60, task="t" * size + "END", answer="a" * size + "END", tools=calls)
    told = record(many, own=False)
    assert LIMIT // 2 < len(told.text) <= LIMIT
    assert told.tasks + told.left_out == 59
    assert told.tasks >= 10, "no turn takes the room of all others"
    assert told.text.rstrip().endswith("END"), "both ends of a long text are kept"


def test_the_newest_is_whole_where_it_has_room():
    newest = turn(2, 3, answer="a" * FORMS[0][0], tools=[call(output="o" * 1_000)])
    text = record([turn(3, 3), newest, turn(1, 3)], own=False).text
    assert newest.answer in text
    assert "o" * 1_000 in text


def test_what_does_not_fit_is_counted_in_the_news():
    told = record(turns(400, task="t" * 5_000), own=False).told()
    assert told is not None
    assert told["restored"]["left_out"] > 300
    assert f"{told['restored']['left_out']} older tasks did not fit" in told["text"]
    few = record(turns(2, tools=[call()]), own=False).told()
    assert few is not None
    assert "restored: 1 task, 1 answer, 1 tool call" in few["text"]
