"""What is heard when a server of chat completions fails, and what the ledger holds then."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from growqr.config import Providers, Settings
from growqr.errors import InstanceError, ModelError, ModelUnavailable
from growqr.models import Assembly, Reply, open_provider
from growqr.models.base import Provider
from growqr.models.retry import Call, Persistence
from growqr.models.retry import ask as asked
from tests.fakes.chat_completions import ChatCompletions
from tests.fakes.chat_offline import offline_chat
from tests.fakes.serving import serving

pytestmark = pytest.mark.anyio

KEY = "sk-canary-0123456789"


@pytest.fixture
def api() -> Iterator[ChatCompletions]:
    with ChatCompletions() as started:
        yield started


def make(url: str | None = None, key: str | None = KEY, **settings: Any) -> Provider:
    keys = {"OPENAI_API_KEY": key, "LLM_BASE_URL": url}
    found = {name: value for name, value in keys.items() if value}
    return open_provider(Settings(data="/nowhere", **settings), Providers(_env_file=None, **found))


@pytest.fixture
async def provider(api: ChatCompletions) -> AsyncIterator[Provider]:
    opened = make(api.url)
    yield opened
    await opened.close()


async def ask(provider: Provider, text: str, model: str = "m") -> Reply:
    body = {"model": model, "max_tokens": 50, "messages": [{"role": "user", "content": text}]}
    assembly = Assembly()
    async for event in asked(provider, body, Call(), Persistence(first_pause=0.02)):
        assembly.feed(event)
    return assembly.reply()


@pytest.mark.parametrize("status", [429, 500, 503])
async def test_a_passing_failure_is_tried_again(
    provider: Provider, api: ChatCompletions, status: int
) -> None:
    reply = await ask(provider, f"[[say well]] [[status {status} 1]]")
    assert reply.text == "well"
    assert len(api.requests) == 2
    assert api.requests[0].headers["authorization"] == f"Bearer {KEY}"


async def test_a_refusal_is_told_and_not_tried_again(
    provider: Provider, api: ChatCompletions
) -> None:
    with pytest.raises(ModelError, match="refused the request: as told: 400"):
        await ask(provider, "[[status 400]]")
    with pytest.raises(ModelError, match="OPENAI_API_KEY") as refused:
        await ask(provider, "[[status 401]]")
    assert KEY not in str(refused.value)
    assert refused.value.detail["reason"] == "key"
    assert len(api.requests) == 2


async def test_a_stream_that_is_cut_is_no_reply(provider: Provider, api: ChatCompletions) -> None:
    with pytest.raises(ModelUnavailable, match="cut") as heard:
        await ask(provider, '[[cut]] [[call note {"text": "never whole"}]]')
    assert heard.value.detail["reason"] == "cut"
    assert len(api.requests) == 1


async def test_a_silent_server_is_given_up(
    provider: Provider, api: ChatCompletions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("growqr.models.trouble.SILENCE_DEADLINE", 0.2)
    with pytest.raises(ModelUnavailable, match="did not answer in time"):
        await ask(provider, "[[silent 5]]")
    assert len(api.requests) == 1


async def test_a_server_that_is_not_there_is_said() -> None:
    with ChatCompletions() as gone:
        address = gone.url
    provider = make(address)
    with pytest.raises(ModelUnavailable, match="cannot be reached"):
        await ask(provider, "hello")
    await provider.close()


async def test_without_a_name_the_first_model_listed_is_asked() -> None:
    requests: list[dict[str, Any]] = []
    async with serving(offline_chat(KEY, requests)) as url:
        provider = make(url + "/v1")
        assert "Hello!" in (await ask(provider, "hello", provider.default_model)).text
        await provider.close()
    assert requests[0]["model"] == "only-one"


def test_it_is_chosen_by_address_or_key_unless_anthropic_is() -> None:
    assert make("http://127.0.0.1:9/v1", None).name == "openai_compatible"
    assert make().name == "openai_compatible"
    assert make(None, None).name == "scripted"
    assert make("http://127.0.0.1:9/v1", LLM_PROVIDER="scripted").name == "scripted"
    both = Providers(_env_file=None, ANTHROPIC_API_KEY="sk-1", OPENAI_API_KEY="sk-2")
    assert open_provider(Settings(data="/nowhere"), both).name == "anthropic"
    with pytest.raises(InstanceError, match="OPENAI_BASE_URL"):
        make(None, None, LLM_PROVIDER="openai_compatible")
