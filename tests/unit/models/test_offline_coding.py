"""The offline model behind OpenCode, and how the Grow Agent's gives work to it."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from growqr.models.offline import compose

OPENCODE = "bash edit read skill write growqr_read_memory growqr_search_memory".split()
GROW_AGENT = "commit_memory list_memory read_memory run_sub_agent search_memory".split()
COUNT = "create count.py that writes 1 to 20 to count.txt, one a second, and run it"

Turn = tuple[str, dict[str, Any]]


def play(text: str, *results: str, tools: list[str] = OPENCODE, system: str = "") -> list[Any]:
    """(name, input) of each call and the last words, as tools answer one result after another."""
    talk: list[dict[str, Any]] = [{"role": "user", "content": text}]
    answers, made = list(results), []
    while True:
        offered = [{"name": name} for name in tools]
        content, stop = compose({"messages": talk, "tools": offered, "system": system})
        if stop != "tool_use":
            return [*made, content[0]["text"]]
        (use,) = content
        made.append((use["name"], use["input"]))
        if not answers:
            return made
        result = {"type": "tool_result", "tool_use_id": use["id"], "content": answers.pop(0)}
        talk += [{"role": "assistant", "content": content}, {"role": "user", "content": [result]}]


def test_counting_is_a_program_that_is_run_with_time_enough() -> None:
    write, run, said = play(COUNT, "Wrote file successfully.", "count.txt holds 1 to 20")
    assert (write[0], write[1]["filePath"]) == ("write", "count.py")
    assert (run[0], run[1]["command"]) == ("bash", "python3 count.py")
    assert run[1]["timeout"] >= 80_000
    assert "count.txt holds 1 to 20" in said
    long = play(COUNT.replace("20", "500"), "Wrote file successfully.")[-1]
    assert long[1]["timeout"] >= 500_000


def program(text: str) -> str:
    return str(play(text)[0][1]["content"])


def test_the_program_goes_on_where_it_was_killed(tmp_path: Path) -> None:
    (tmp_path / "count.py").write_text(
        program("create count.py that writes 3 to 12 to n.txt, one every 0.1 seconds")
    )
    counted, wanted = tmp_path / "n.txt", [str(number) for number in range(3, 13)]
    running = subprocess.Popen([sys.executable, "count.py"], cwd=tmp_path)
    until = time.monotonic() + 20
    while not counted.exists() or len(counted.read_text().split()) < 3:
        assert time.monotonic() < until
        time.sleep(0.01)
    running.send_signal(signal.SIGKILL)
    running.wait()
    written = counted.read_bytes()
    assert 3 <= len(written.split()) < 10
    counted.write_bytes(written + b"9")  # a line that was being written
    both = [subprocess.Popen([sys.executable, "count.py"], cwd=tmp_path) for _ in range(2)]
    assert [one.wait(20) for one in both] == [0, 0]
    assert counted.read_bytes().startswith(written)
    assert counted.read_text() == "\n".join(wanted) + "\n"


def test_a_command_that_was_broken_off_is_run_again() -> None:
    played = play(COUNT, "Wrote file successfully.", "Tool execution aborted", "all 20 lines")
    assert [turn[0] for turn in played[:3]] == ["write", "bash", "bash"]
    assert "all 20 lines" in played[3]


def test_a_file_that_must_be_read_before_it_is_written_is_read() -> None:
    refused = "Error: You must read the file before overwriting it"
    played = play("create a.txt with b", refused, "c", "Wrote file successfully.")
    assert [turn[0] for turn in played[:3]] == ["write", "read", "write"]
    assert "write of a.txt is done" in played[3]


@pytest.mark.parametrize(
    ("text", "calls"),
    [
        ("create notes.txt with milk and eggs", [("write", "notes.txt", "milk and eggs\n")]),
        ("write a file x.md containing 'hi you'", [("write", "x.md", "hi you\n")]),
        ("run `ls -la | wc`", [("bash", "ls -la | wc")]),
        ("please run python3 a.py.", [("bash", "python3 a.py")]),
        (
            "create hi.py that prints Hello and run it",
            [("write", "hi.py"), ("bash", "python3 hi.py")],
        ),
        ("create 3.py with x", [("write", "3.py", "x\n")]),
        ("scaffold app.py", [("write", "app.py")]),
        ("build a todo app called todos", [("write", "todos/main.py")]),
        ("replace 'a' with 'b' in x.txt", [("read", "x.txt"), ("edit", "x.txt", "a", "b")]),
    ],
)
def test_requests_become_calls(text: str, calls: list[tuple[str, ...]]) -> None:
    made = play(text, *["done"] * len(calls))[:-1]
    for (name, given), (wanted, *values) in zip(made, calls, strict=True):
        assert name == wanted
        assert set(values) <= set(given.values())


def test_written_programs_compile() -> None:
    for text in (COUNT, "scaffold a.py", 'create b.py that prints it\'s "fine"', "build an app"):
        compile(program(text), "made.py", "exec")


def test_a_skill_is_told_or_followed() -> None:
    skill = "# Greet\n\n1. Create hi.txt containing hello there\n2. Run `cat hi.txt`\n"
    assert "Create hi.txt" in play("what does the skill greet say?", skill)[-1]
    played = play("follow the skill greet", skill, "Wrote file successfully.", "hello there")
    assert [turn[0] for turn in played[:3]] == ["skill", "write", "bash"]
    assert played[1][1] == {"filePath": "hi.txt", "content": "hello there\n"}
    assert "hello there" in played[3]


def test_memory_is_read_over_mcp() -> None:
    found = json.dumps({"results": [{"path": "notes/l.md", "snippet": "…"}]})
    note = json.dumps({"path": "notes/l.md", "content": "The launch is on Friday.\n"})
    search, read, said = play("read the note about the launch", found, note)
    assert search == ("growqr_search_memory", {"query": "launch"})
    assert read == ("growqr_read_memory", {"path": "notes/l.md"})
    assert "on Friday" in said


def test_a_failure_is_told() -> None:
    said = play("run nothing", "bash: nothing: command not found")[-1]
    assert "failed" in said


def test_a_title_is_a_title() -> None:
    asked = "Generate a title for this conversation:\n\n" + COUNT
    (title,) = play(asked, tools=[], system="You are a title generator. You output ONLY a title.")
    assert title == "Create count.py that writes 1 to"


@pytest.mark.parametrize(
    "text", [COUNT, "scaffold app.py", "build a web app", "run ls", "follow the skill greet"]
)
def test_the_grow_agent_gives_such_work_to_a_sub_agent(text: str) -> None:
    run, said = play(text, "All is done. (offline model)", tools=GROW_AGENT)
    assert run == ("run_sub_agent", {"type": "coding", "prompt": text})
    assert said == "The sub-agent reports:\nAll is done.\n (offline model)"


@pytest.mark.parametrize("text", ["remember that we build an app", "hello", "write a poem"])
def test_and_keeps_the_rest(text: str) -> None:
    assert "run_sub_agent" not in str(play(text, tools=GROW_AGENT)[0])
