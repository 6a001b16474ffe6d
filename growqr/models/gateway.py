"""The model gateway without its HTTP: admit, check, call, meter.

Whoever calls a model passes here, so that a former owner of a lease gets no answer and every
call that began to answer is in the ledger once.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing, suppress
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol, TypeVar

from growqr import names
from growqr.config import Settings
from growqr.directory import Fence
from growqr.errors import Invalid, ModelUnavailable, StoreUnavailable, TooLarge, Unauthorized
from growqr.models.base import Provider, StreamEvent
from growqr.models.retry import stream_with_retries
from growqr.models.stream import Assembly

MAX_BODY = 8 << 20
"""Bytes of one request to a model."""

PATIENCE = 10.0
"""Seconds a call waits for a database that is away, as it is while it restarts."""

_CUT = {"reason": "cut"}
_LABEL = re.compile(r"[\w.:#-]{1,200}")

T = TypeVar("T")


class LeaseOwners(Protocol):
    """What the gateway asks the store's leases."""

    async def owner(self, key: str) -> tuple[str, int] | None:
        """(user id, epoch) of the lease, None when there is no such lease."""


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
    ) -> bool:
        """Book a call; False when it was booked before."""


class Caller(NamedTuple):
    """Who asks, and what the call is booked to."""

    user_id: str
    call_id: str
    turn_id: str | None
    step_id: str | None


@dataclass(frozen=True, slots=True)
class Limits:
    """What may be asked for. `allowed` empty: any model of the provider's."""

    model: str
    allowed: frozenset[str]
    max_tokens: int

    @classmethod
    def of(cls, settings: Settings, provider: Provider) -> Limits:
        """The settings' limits, with the provider's default model filled in."""
        model = settings.llm_model or provider.default_model
        allowed = frozenset(settings.llm_allowed)
        return cls(model, allowed | {model} if allowed else allowed, settings.llm_max_tokens)


class Gateway:
    """One provider, guarded and metered."""

    def __init__(
        self,
        provider: Provider,
        limits: Limits,
        *,
        leases: LeaseOwners,
        ledger: Ledger,
        read_token: Callable[[str], Fence],
    ) -> None:
        self.provider = provider
        self._limits = limits
        self._leases = leases
        self._ledger = ledger
        self._read_token = read_token
        self._bookings: set[asyncio.Task[bool]] = set()

    async def admit(self, token: str, labels: dict[str, str | None]) -> Caller:
        """The caller behind an agent's token. `labels`: call, turn and step id as sent, or None.

        Raises Unauthorized when the token is none of ours or its lease has passed on.
        """
        fence = self._read_token(token)
        found = await _through_outage(lambda: self._leases.owner(fence.key))
        if found is None or found[1] != fence.epoch:
            raise Unauthorized(f"the token of {fence.key} is of an epoch that has passed")
        for name, label in labels.items():
            if label is not None and not _LABEL.fullmatch(label):
                raise Invalid(f"{name} id {label[:40]!r} must match {_LABEL.pattern}")
        call_id = labels.get("call") or names.new_id("req")
        return Caller(found[0], call_id, labels.get("turn"), labels.get("step"))

    def check(self, body: bytes) -> dict[str, Any]:
        """The request with model and max_tokens settled; other fields pass as they are.

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
        request["model"] = self._model(request.get("model"))
        request["max_tokens"] = self._max_tokens(request.get("max_tokens"))
        return request

    async def stream(
        self, caller: Caller, request: dict[str, Any]
    ) -> AsyncGenerator[StreamEvent, None]:
        """The provider's events as they come; closing this closes the provider's call.

        The call is booked before message_stop is passed on, or when the stream ends early.
        Raises ModelUnavailable, ModelError, or StoreUnavailable when it cannot be booked.
        """
        seen = Assembly()
        booked = False
        try:
            async with aclosing(stream_with_retries(self.provider, request)) as events:
                async for event in events:
                    seen.feed(event)
                    if seen.complete and not booked:
                        booked = True
                        await self._book(caller, seen)
                    yield event
            if not seen.complete:
                raise ModelUnavailable("the model's reply was cut before its end", _CUT)
        finally:
            if seen.started and not booked:
                with suppress(StoreUnavailable):  # what ended the stream is the better news
                    await self._book(caller, seen)

    async def close(self) -> None:
        """Finish what is being booked, then give the provider's connections back."""
        await asyncio.gather(*self._bookings, return_exceptions=True)
        await self.provider.close()

    async def _book(self, caller: Caller, seen: Assembly) -> None:
        """Write the ledger row in a task of its own: whoever hung up does not stop it."""
        spent: dict[str, Any] = caller._asdict() | seen.usage
        spent |= {"provider": self.provider.name, "model": seen.model}
        task = asyncio.create_task(_through_outage(lambda: self._ledger.record(**spent)))
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


async def _through_outage(call: Callable[[], Awaitable[T]]) -> T:
    """`call`, again and again for PATIENCE seconds while the database is away."""
    clock = asyncio.get_running_loop().time
    until, pause = clock() + PATIENCE, 0.1
    while True:
        try:
            return await call()
        except StoreUnavailable:
            if clock() + pause > until:
                raise
        await asyncio.sleep(pause)
        pause = min(pause * 2, 1.0)
