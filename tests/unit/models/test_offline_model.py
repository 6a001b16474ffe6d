"""The offline model: understands a few things, really calls tools, says what it is."""

from __future__ import annotations

import json
from typing import Any

import pytest

from growqr.config import Providers, Settings
from growqr.errors import InstanceError
from growqr.memory import check_path
from growqr.models import open_provider
from growqr.models.offline import compose
from growqr.names import RESTORED

NAMES = ("commit_memory", "search_memory", "list_memory", "read_memory")
TOOLS = [{"name": name} for name in NAMES]
Content = list[dict[str, Any]]


def hear(text: str) -> dict[str, Any]:
    return {"role": "user", "content": [{"type": "text", "text": text}]}


def answer(talk: list[Any], tools: list[Any] = TOOLS) -> Content:
    return compose({"messages": talk, "tools": tools})[0]


def calls(text: str) -> list[tuple[str, dict[str, Any]]]:
    return [(block["name"], block["input"]) for block in answer([hear(text)])]


def after(text: str, *results: Any, is_error: bool = False) -> str:
    """What it says once its tool calls about `text` came to these results."""
    talk = [hear(text)]
    content = answer(talk)
    blocks = [
        {
            "type": "tool_result",
            "tool_use_id": block["id"],
            "content": result if isinstance(result, str) else json.dumps(result),
            "is_error": is_error,
        }
        for block, result in zip(content, results, strict=True)
    ]
    talk += [{"role": "assistant", "content": content}, {"role": "user", "content": blocks}]
    (said,) = answer(talk)
    return str(said["text"])


@pytest.mark.parametrize(
    ("text", "path", "content"),
    [
        ("remember that the launch is on Friday", "launch-friday", "The launch is on Friday."),
        ("Please remember my cat is called Tom!", "cat-called-tom", "My cat is called Tom!"),
        ("can you note: water  the\nplants", "water-plants", "Water the plants."),
        ("remember that 東京 is big", "東京-big", "東京 is big."),
        ("remember that to be or not", "not", "To be or not."),
    ],
)
def test_a_fact_becomes_one_note(text: str, path: str, content: str) -> None:
    ((name, given),) = calls(text)
    assert name == "commit_memory"
    assert given["path"] == f"notes/{path}.md"
    assert given["content"] == content + "\n"


def test_a_record_of_earlier_work_is_no_wish() -> None:
    told = {"type": "text", "text": f"{RESTORED}: it was asked: remember that tea is hot"}
    wish = {"type": "text", "text": "remember that the launch is on Friday"}
    [used] = answer([{"role": "user", "content": [told, wish]}])
    assert used["input"]["content"] == "The launch is on Friday.\n"


def test_several_facts_become_several_calls_of_different_notes() -> None:
    made = calls("remember that the cat is Tom; and that the dog is Rex; the cat is Tom;")
    assert [given["content"] for _, given in made] == [
        "The cat is Tom.\n",
        "The dog is Rex.\n",
        "The cat is Tom.\n",
    ]
    assert len({given["path"] for _, given in made}) == 3


@pytest.mark.parametrize("fact", ["x" * 200_000, "日" * 9000, "!!!", "../../etc/passwd", "- -rf"])
def test_any_fact_gets_a_path_that_memory_accepts(fact: str) -> None:
    for _, given in calls(f"remember that {fact}"):
        assert check_path(given["path"]) == given["path"]


def test_facts_that_begin_alike_are_not_written_over_each_other() -> None:
    begin = "remember that one two three four five six "
    assert calls(begin + "seven")[0][1]["path"] != calls(begin + "eight")[0][1]["path"]


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("what do you remember about the launch?", "launch"),
        ("What do I know about my old cats", "old cats"),
        ("do you remember the launch date?", "launch date"),
        ("Do you know anything about Tom?", "tom"),
    ],
)
def test_questions_search(text: str, query: str) -> None:
    assert calls(text) == [("search_memory", {"query": query})]


def test_list_and_read() -> None:
    assert calls("what do you remember?") == [("list_memory", {})]
    assert calls("list my notes") == [("list_memory", {})]
    assert calls("read notes/a-b.md") == [("read_memory", {"path": "notes/a-b.md"})]


def test_results_are_told_in_plain_words() -> None:
    noted = after("remember that a is b", {"path": "notes/a.md", "commit": "0123456789abcdef"})
    assert noted.startswith("I have noted it: notes/a.md (commit 0123456789).")
    assert "pending" in after("remember that a is b", {"path": "notes/a.md", "pending": True})
    found = {"results": [{"path": "notes/l.md", "snippet": "The launch is on Friday."}]}
    asked = "what do you remember about the launch?"
    assert after(asked, found).startswith("You told me: The launch is on Friday.")
    assert "nothing about the launch" in after(asked, {"results": [], "hint": "…"})
    assert "- notes/a.md" in after("what do you remember?", {"files": [{"path": "notes/a.md"}]})
    assert "Hello world" in after(
        "read notes/a.md", {"path": "notes/a.md", "content": "Hello world"}
    )


@pytest.mark.parametrize(
    "text", ["remember that a is b", "what do you remember about a?", "read notes/a.md"]
)
def test_a_failed_tool_is_told(text: str) -> None:
    assert "the disk is full" in after(text, "the disk is full", is_error=True)


@pytest.mark.parametrize(
    "text", ["hello", "who are you?", "help", "thanks", "bye", "fold the laundry", "…", "a" * 9999]
)
def test_small_talk_needs_no_tool_and_says_what_speaks(text: str) -> None:
    (block,) = answer([hear(text)])
    assert block["type"] == "text"
    assert block["text"].endswith("(offline model)")


def test_a_tool_that_is_not_offered_is_not_called() -> None:
    (block,) = answer([hear("remember that a is b")], tools=[])
    assert "commit_memory is not offered" in block["text"]


def test_the_same_talk_gets_the_same_reply_and_a_later_one_other_ids() -> None:
    talk = [hear("remember that a is b; c is d")]
    first = answer(talk)
    assert first == answer(talk)
    results = [{"type": "tool_result", "tool_use_id": b["id"], "content": "{}"} for b in first]
    talk += [{"role": "assistant", "content": first}, {"role": "user", "content": results}]
    talk += [{"role": "assistant", "content": answer(talk)}, hear("remember that a is b; c is d")]
    ids = [block["id"] for block in [*first, *answer(talk)]]
    assert len(set(ids)) == 4


def test_the_provider_is_chosen_by_key_and_name() -> None:
    def provider(key: str | None, **chosen: Any) -> str:
        keys = {"ANTHROPIC_API_KEY": key} if key else {}
        settings = Settings(data="/nowhere", **chosen)
        return open_provider(settings, Providers(_env_file=None, **keys)).name

    assert provider(None) == "scripted"
    assert provider("sk-1") == "anthropic"
    assert provider("sk-1", LLM_PROVIDER="scripted") == "scripted"
    with pytest.raises(InstanceError, match="ANTHROPIC_API_KEY"):
        provider(None, LLM_PROVIDER="anthropic")
