"""A coding agent's line: chat completions at our gateway, whichever provider answers behind it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from growqr.identity import instance_secret, stack_token
from growqr.store import User
from tests.contract.test_model_contract import Line, keys, line

__all__ = ["keys", "line"]

pytestmark = pytest.mark.anyio

TOOLS = [
    {"type": "function", "function": {"name": name, "parameters": {"type": "object"}}}
    for name in ("write", "bash", "commit_memory")
]
FACTS = "remember that the cat is Tom; the dog is Rex; the fish is Bob"


class Coder:
    """What OpenCode does: asks in chat form with its stack's token, puts the chunks together."""

    def __init__(self, line: Line, token: str) -> None:
        self.line = line
        self.headers = {"authorization": f"Bearer {token}"}

    async def post(self, body: dict[str, Any], **headers: str) -> tuple[int, str]:
        async with self.line.session.post(
            self.line.url + "/openai/v1/chat/completions",
            json={"model": "default", "tools": TOOLS} | body,
            headers=self.headers | headers,
        ) as answer:
            return answer.status, await answer.text()

    async def ask(self, talk: list[Any], **headers: str) -> tuple[dict[str, Any], str, Any]:
        """(message, finish_reason, usage) of a streamed reply."""
        options = {"stream": True, "stream_options": {"include_usage": True}}
        status, text = await self.post({"messages": talk} | options, **headers)
        assert status == 200, text
        *records, done, end = text.split("\n\n")
        assert (done, end) == ("data: [DONE]", "")
        return together([json.loads(record.removeprefix("data: ")) for record in records])


def together(chunks: list[Any]) -> tuple[dict[str, Any], str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": "", "tool_calls": []}
    finish = ""
    for chunk in chunks:
        assert chunk["object"] == "chat.completion.chunk"
        for choice in chunk["choices"]:
            finish = choice["finish_reason"] or finish
            message["content"] += choice["delta"].get("content") or ""
            for call in choice["delta"].get("tool_calls") or []:
                if "id" in call:
                    assert call["index"] == len(message["tool_calls"])
                    message["tool_calls"].append(call)
                else:
                    known = message["tool_calls"][call["index"]]["function"]
                    known["arguments"] += call["function"]["arguments"]
    return message, finish, chunks[-1].get("usage")


@pytest.fixture
async def coder(line: Line, alice: User) -> Coder:
    service = await line.store.services.want(alice.id, "opencode", "ready")
    secret = instance_secret(line.settings)
    return Coder(line, stack_token(secret, alice.id, "opencode", service.generation))


async def test_calls_results_and_an_end(coder: Coder) -> None:
    talk: list[Any] = [
        {"role": "system", "content": "You are a coder."},
        {"role": "user", "content": [{"type": "text", "text": FACTS}]},
    ]
    first, finish, usage = await coder.ask(talk)
    assert finish == "tool_calls"
    calls = first["tool_calls"]
    assert [call["function"]["name"] for call in calls] == ["commit_memory"] * 3
    given = [json.loads(call["function"]["arguments"]) for call in calls]
    assert [one["content"] for one in given] == [
        "The cat is Tom.\n",
        "The dog is Rex.\n",
        "The fish is Bob.\n",
    ]
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"] > 0
    results = [
        {"role": "tool", "tool_call_id": call["id"], "content": json.dumps({"pending": True})}
        for call in calls
    ]
    second, finish, _ = await coder.ask([*talk, first, *results])
    assert finish == "stop"
    assert all(name in second["content"] for name in ("tom", "rex", "bob"))


async def test_a_call_whose_result_was_lost_does_not_block_the_talk(coder: Coder) -> None:
    talk: list[Any] = [{"role": "user", "content": FACTS}]
    first, _, _ = await coder.ask(talk)
    message, finish, _ = await coder.ask([*talk, first, {"role": "user", "content": "hello"}])
    assert finish == "stop"
    assert message["content"].startswith("Hello!")


async def test_without_stream_one_completion(coder: Coder) -> None:
    status, text = await coder.post({"messages": [{"role": "user", "content": FACTS}]})
    assert status == 200
    completion = json.loads(text)
    (choice,) = completion["choices"]
    assert choice["finish_reason"] == "tool_calls"
    assert len(choice["message"]["tool_calls"]) == 3
    assert completion["usage"]["completion_tokens"] > 0


async def test_the_models_are_listed(coder: Coder) -> None:
    url = coder.line.url + "/openai/v1/models"
    async with coder.line.session.get(url, headers=coder.headers) as answer:
        assert (await answer.json())["data"][0]["id"] == "default"
    async with coder.line.session.get(url) as answer:
        assert answer.status == 401
