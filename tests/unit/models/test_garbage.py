"""Whatever a server sends, it becomes a whole reply or an error of ours; nothing else."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from growqr.errors import ModelUnavailable
from growqr.models import Assembly, Reply
from growqr.models.chat import Events, call_ids
from growqr.models.stream import events_of
from growqr.models.trouble import GARBAGE

CONTENT: list[dict[str, Any]] = [
    {"type": "thinking", "thinking": "hm", "signature": "s"},
    {"type": "text", "text": "two words"},
    {"type": "tool_use", "id": "toolu_1", "name": "note", "input": {"a": [1, {"b": None}]}},
    {"type": "tool_use", "id": "toolu_2", "name": "note", "input": {}},
]
USAGE = {"input_tokens": 3, "output_tokens": 5}
GOOD = list(events_of(CONTENT, message_id="m", model="x", stop_reason="tool_use", usage=USAGE))

JUNK = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 9) | st.sampled_from(["", "x", "text", "tool_use"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["type", "index", "id", "name", "text", "function", "usage"]), inner
        )
    ),
    max_leaves=6,
)


def bent(events: list[Any], at: int, how: str, junk: Any) -> list[Any]:
    """The events with one of them lost, doubled, moved, or with junk in it."""
    made = copy.deepcopy(events)
    event = made[at]
    match how:
        case "lose":
            made.pop(at)
        case "double":
            made.insert(at, copy.deepcopy(event))
        case "move":
            made.append(made.pop(at))
        case "junk":
            made[at] = junk
        case "field":
            key = sorted(event)[at % len(event)]
            event[key] = junk
        case "inner":
            inner = next((value for value in event.values() if isinstance(value, dict)), event)
            if inner:
                inner[sorted(inner)[at % len(inner)]] = junk
    return made


def well_formed(reply: Reply) -> bool:
    """It could be sent back to any provider."""
    ids = [call["id"] for call in reply.tool_calls]
    calls = all(
        call["id"] and call["name"] and isinstance(call["input"], dict) for call in reply.tool_calls
    )
    texts = [b for b in reply.content if b["type"] == "text"]
    return calls and len(set(ids)) == len(ids) and all(b["text"] + "" for b in texts)


@settings(max_examples=400, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.integers(0, len(GOOD) - 2),
            st.sampled_from(["lose", "double", "move", "junk", "field", "inner"]),
            JUNK,
        ),
        max_size=2,
    )
)
def test_bent_events_make_a_reply_that_can_be_sent_back_or_none(bends: list[Any]) -> None:
    events: list[Any] = GOOD
    for at, how, junk in bends:
        if all(isinstance(event, dict) and event for event in events):
            events = bent(events, min(at, len(events) - 1), how, junk)
    assembly = Assembly()
    try:
        for event in events:
            assembly.feed(event)
        reply = assembly.reply()
    except ModelUnavailable:
        return
    assert well_formed(reply)


@settings(max_examples=400, deadline=None)
@given(
    st.lists(
        st.fixed_dictionaries(
            {},
            optional={
                "choices": st.lists(
                    st.fixed_dictionaries(
                        {"delta": st.fixed_dictionaries(
                            {},
                            optional={"content": JUNK, "tool_calls": st.lists(JUNK, max_size=2)},
                        ) | JUNK},
                        optional={"finish_reason": JUNK, "index": JUNK},
                    ),
                    max_size=2,
                ),
                "usage": JUNK,
                "model": JUNK,
            },
        ),
        max_size=4,
    )
)  # fmt: skip
def test_junk_chunks_make_a_reply_or_a_known_error(chunks: list[Any]) -> None:
    events, assembly = Events(), Assembly()
    try:
        for chunk in chunks:
            for event in events.feed(chunk):
                assembly.feed(event)
        for event in events.end():
            assembly.feed(event)
        reply = assembly.reply()
    except (ModelUnavailable, *GARBAGE):
        return
    assert well_formed(reply)


def called(*ids: str) -> dict[str, Any]:
    calls = [
        {"index": number, "id": given, "function": {"name": "mcp.note", "arguments": "{}"}}
        for number, given in enumerate(ids)
    ]
    return {"choices": [{"delta": {"tool_calls": calls}, "finish_reason": "tool_calls"}]}


@pytest.mark.parametrize("ids", [("call_0", "call_1"), ("functions.note:0", "x"), ("same", "same")])
def test_ids_that_were_there_before_or_nobody_else_takes_are_replaced(ids: tuple[str, str]) -> None:
    """Some servers number their calls anew in each reply; the journal knows a call by its id."""
    earlier = {"messages": [{"role": "assistant", "content": [CONTENT[2] | {"id": "call_0"}]}]}
    events, assembly = Events(call_ids(earlier)), Assembly()
    for event in [*events.feed(called(*ids)), *events.end()]:
        assembly.feed(event)
    first, second = assembly.reply().tool_calls
    assert first["id"] not in {"call_0", "functions.note:0", second["id"]}
    assert first["id"].replace("_", "").isalnum()
    assert second["id"] == {"call_1": "call_1", "x": "x"}.get(ids[1], second["id"])
    assert first["name"] == "mcp_note"


@pytest.mark.parametrize("call", [{}, {"index": 0}, {"function": {"arguments": "{}"}}, "x", 7])
def test_a_call_that_nothing_began_is_garbage(call: Any) -> None:
    with pytest.raises(GARBAGE):
        list(Events().feed({"choices": [{"delta": {"tool_calls": [call]}}]}))
