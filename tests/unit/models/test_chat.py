"""Requests and streams of chat completions and of our own form say the same thing."""

from __future__ import annotations

from typing import Any

import pytest

from growqr.errors import Invalid
from growqr.models import INVALID_JSON, Assembly, Reply
from growqr.models.chat import Chunks, Events, from_chat, to_chat
from growqr.models.stream import events_of

IMAGE = {"type": "base64", "media_type": "image/png", "data": "aGVsbG8="}
TOOL = {"name": "note", "description": "Notes.", "input_schema": {"type": "object"}}
OURS: dict[str, Any] = {
    "model": "m",
    "max_tokens": 9,
    "system": "Be brief.",
    "tools": [TOOL],
    "messages": [
        {
            "role": "user",
            "content": [{"type": "text", "text": "look"}, {"type": "image", "source": IMAGE}],
        },
        {
            "role": "assistant",
            "content": [
                {"type": "text", "text": "I look."},
                {"type": "tool_use", "id": "call_1", "name": "note", "input": {"a": "é"}},
                {"type": "tool_use", "id": "call_2", "name": "note", "input": {}},
            ],
        },
        {
            "role": "user",
            "content": [
                {
                    "type": "tool_result",
                    "tool_use_id": f"call_{n}",
                    "content": [{"type": "text", "text": f"r{n}"}],
                }
                for n in (1, 2)
            ]
            + [{"type": "text", "text": "go on"}],
        },
    ],
}


def test_a_request_survives_both_translations() -> None:
    theirs = to_chat(OURS)
    roles = [message["role"] for message in theirs["messages"]]
    assert roles == ["system", "user", "assistant", "tool", "tool", "user"]
    assert from_chat(theirs) == OURS


@pytest.mark.parametrize("choice", ["auto", "none", "required", {"name": "note"}])
def test_tool_choices_survive_too(choice: Any) -> None:
    if isinstance(choice, dict):
        choice = {"type": "function", "function": choice}
    asked = to_chat(OURS) | {"tool_choice": choice}
    assert to_chat(from_chat(asked)).get("tool_choice", "auto") == choice


def test_thinking_goes_to_no_server_of_chat_completions() -> None:
    thought = {"type": "thinking", "thinking": "hm", "signature": "s"}
    said = {"role": "assistant", "content": [thought, {"type": "text", "text": "yes"}]}
    (message,) = to_chat({"model": "m", "max_tokens": 1, "messages": [said]})["messages"]
    assert message == {"role": "assistant", "content": "yes"}


def test_what_the_messages_api_refuses_is_mended() -> None:
    call = {"id": "a.b:c", "type": "function", "function": {"name": "note", "arguments": "{"}}
    made = from_chat(
        {
            "messages": [
                {"role": "developer", "content": "Be brief."},
                {"role": "user", "content": "one"},
                {"role": "user", "content": [{"type": "text", "text": " "}]},
                {"role": "assistant", "content": None, "tool_calls": [call]},
                {"role": "assistant", "content": "", "reasoning_content": "hm"},
                {"role": "user", "content": "two"},
            ],
            "temperature": 2,
            "stop": "END",
            "max_completion_tokens": 7,
        }
    )
    assert made["system"] == "Be brief."
    assert (made["max_tokens"], made["temperature"], made["stop_sequences"]) == (7, 1, ["END"])
    user, assistant, after = made["messages"]
    assert user["content"] == [{"type": "text", "text": "one"}]
    (use,) = assistant["content"]
    assert (use["id"], use["input"]) == ("a_b_c", {INVALID_JSON: "{"})
    assert [block["type"] for block in after["content"]] == ["tool_result", "text"]
    assert after["content"][0] | {"content": ""} == {
        "type": "tool_result",
        "tool_use_id": "a_b_c",
        "content": "",
        "is_error": True,
    }
    assert [tool["name"] for tool in made["tools"]] == ["note"]
    assert made["tool_choice"] == {"type": "none"}


def test_what_is_no_request_is_invalid() -> None:
    for body in ({"messages": [{}]}, {"messages": [{"role": "tool", "content": "x"}]}):
        with pytest.raises(Invalid, match="no chat completion"):
            from_chat(body)


CONTENT: list[dict[str, Any]] = [
    {"type": "text", "text": "Grüße, \n\n日本"},
    {"type": "tool_use", "id": "toolu_1", "name": "note", "input": {"a": [1, {"b": None}]}},
    {"type": "tool_use", "id": "toolu_2", "name": "note", "input": {}},
]


