"""Providers that are away are asked again, then others; what was passed on is never mended."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from email.utils import formatdate
from typing import Any

import aiohttp
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from deployments.models import app_over
from growqr.config import Providers, Settings
from growqr.errors import InstanceError, ModelError, ModelUnavailable
from growqr.models import Assembly, Chain, Gateway, GatewayModel, Limits, Persistence, Reply
from growqr.models.retry import Call
from growqr.models.trouble import retry_after
from tests.fakes.chat_completions import ChatCompletions
from tests.fakes.messages_api import MessagesApi
from tests.fakes.serving import serving
from tests.unit.models.test_model_trouble import Books, ask, read_token

pytestmark = pytest.mark.anyio

QUICK = Persistence(attempts=3, first_pause=0.001, patience=20)
TALK = '[[thinking]] [[tools note {"text": "é \\"x\\""} ; note {"n": 1}]]'
CHAT_TALK = '[[call note {"text": "a long argument, in many pieces"}]]'
TOOLS = [{"name": "note", "description": "", "input_schema": {"type": "object"}}]


class Clock:
    """A time that only moves when it is told."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def first() -> Iterator[MessagesApi]:
    with MessagesApi() as started:
        yield started


@pytest.fixture
def second() -> Iterator[ChatCompletions]:
    with ChatCompletions() as started:
        yield started


@asynccontextmanager
async def opened(
    first: MessagesApi | str,
    second: ChatCompletions | str | None = None,
    persistence: Persistence = QUICK,
    **settings: Any,
) -> AsyncIterator[Chain]:
    url = first if isinstance(first, str) else first.url
    keys = {"ANTHROPIC_API_KEY": "sk-1", "ANTHROPIC_BASE_URL": url}
    if second is not None:
        keys["OPENAI_BASE_URL"] = second if isinstance(second, str) else second.url
        keys["OPENAI_API_KEY"] = "sk-2"
        settings.setdefault("llm_fallback", ("openai_compatible:qwen",))
    chosen = Settings(data="/nowhere", **settings)
    chain = Chain.open(chosen, Providers(_env_file=None, **keys), persistence)
    yield chain
    await chain.close()


async def heard(chain: Chain, text: str = "hello", call: Call | None = None) -> Reply:
    """The reply, as whoever reads the chain's events makes it."""
    body = {"model": "m", "max_tokens": 50, "tools": TOOLS}
    body |= {"messages": [{"role": "user", "content": text}]}
    assembly = Assembly()
    async for event in chain.stream(body, call or Call()):
        assembly.feed(event)
    return assembly.reply()


BEFORE_CONTENT = [
    "status 429 0", "status 503", "status 529 0.01", "reset", "html", "cut 0", "cut 1", "half 0",
    "end 0", "end 2", "overloaded 0", "overloaded 1", "overloaded 2", "garbage 0", "garbage 2",
    "list 1",
]  # fmt: skip


@pytest.mark.parametrize("failure", BEFORE_CONTENT)
async def test_what_breaks_before_any_content_is_asked_again(
    first: MessagesApi, failure: str
) -> None:
    first.failures.append(failure)
    async with opened(first) as chain:
        assert (await heard(chain, TALK)).tool_calls[0]["input"] == {"text": 'é "x"'}
    assert len(first.requests) == 2


@pytest.mark.parametrize(
    "failure", ["status 429 0", "status 503", "reset", "html", "cut 0", "half 0", "end 0",
                "overloaded 0", "garbage 0", "list 0"]
)  # fmt: skip
async def test_so_it_is_with_chat_completions(second: ChatCompletions, failure: str) -> None:
    second.failures.append(failure)
    async with opened("http://127.0.0.1:9", second, LLM_PROVIDER="openai_compatible") as chain:
        reply = await heard(chain, CHAT_TALK)
    assert reply.tool_calls[0]["input"] == {"text": "a long argument, in many pieces"}
    assert len(second.requests) == 2


