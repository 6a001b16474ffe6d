"""Bytes, events and blocks turn into each other without loss, however the bytes are cut."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import AsyncIterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from growqr.errors import ModelUnavailable
from growqr.models import Assembly, encode
from growqr.models.stream import decode, events_of

CONTENT: list[dict[str, Any]] = [
    {"type": "text", "text": "Grüße, \n\n日本 and\r\n more"},
    {"type": "redacted_thinking", "data": "opaque"},
    {"type": "tool_use", "id": "toolu_1", "name": "note", "input": {"a": [1, {"b": None}]}},
    {"type": "tool_use", "id": "toolu_2", "name": "note", "input": {}},
]


def events(content: list[dict[str, Any]]) -> list[dict[str, Any]]:
    usage = {"input_tokens": 3, "output_tokens": 5}
    made = events_of(content, message_id="m", model="x", stop_reason="tool_use", usage=usage)
    return list(made)


async def read(sent: bytes, size: int) -> Assembly:
    async def chunks() -> AsyncIterator[bytes]:
        for at in range(0, len(sent), size):
            yield sent[at : at + size]

    assembly = Assembly()
    async for event in decode(chunks()):
        assembly.feed(event)
    return assembly


@pytest.mark.anyio
@pytest.mark.parametrize("size", [1, 2, 7, 4096])
@pytest.mark.parametrize("ends", [b"\n", b"\r\n"])
async def test_any_cut_of_the_bytes_gives_the_same_reply(size: int, ends: bytes) -> None:
    sent = b": comment\n\n" + b"".join(encode(event) for event in events(CONTENT))
    reply = (await read(sent.replace(b"\n", ends), size)).reply()
    assert reply.content == CONTENT
    assert (reply.stop_reason, reply.model) == ("tool_use", "x")
    assert reply.usage == {
        "input_tokens": 3,
        "output_tokens": 5,
        "cache_read_tokens": 0,
        "cache_write_tokens": 0,
    }


@settings(max_examples=50, deadline=None)
@given(st.text(min_size=1))
def test_text_survives_being_sent_word_by_word(text: str) -> None:
    assembly = Assembly()
    shown = [assembly.feed(event) for event in events([{"type": "text", "text": text}])]
    assert assembly.reply().content == [{"type": "text", "text": text}]
    assert "".join(piece[1] for piece in shown if piece) == text


def test_an_empty_text_block_is_left_out_as_it_could_not_be_sent_back() -> None:
    assembly = Assembly()
    for event in events([{"type": "text", "text": ""}, *CONTENT]):
        assembly.feed(event)
    assert assembly.reply().content == CONTENT


def test_a_reply_without_its_end_is_none() -> None:
    assembly = Assembly()
    for event in events(CONTENT)[:-1]:
        assembly.feed(event)
    with pytest.raises(ModelUnavailable, match="cut"):
        assembly.reply()


@pytest.mark.parametrize(
    "event",
    [
        {"type": "message_start"},
        {"type": "content_block_delta", "index": 9, "delta": {"type": "text_delta", "text": "x"}},
        {"type": "content_block_stop", "index": 0},
        {"type": "content_block_start", "index": 0, "content_block": None},
    ],
)
def test_a_malformed_event_is_the_servers_fault(event: dict[str, Any]) -> None:
    with pytest.raises(ModelUnavailable, match="malformed"):
        Assembly().feed(event)


TEXT = {"type": "text", "text": ""}
USE = {"type": "tool_use", "id": "t1", "name": "note", "input": {}}


def start(index: int, block: dict[str, Any]) -> dict[str, Any]:
    return {"type": "content_block_start", "index": index, "content_block": block}


def piece(index: int, kind: str, **said: Any) -> dict[str, Any]:
    return {"type": "content_block_delta", "index": index, "delta": {"type": kind} | said}


@pytest.mark.parametrize(
    "sent",
    [
        [events([])[0]],
        [start(0, TEXT), start(0, TEXT)],
        [start(0, USE), {"type": "message_stop"}],
        [start(0, USE), piece(0, "text_delta", text="x")],
        [start(0, TEXT), piece(0, "thinking_delta", thinking="x")],
        [start(0, TEXT), piece(0, "text_delta", text=7)],
        [start(0, {"type": "text", "text": 7})],
        [start(0, USE | {"id": ""})],
        [start(0, USE | {"name": None})],
        [start(0, USE | {"input": "x"})],
        [start(0, USE), start(1, USE)],
        [{"type": "message_delta", "delta": {}, "usage": "x"}],
        [[1, 2]],
    ],
)
def test_half_a_block_or_two_in_one_is_no_reply(sent: list[Any]) -> None:
    assembly = Assembly()
    assembly.feed(events([])[0])
    for event in sent[:-1]:
        assembly.feed(event)
    with pytest.raises(ModelUnavailable, match="malformed"):
        assembly.feed(sent[-1])


@pytest.mark.anyio
@pytest.mark.parametrize("line", [b"[1]", b'"x"', b"null", b"1"])
async def test_json_that_is_no_object_is_no_event(line: bytes) -> None:
    with pytest.raises(ModelUnavailable, match="no object"):
        await read(b"data: " + line + b"\n\n", 4096)


def test_unknown_events_and_deltas_are_passed_over() -> None:
    assembly = Assembly()
    for event in events(CONTENT):
        assembly.feed({"type": "something_new", "index": 0})
        assembly.feed(event)
        if event["type"] == "content_block_start":
            delta = {"type": "future_delta", "future": 1}
            assembly.feed({"type": "content_block_delta", "index": event["index"], "delta": delta})
    assert assembly.reply().content == CONTENT


def test_the_door_of_the_room_loads_no_sdk_and_no_server() -> None:
    code = (
        "import sys, growqr.models; "
        "print(sorted({'anthropic', 'fastapi', 'httpx', 'httpx2', 'ray'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.strip() == "[]"
