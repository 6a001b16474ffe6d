"""The model gateway without its HTTP: admit, check, ask for the budget, call, meter.

Whoever calls a model passes here, so that a former owner of a lease gets no answer, no call
begins beyond a budget, and every call that began to answer is in the ledger once.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import aclosing, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol
from weakref import WeakValueDictionary

from growqr.config import Settings
from growqr.directory import Fence
from growqr.errors import BudgetExceeded, Invalid, StoreUnavailable, TooLarge
from growqr.models.base import Provider, StreamEvent
from growqr.models.callers import (
    Caller,
    Callers,
    LeaseOwners,
    Services,
    Sessions,
    through_outage,
)
from growqr.models.chain import Chain
from growqr.models.prices import Price, micro_usd
from growqr.models.retry import Call

if TYPE_CHECKING:
    from growqr.store import Budget

MAX_BODY = 8 << 20
"""Bytes of one request to a model."""

Exceeded = Callable[[str, str | None], "Awaitable[Budget | None]"]
"""(user id, turn id) → the budget that is spent, None while there is some left."""


class Ledger(Protocol):
    """What the gateway tells the store's ledger."""

    async def record(
        self,
        call_id: str,
        *,
        user_id: str,
        turn_id: str | None,
        step_id: str | None,
        provider: str,
        model: str,
        input_tokens: int,
        output_tokens: int,
        cache_read_tokens: int = 0,
        cache_write_tokens: int = 0,
        micro_usd: int = 0,
        model_ms: int = 0,
    ) -> bool:
        """Book a call; False when it was booked before."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What may be asked for. `allowed` empty: any model of the provider's.

    `at_once`: calls of one user; further ones wait.
    """

    model: str
    allowed: frozenset[str]
    max_tokens: int
    at_once: int = 16

    @classmethod
    def of(cls, settings: Settings, provider: Provider) -> Limits:
        """The settings' limits, with the provider's default model filled in."""
        model = settings.llm_model or provider.default_model
        allowed = frozenset(settings.llm_allowed)
        return cls(
            model,
            allowed | {model} if allowed else allowed,
            settings.llm_max_tokens,
            settings.limit_model_calls,
        )


class Gateway:
    """Providers in turn, guarded and metered."""

    def __init__(
        self,
        chain: Chain,
        limits: Limits,
        *,
        leases: LeaseOwners,
        ledger: Ledger,
        read_token: Callable[[str], Fence],
        services: Services | None = None,
        sessions: Sessions | None = None,
        exceeded: Exceeded | None = None,
        prices: Mapping[str, Price] | None = None,
    ) -> None:
        self.chain = chain
        self._limits = limits
        self.callers = Callers(read_token, leases, services, sessions)
        self._ledger = ledger
        self._exceeded = exceeded
        self._prices = prices or {}
        self._bookings: set[asyncio.Task[bool]] = set()
        self._turnstiles = WeakValueDictionary[str, asyncio.Semaphore]()

    @property
    def models(self) -> list[str]:
        """Names that may be asked for, `default` first; where any may, the one that is set."""
        return ["default", *sorted(self._limits.allowed | {self._limits.model})]

    def check(
        self, body: bytes, read: Callable[[dict[str, Any]], dict[str, Any]] | None = None
    ) -> dict[str, Any]:
        """The request with model and max_tokens settled; other fields pass as they are.

        `read` turns a request of another form into one of the Messages API.
        Raises TooLarge, or Invalid naming the field.
        """
        if len(body) > MAX_BODY:
            raise TooLarge(f"a request to a model may have {MAX_BODY} bytes, not {len(body)}")
        try:
            request = json.loads(body)
        except ValueError:
            raise Invalid("the body is not JSON") from None
        if not isinstance(request, dict):
            raise Invalid("the body must be a JSON object")
        if not isinstance(request.get("messages"), list) or not request["messages"]:
            raise Invalid("messages must be a list with at least one message")
        request = read(request) if read else request
        request["model"] = self._model(request.get("model"))
        request["max_tokens"] = self._max_tokens(request.get("max_tokens"))
        return request

    async def stream(
        self, caller: Caller, request: dict[str, Any]
    ) -> AsyncGenerator[StreamEvent, None]:
        """The provider's events as they come; closing this closes the provider's call.

        The call is booked before message_stop is passed on, or when the stream ends early.
        Raises BudgetExceeded before anybody is asked, ModelUnavailable, ModelError, or
        StoreUnavailable when it cannot be booked.
        """
        async with (
            self._turnstile(caller.user_id),
            aclosing(self._answer(caller, request)) as answer,
        ):
            async for event in answer:
                yield event

    async def _answer(
        self, caller: Caller, request: dict[str, Any]
    ) -> AsyncGenerator[StreamEvent, None]:
        await self._check_budget(caller)
        call = Call()
        booked = False
        try:
            async with aclosing(self.chain.stream(request, call)) as events:
                async for event in events:
                    if call.seen.complete and not booked:
                        booked = True
                        await self._book(caller, call)
                    yield event
        finally:
            if call.seen.started and not booked:
                with suppress(StoreUnavailable):  # what ended the stream is the better news
                    await self._book(caller, call)

    def _turnstile(self, user_id: str) -> asyncio.Semaphore:
        """Of a user, as long as a call of theirs is under way or waits."""
        known = self._turnstiles.get(user_id)
        if known is None:
            known = self._turnstiles[user_id] = asyncio.Semaphore(self._limits.at_once)
        return known

    async def close(self) -> None:
        """Finish what is being booked, then give the providers' connections back."""
        await asyncio.gather(*self._bookings, return_exceptions=True)
        await self.chain.close()

    async def _check_budget(self, caller: Caller) -> None:
        """Calls under way at the same time may still go beyond a limit: `at_once` at most."""
        if (exceeded := self._exceeded) is None:
            return
        if budget := await through_outage(lambda: exceeded(caller.user_id, caller.turn_id)):
            raise BudgetExceeded(str(budget), budget._asdict())

    async def _book(self, caller: Caller, call: Call) -> None:
        """Write the ledger row in a task of its own: whoever hung up does not stop it."""
        seen = call.seen
        cost = micro_usd(self._prices, seen.model, seen.usage)
        spent: dict[str, Any] = caller._asdict() | seen.usage
        spent |= {"provider": call.provider, "model": seen.model or call.model}
        spent["micro_usd"] = cost or micro_usd(self._prices, call.model, seen.usage)
        spent["model_ms"] = round((time.monotonic() - call.began) * 1000)
        task = asyncio.create_task(through_outage(lambda: self._ledger.record(**spent)))
        self._bookings.add(task)
        task.add_done_callback(self._bookings.discard)
        await asyncio.shield(task)

    def _model(self, model: object) -> str:
        if model is None or model == "default":
            return self._limits.model
        allowed = self._limits.allowed
        if not isinstance(model, str) or (allowed and model not in allowed):
            known = ", ".join(sorted(allowed)) or "any name"
            raise Invalid(f"model {model!r} is not allowed; allowed: {known} (GROWQR_LLM_ALLOWED)")
        return model

    def _max_tokens(self, asked: object) -> int:
        if asked is None:
            return self._limits.max_tokens
        if not isinstance(asked, int) or isinstance(asked, bool) or asked < 1:
            raise Invalid("max_tokens must be a whole number, at least 1")
        return min(asked, self._limits.max_tokens)