@pytest.mark.parametrize(
    "failure", ["cut 8", "half 8", "end 8", "overloaded 8", "garbage 8", "list 8"]
)
async def test_what_breaks_in_the_middle_is_no_reply_and_not_mended(
    first: MessagesApi, second: ChatCompletions, failure: str
) -> None:
    first.failures.append(failure)
    async with opened(first, second) as chain:
        with pytest.raises(ModelUnavailable) as broke:
            await heard(chain, TALK)
        assert broke.value.detail["reason"] == "cut"
        assert (len(first.requests), len(second.requests)) == (1, 0)
        await heard(chain, "[[say well]]")  # asked again, another one answers
    assert (len(first.requests), len(second.requests)) == (1, 1)


async def test_the_next_answers_while_the_first_is_away_and_then_for_a_while(
    first: MessagesApi, second: ChatCompletions
) -> None:
    clock = Clock()
    first.failures.extend(["status 529"] * 3)
    persistence = Persistence(attempts=3, first_pause=0.001, clock=clock)
    async with opened(first, second, persistence) as chain:
        call = Call()
        assert (await heard(chain, "[[say well]]", call)).text == "well"
        assert (call.provider, call.model) == ("openai_compatible", "qwen")
        assert second.requests[0].body["model"] == "qwen"
        clock.now += 29
        await heard(chain, "[[say well]]")
        assert (len(first.requests), len(second.requests)) == (3, 2)
        clock.now += 2
        call = Call()
        await heard(chain, "hello", call)
        assert (call.provider, call.model) == ("anthropic", "m")
        assert (len(first.requests), len(second.requests)) == (4, 2)


async def test_whoever_failed_is_still_asked_when_nobody_else_answers(
    first: MessagesApi, second: ChatCompletions
) -> None:
    first.failures.extend(["status 529"] * 3)
    async with opened(first, second) as chain:
        await heard(chain, "[[say well]]")
        second.failures.extend(["status 503"] * 3)
        assert (await heard(chain)).text.startswith("Hello!")


async def test_when_nobody_answers_each_has_its_say(
    first: MessagesApi, second: ChatCompletions
) -> None:
    first.failures.extend(["status 529"] * 3)
    second.failures.extend(["status 503"] * 3)
    async with opened(first, second) as chain:
        with pytest.raises(ModelUnavailable) as nobody:
            await heard(chain)
    assert "anthropic: the model server is not able to answer now" in nobody.value.message
    assert "; openai_compatible: the model server is not" in nobody.value.message


async def test_a_refusal_goes_to_nobody_else(first: MessagesApi, second: ChatCompletions) -> None:
    for status in (400, 401, 404):
        first.failures.append(f"status {status}")
        async with opened(first, second) as chain:
            with pytest.raises(ModelError):
                await heard(chain)
    assert (len(first.requests), len(second.requests)) == (3, 0)


async def test_a_refusal_of_the_next_tells_why_it_was_asked(
    first: MessagesApi, second: ChatCompletions
) -> None:
    first.failures.extend(["status 529"] * 3)
    second.failures.append("status 401")
    async with opened(first, second) as chain:
        with pytest.raises(ModelError, match=r"anthropic: .*not able.*; openai_compatible: .*key"):
            await heard(chain)


