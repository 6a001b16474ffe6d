"""A spent budget is told before anybody is asked; what was asked is booked with its price and time.

And whoever waits long hears that we are still there.
"""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import aiohttp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deployments.models import app_over
from growqr.config import Providers, Settings
from growqr.errors import BudgetExceeded, ModelUnavailable, StoreUnavailable
from growqr.models import Chain, Gateway, GatewayModel, Limits, Persistence
from growqr.models.prices import Price, micro_usd
from growqr.store import OPERATOR, Budget, BudgetLimits, Store, User
from tests.fakes.messages_api import MessagesApi
from tests.fakes.serving import serving
from tests.unit.models.test_model_trouble import Books, ask, read_token

pytestmark = pytest.mark.anyio

HEADERS = {"authorization": "Bearer grow-agent:u_alice#3", "x-growqr-turn-id": "t1"}
BODY = {"model": "default", "stream": True, "messages": [{"role": "user", "content": "hello"}]}
SPENT = Budget("turn:t0", "tokens", 2_000_000, 2_000_123)

Open = Callable[..., AbstractAsyncContextManager[str]]


class Purse:
    """What is said about budgets; `outage` times the database is away first."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str | None]] = []
        self.found: Budget | None = SPENT
        self.outage = 0

    async def exceeded(self, user_id: str, turn_id: str | None) -> Budget | None:
        if self.outage:
            self.outage -= 1
            raise StoreUnavailable()
        self.asked.append((user_id, turn_id))
        return self.found


@pytest.fixture
def api() -> Iterator[MessagesApi]:
    with MessagesApi() as started:
        yield started


@pytest.fixture
def books() -> Books:
    return Books()


@pytest.fixture
def purse() -> Purse:
    return Purse()


@pytest.fixture
def gateway_at(api: MessagesApi, books: Books, purse: Purse) -> Open:
    @asynccontextmanager
    async def opened(prices: dict[str, Price] | None = None, **times: float) -> AsyncIterator[str]:
        keys = {"ANTHROPIC_API_KEY": "sk-1", "ANTHROPIC_BASE_URL": api.url}
        settings = Settings(data="/nowhere")
        chain = Chain.open(
            settings, Providers(_env_file=None, **keys), Persistence(**times or {"attempts": 1})
        )
        gateway = Gateway(
            chain,
            Limits.of(settings, chain.first),
            leases=books,
            ledger=books,
            read_token=read_token,
            exceeded=purse.exceeded,
            prices=prices,
        )
        async with serving(app_over(gateway)) as url:
            yield url
        await gateway.close()

    return opened


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as opened:
        yield opened


async def test_an_agent_hears_which_budget_is_spent(
    gateway_at: Open,
    api: MessagesApi,
    books: Books,
    purse: Purse,
    session: aiohttp.ClientSession,
) -> None:
    async with gateway_at() as url:
        model = GatewayModel(url, "grow-agent:u_alice#3", session)
        with pytest.raises(BudgetExceeded, match="2,000,123 of 2,000,000 tokens") as spent:
            await ask(model, "hello")
        assert spent.value.detail | {"hard": False} == SPENT._asdict()
        assert purse.asked == [("u_alice", "t1")]
        assert (api.requests, books.rows) == ([], {})
        purse.found, purse.outage = None, 2
        await ask(model, "hello")
    assert (len(api.requests), list(books.rows)) == (1, ["c1"])


async def test_a_database_away_for_long_is_told_as_a_broken_way_and_not_as_the_models_fault(
    gateway_at: Open, session: aiohttp.ClientSession, purse: Purse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("growqr.models.callers.PATIENCE", 0.0)
    async with gateway_at() as url:
        purse.outage = 99
        with pytest.raises(ModelUnavailable) as refused:
            await ask(GatewayModel(url, "grow-agent:u_alice#3", session), "hello")
    assert refused.value.detail["reason"] == "connection"


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize("path", ["/anthropic/v1/messages", "/openai/v1/chat/completions"])
async def test_both_forms_say_it_so_that_no_client_asks_again(
    gateway_at: Open, session: aiohttp.ClientSession, path: str, stream: bool
) -> None:
    async with gateway_at() as url:
        async with session.post(
            url + path, json=BODY | {"stream": stream}, headers=HEADERS
        ) as answer:
            said = await answer.json()
            assert answer.status == 402
            assert answer.headers["x-should-retry"] == "false"
            assert "retry-after" not in answer.headers
    assert said["error"]["type"] == "budget_exceeded"
    assert "somebody must allow more" in said["error"]["message"]
    if "openai" in path:
        assert said["error"]["code"] == "budget_exceeded"
    else:
        assert said["type"] == "error"
        assert SPENT._asdict().items() <= said["error"].items()


@pytest.mark.parametrize(
    ("budget", "said"),
    [
        (Budget("day:2026-11-20:u", "tokens", 5, 7), "today you have used 7 of 5 tokens"),
        (Budget("turn:t", "usd", 1.5, 1.508), "this turn has used 1.51 of 1.50 US dollars"),
        (Budget("turn:t", "seconds", 60, 61.7), "this turn has used 62 of 60 s of model time"),
        (Budget("key:k:2026-11-20", "tokens", 5, 7), "this API key has used 7 of 5 tokens"),
    ],
)
async def test_every_unit_is_said_in_words(
    gateway_at: Open,
    purse: Purse,
    session: aiohttp.ClientSession,
    budget: Budget,
    said: str,
) -> None:
    purse.found = budget
    async with gateway_at() as url:
        async with session.post(
            url + "/anthropic/v1/messages", json=BODY, headers=HEADERS
        ) as answer:
            assert said in (await answer.json())["error"]["message"]


async def test_a_turn_asked_with_a_key_stops_at_what_the_key_may_use_on_a_day(
    gateway_at: Open,
    purse: Purse,
    session: aiohttp.ClientSession,
    store: Store,
    alice: User,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made = await store.api_keys.make(
        alice.id, "k0000001", b"sha", name="k", scopes=["write"], expires_at=None, day_tokens=1000,
        by=OPERATOR,
    )  # fmt: skip
    asked = await store.messages.accept(alice.id, "hello", api_key=made.id)
    by_hand = await store.messages.accept(alice.id, "hello")
    call = {"step_id": None, "provider": "p", "model": "m", "output_tokens": 0}
    # The user's own limits are off: what remains is the key's.
    monkeypatch.setattr(
        purse, "exceeded", lambda _, turn: store.budgets.exceeded(alice.id, turn, BudgetLimits())
    )
    async with gateway_at() as url:
        for tokens, turn, status in [
            (999, asked.turn_id, 200), (999, by_hand.turn_id, 200), (1, asked.turn_id, 402),
            (0, by_hand.turn_id, 200),
        ]:  # fmt: skip
            call_id = f"{turn}.{tokens}"
            await store.usage.record(
                call_id, user_id=alice.id, turn_id=turn, input_tokens=tokens, **call
            )
            head = HEADERS | {"x-growqr-turn-id": turn}
            async with session.post(
                url + "/anthropic/v1/messages", json=BODY, headers=head
            ) as answer:
                assert answer.status == status
                said = await answer.text()
            assert ("this API key has used 1,000 of 1,000 tokens" in said) == (status == 402)


async def test_price_and_time_of_the_answer_are_booked(
    gateway_at: Open,
    api: MessagesApi,
    books: Books,
    purse: Purse,
    session: aiohttp.ClientSession,
) -> None:
    """The time of the answering request alone: pauses between tries are nobody's work."""
    purse.found = None
    api.failures.append("status 429 0.5")
    prices: dict[str, Price] = {"claude": (1000, 0, 0, 0), "claude-sonnet-5": (3, 15, 0.3, 3.75)}
    async with gateway_at(prices, attempts=2) as url:
        began = time.monotonic()
        await ask(GatewayModel(url, "grow-agent:u_alice#3", session), "hello [[slow 0.01]]")
        took = time.monotonic() - began
    row = books.rows["c1"]
    assert row["model"].startswith("claude-sonnet-5")
    cost = 3 * row["input_tokens"] + 15 * row["output_tokens"] + 0.3 * 7
    assert row["micro_usd"] == round(cost) > 0
    assert 0.05 <= row["model_ms"] / 1000 <= took - 0.5


