"""The offline model asks back and reminds, so that both can be tried without a key."""

from __future__ import annotations

from typing import Any

import pytest

from growqr.models.offline import compose

TOOLS = [{"name": "ask_user"}, {"name": "set_timer"}]


def answer(*messages: dict[str, Any]) -> list[dict[str, Any]]:
    return compose({"messages": list(messages), "tools": TOOLS})[0]


def hear(text: str) -> dict[str, Any]:
    return {"role": "user", "content": [{"type": "text", "text": text}]}


def after(text: str, result: str, **flags: bool) -> str:
    asked = answer(hear(text))
    block = {"type": "tool_result", "tool_use_id": asked[0]["id"], "content": result} | flags
    said = answer(
        hear(text), {"role": "assistant", "content": asked}, {"role": "user", "content": [block]}
    )
    return str(said[0]["text"])


def test_asking_back_is_a_question_and_the_answer_is_said():
    [call] = answer(hear("Ask me which colour to paint the shed."))
    assert (call["name"], call["input"]) == (
        "ask_user",
        {"question": "Which colour to paint the shed?"},
    )
    assert "green" in after("ask me which colour", "green")
    assert "no answer" in after("ask me which colour", "nobody answered", is_error=True)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("remind me in 3 seconds to stretch", 3),
        ("Please remind me in 2 hours that the cake is in the oven!", 7200),
        ("remind me in a minute about tea", 60),
    ],
)
def test_a_reminder_is_a_timer(text: str, seconds: int):
    [call] = answer(hear(text))
    assert (call["name"], call["input"]["seconds"]) == ("set_timer", seconds)
    said = after(text, '{"timer_id": "tmr_1", "due": "2030-01-31T09:00:00+00:00"}')
    assert "2030-01-31 09:00" in said
    assert "too far" in after(text, "too far away", is_error=True)
    [told] = answer(hear(call["input"]["text"]))
    assert told["text"].startswith("It is time: ")