async def test_a_server_that_is_gone_or_silent_gives_way(
    first: MessagesApi, second: ChatCompletions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("growqr.models.trouble.SILENCE_DEADLINE", 0.2)
    first.failures.append("mute 5")
    for away in (first, "http://127.0.0.1:9"):
        async with opened(away, second) as chain:
            assert (await heard(chain, "[[say well]]")).text == "well"
    assert len(first.requests) == 1  # silence was patience enough


async def test_a_reply_without_end_is_given_up(first: MessagesApi) -> None:
    clock = Clock()
    body = {"model": "m", "max_tokens": 50, "messages": [{"role": "user", "content": "hello"}]}
    async with opened(first, None, Persistence(clock=clock)) as chain:
        with pytest.raises(ModelUnavailable, match="no end after 1800 s"):
            async for _ in chain.stream(body, Call()):
                clock.now += 1000


@pytest.mark.parametrize("date", [False, True])
async def test_who_wants_more_patience_than_there_is_is_given_up_and_its_time_told(
    first: MessagesApi, date: bool
) -> None:
    wanted = formatdate(time.time() + 100, usegmt=True) if date else "100"
    first.failures.append(f"status 429 {wanted}")
    async with opened(first) as chain:
        began = time.monotonic()
        with pytest.raises(ModelUnavailable, match=r"asked again in (99|100)(\.\d)? s") as told:
            await heard(chain)
        assert time.monotonic() - began < 10
    assert 98 < told.value.detail["retry_after"] <= 100
    assert len(first.requests) == 1


async def test_retry_after_is_waited_for(first: MessagesApi) -> None:
    first.failures.append("status 429 0.4")
    async with opened(first) as chain:
        await heard(chain)
    assert 0.4 <= first.requests[1].at - first.requests[0].at < 4


async def test_nobody_waits_long_for_one_while_there_is_another(
    first: MessagesApi, second: ChatCompletions
) -> None:
    first.failures.append("status 429 15")
    async with opened(first, second) as chain:
        assert (await heard(chain, "[[say well]]")).text == "well"
    assert len(first.requests) == 1


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": "-7"}, 0.0),
        ({"retry-after": "inf"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "Fri, 20 Nov 99999 16:00:00 GMT"}, None),
        (
            {
                "retry-after": "Fri, 20 Nov 2026 16:01:30 GMT",
                "date": "Fri, 20 Nov 2026 16:00:00 GMT",
            },
            90.0,
        ),
        ({"retry-after": "Fri, 20 Nov 2020 16:00:00 GMT"}, 0.0),
    ],
)
def test_retry_after_in_all_its_forms(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after(headers) == seconds


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ("claude", "no model provider 'claude'; known: anthropic, openai_compatible, scripted"),
        ("", "no model provider ''"),
        ("openai_compatible:qwen", "OPENAI_BASE_URL"),
    ],
)
async def test_a_wrong_entry_ends_the_start_naming_the_variable(entry: str, said: str) -> None:
    with pytest.raises(InstanceError, match="GROWQR_LLM_FALLBACK") as wrong:
        async with opened("http://127.0.0.1:9", llm_fallback=("scripted", entry)):
            pass
    assert said in wrong.value.message


async def test_the_offline_model_can_be_the_last(first: MessagesApi) -> None:
    first.failures.extend(["reset"] * 3)
    books = Books()
    async with opened(first, llm_fallback=("scripted",)) as chain:
        limits = Limits("m", frozenset(), 500)
        gateway = Gateway(chain, limits, leases=books, ledger=books, read_token=read_token)
        async with serving(app_over(gateway)) as url, aiohttp.ClientSession() as session:
            reply = await ask(GatewayModel(url, "grow-agent:u_alice#3", session), "hello")
    assert "(offline model)" in reply.text
    assert books.rows["c1"]["provider"] == "scripted"
    assert books.rows["c1"]["model"] == reply.model == "growqr-offline"


ORDERS = st.one_of(
    st.sampled_from(["status 500", "status 429 0", "reset", "html"]),
    st.builds(
        "{} {}".format,
        st.sampled_from(["cut", "half", "end", "overloaded", "garbage", "list"]),
        st.integers(0, 24),
    ),
)


@examples(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(ORDERS, max_size=5), st.lists(ORDERS, max_size=3))
async def test_no_failures_make_half_a_reply(
    first: MessagesApi, second: ChatCompletions, ours: list[str], theirs: list[str]
) -> None:
    """A reply is exactly what one of the servers meant to say, or there is none."""
    first.failures.clear()
    second.failures.clear()
    first.failures.extend(ours)
    second.failures.extend(theirs)
    async with opened(first, second) as chain:
        call = Call()
        try:
            reply = await heard(chain, TALK + CHAT_TALK, call)
        except ModelUnavailable:
            return
    inputs = [block["input"] for block in reply.tool_calls]
    if call.provider == "anthropic":
        assert inputs == [{"text": 'é "x"'}, {"n": 1}]
        assert [block["type"] for block in reply.content] == ["thinking", "tool_use", "tool_use"]
    else:
        assert inputs == [{"text": "a long argument, in many pieces"}]
        assert reply.text == "Step 1."
