"""Providers in turn: while the first is away the next one answers, and who answered is known.

A call goes on to the next only as long as nothing of a reply was passed on.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

from growqr.config import Providers, Settings
from growqr.errors import GrowqrError, InstanceError, ModelError, ModelUnavailable
from growqr.models.base import Provider, StreamEvent
from growqr.models.providers import open_named, open_provider
from growqr.models.retry import Call, Persistence, ask

REST = 30.0
"""Seconds for which a provider that failed comes after all others."""

SHARE = 10.0
"""Seconds within which a provider is asked again when there is another one to ask."""


@dataclass(slots=True)
class Link:
    """One provider of the chain. `model` None: what the request names."""

    provider: Provider
    model: str | None = None
    rests_until: float = 0.0


class Chain:
    """Providers in the order in which they are asked. Safe for many calls at once."""

    def __init__(self, links: Sequence[Link], persistence: Persistence = Persistence()) -> None:  # noqa: B008  frozen
        self._links = list(links)
        self._persistence = persistence
        self.first = self._links[0].provider

    @classmethod
    def open(
        cls,
        settings: Settings,
        providers: Providers,
        persistence: Persistence = Persistence(),  # noqa: B008  frozen
    ) -> Chain:
        """The provider of LLM_PROVIDER, then those of GROWQR_LLM_FALLBACK.

        Raises InstanceError naming what is missing, and the entry that is wrong.
        """
        links = [Link(open_provider(settings, providers))]
        for entry in settings.llm_fallback:
            name, _, model = entry.strip().partition(":")
            try:
                provider = open_named(name, settings, providers)
            except InstanceError as error:
                raise InstanceError(f"GROWQR_LLM_FALLBACK, {entry!r}: {error.message}") from None
            links.append(Link(provider, model or provider.default_model))
        return cls(links, persistence)

    @property
    def names(self) -> list[str]:
        """The providers' names, in order."""
        return [link.provider.name for link in self._links]

    async def stream(self, body: dict[str, Any], call: Call) -> AsyncGenerator[StreamEvent, None]:
        """The events of a whole reply; `call` tells who gives it.

        Raises ModelUnavailable when nobody could answer, or when a reply broke off (reason
        `cut`), and ModelError when a provider refused: then no other one is asked.
        """
        clock = self._persistence.clock
        end = clock() + self._persistence.patience
        failures: list[tuple[str, GrowqrError]] = []
        links = sorted(self._links, key=lambda link: link.rests_until > clock())
        for position, link in enumerate(links, 1):
            until = end if position == len(links) else min(end, clock() + SHARE)
            asked = body | ({"model": link.model} if link.model else {})
            try:
                async with aclosing(
                    ask(link.provider, asked, call, self._persistence, until)
                ) as events:
                    async for event in events:
                        yield event
                link.rests_until = 0.0
                return
            except ModelUnavailable as error:
                link.rests_until = clock() + REST
                if call.passed_on:
                    raise
                failures.append((link.provider.name, error))
            except ModelError as error:
                raise _all([*failures, (link.provider.name, error)]) from None
        raise _all(failures)

    async def close(self) -> None:
        """Give every connection back."""
        for link in self._links:
            await link.provider.close()


def _all(failures: list[tuple[str, GrowqrError]]) -> GrowqrError:
    """One error for all who failed: the last one's, in which each has its say."""
    last = failures[-1][1]
    if len(failures) == 1:
        return last
    told = "; ".join(f"{name}: {error.message}" for name, error in failures)
    return type(last)(f"no model provider answers: {told}", last.detail)