@pytest.mark.parametrize(
    ("model", "cost"),
    [("big-20261120", 1_006_000), ("big-mini", 2_000), ("bi", 0), ("", 0), ("other", 0)],
)
def test_the_longest_name_that_fits_has_the_price(model: str, cost: int) -> None:
    prices: dict[str, Price] = {"big": (1, 2, 3, 1000), "big-mini": (2, 0, 0, 0)}
    counts = {"input_tokens": 1000, "output_tokens": 1000}
    counts |= {"cache_read_tokens": 1000, "cache_write_tokens": 1000}
    assert micro_usd(prices, model, counts) == cost


@given(st.integers(0, 10**9), st.floats(0, 1000))
def test_a_million_tokens_cost_their_price(tokens: int, price: float) -> None:
    usage = {"input_tokens": tokens, "output_tokens": 0}
    usage |= {"cache_read_tokens": 0, "cache_write_tokens": 0}
    cost = micro_usd({"m": (price, 0, 0, 0)}, "m", usage) / 1e6
    assert cost == pytest.approx(tokens / 1e6 * price, abs=1e-6)


async def read(url: str, path: str, session: aiohttp.ClientSession) -> tuple[int, str]:
    async with session.post(url + path, json=BODY, headers=HEADERS) as answer:
        return answer.status, (await answer.read()).decode()


@pytest.mark.parametrize(
    ("path", "ping"),
    [
        ("/anthropic/v1/messages", 'event: ping\ndata: {"type":"ping"}\n\n'),
        ("/openai/v1/chat/completions", ": ping\n\n"),
    ],
)
@pytest.mark.parametrize("failure", ["status 429 0.5", "mute 0.5", "stall 8 0.5"])
async def test_while_a_provider_is_silent_the_gateway_is_not(
    gateway_at: Open,
    api: MessagesApi,
    purse: Purse,
    session: aiohttp.ClientSession,
    monkeypatch: pytest.MonkeyPatch,
    path: str,
    ping: str,
    failure: str,
) -> None:
    monkeypatch.setattr("deployments.streamed.KEEPALIVE", 0.1)
    purse.found = None
    api.failures.append(failure)
    async with gateway_at(attempts=2) as url:
        status, text = await read(url, path, session)
    assert status == 200
    assert text.count(ping) >= 3
    assert text.rstrip().endswith("[DONE]" if "openai" in path else '{"type":"message_stop"}')


async def test_an_error_after_a_ping_comes_in_the_stream(
    gateway_at: Open,
    api: MessagesApi,
    purse: Purse,
    session: aiohttp.ClientSession,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("deployments.streamed.KEEPALIVE", 0.1)
    purse.found = None
    api.failures.extend(["status 429 0.3", "status 400"])
    async with gateway_at(attempts=2) as url:
        status, text = await read(url, "/anthropic/v1/messages", session)
    assert status == 200
    last = json.loads(text.rstrip().rpartition("data: ")[2])
    assert last["error"]["type"] == "invalid_request_error"