def test_a_stream_survives_both_translations() -> None:
    usage = {"input_tokens": 3, "output_tokens": 5, "cache_read_input_tokens": 2}
    events = events_of(CONTENT, message_id="m", model="x", stop_reason="tool_use", usage=usage)
    chunks = Chunks(include_usage=True)
    reply = heard([chunk for event in events for chunk in chunks.feed(event)])
    assert (reply.content, reply.stop_reason, reply.model) == (CONTENT, "tool_use", "x")
    assert reply.usage["input_tokens"] == 3
    assert (reply.usage["output_tokens"], reply.usage["cache_read_tokens"]) == (5, 2)
    assert chunks.completion()["usage"]["prompt_tokens"] == 5


def heard(chunks: list[dict[str, Any]]) -> Reply:
    events, assembly = Events(), Assembly()
    for chunk in chunks:
        for event in events.feed(chunk):
            assembly.feed(event)
    for event in events.end():
        assembly.feed(event)
    return assembly.reply()


def said(finish: str | None = None, **delta: Any) -> dict[str, Any]:
    return {"model": "m", "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}


def call(arguments: Any, **more: Any) -> dict[str, Any]:
    name = {"name": more.pop("name")} if "name" in more else {}
    return more | {"function": name | {"arguments": arguments}}


@pytest.mark.parametrize(
    "chunks",
    [
        # interleaved
        [
            said(tool_calls=[call("", index=0, id="x", name="a")]),
            said(tool_calls=[call("", index=1, id="y", name="b")]),
            said(tool_calls=[call('{"n"', index=0), call('{"n"', index=1)]),
            said(tool_calls=[call(": 1}", index=0), call(": 2}", index=1)]),
            said("tool_calls"),
        ],
        # whole, without index and ids, under the wrong reason
        [
            said(tool_calls=[call({"n": 1}, name="a"), call({"n": 2}, name="b")]),
            said("stop"),
        ],
        # every call with the same index
        [
            said(tool_calls=[call('{"n": 1}', index=0, id="x", name="a")]),
            said("tool_calls", tool_calls=[call('{"n": 2}', index=0, id="y", name="b")]),
        ],
    ],
)
def test_calls_are_put_together_however_they_come(chunks: list[Any]) -> None:
    reply = heard(chunks)
    assert reply.stop_reason == "tool_use"
    assert [(c["name"], c["input"]) for c in reply.tool_calls] == [("a", {"n": 1}), ("b", {"n": 2})]
    assert len({c["id"] for c in reply.tool_calls}) == 2


def test_reasoning_is_shown_and_not_kept_and_a_late_usage_counts() -> None:
    pieces, events, assembly = [], Events(), Assembly()
    usage = {"prompt_tokens": 9, "completion_tokens": 4, "prompt_tokens_details": None}
    for chunk in [
        said(role="assistant", reasoning_content="hm"),
        said(content="yes"),
        said("length"),
        {"choices": [], "usage": usage},
    ]:
        pieces += [assembly.feed(event) for event in events.feed(chunk)]
    for event in events.end():
        assembly.feed(event)
    assert [piece for piece in pieces if piece] == [("thinking", "hm"), ("text", "yes")]
    reply = assembly.reply()
    assert (reply.content, reply.stop_reason) == ([{"type": "text", "text": "yes"}], "max_tokens")
    assert (reply.usage["input_tokens"], reply.usage["output_tokens"]) == (9, 4)


def test_a_reply_that_never_finished_has_no_end() -> None:
    events = Events()
    list(events.feed(said(content="ye")))
    assert list(events.end()) == []


def test_a_call_without_arguments_is_told_with_an_empty_object() -> None:
    usage = {"input_tokens": 1, "output_tokens": 1}
    events = events_of(CONTENT[2:], message_id="m", model="x", stop_reason="tool_use", usage=usage)
    chunks = Chunks()
    sent = [
        chunk["choices"][0]["delta"]
        for event in events
        if event["type"] != "content_block_delta"
        for chunk in chunks.feed(event)
    ]
    calls = [delta["tool_calls"][0] for delta in sent if "tool_calls" in delta]
    assert "".join(one["function"]["arguments"] for one in calls) == "{}"
