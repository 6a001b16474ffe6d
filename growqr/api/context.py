"""What every route is given. One per replica; holds nothing that another replica lacks."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Annotated

from fastapi import Depends, Request

from growqr.api.health import Health
from growqr.api.stream import Hub
from growqr.config import Settings
from growqr.directory import Directory, Lease
from growqr.identity import OAuth, Verifier
from growqr.store import Store

log = logging.getLogger(__name__)

_HINT_SECONDS = 5.0
_MAX_HINTS = 1000
_KEYED_AT_ONCE = 4


@dataclass
class Context:
    """Settings, truth, agents, identity and streams of this replica."""

    settings: Settings
    store: Store
    directory: Directory
    verifier: Verifier
    hub: Hub
    oauth: OAuth
    # Clerk's (publishable key, address), where people sign in by it.
    clerk: tuple[str, str] | None
    # Whether every request comes through the instance's own HAProxy.
    behind_ingress: bool = False
    # A keyed request holds one connection and may need a second: never let them take all.
    keyed: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(_KEYED_AT_ONCE))
    _hints: set[asyncio.Task[None]] = field(default_factory=set)

    @cached_property
    def health(self) -> Health:
        """Whether the store answers, as all who ask this replica are told."""
        return Health(self.store.health)

    def wake(self, lease: Lease) -> None:
        """Hint to an agent, in the background: it never delays or fails an answer."""
        self._hint(lease, self.directory.wake)

    def stop(self, lease: Lease) -> None:
        """Ask an agent to sleep, in the same manner."""
        self._hint(lease, self.directory.stop)

    def changed_in_git(self, user_id: str) -> None:
        """A repository of the user's has moved: hint at whoever mirrors it, if anybody does."""
        if self.settings.gitea != "off":
            self.store.mirror.changed(user_id)

    def _hint(self, lease: Lease, tell: Callable[[Lease], Awaitable[None]]) -> None:
        if len(self._hints) >= _MAX_HINTS:
            return  # the Supervisor finds the turn
        task = asyncio.get_running_loop().create_task(_tell(lease, tell))
        self._hints.add(task)
        task.add_done_callback(self._hints.discard)


async def _tell(lease: Lease, tell: Callable[[Lease], Awaitable[None]]) -> None:
    try:
        async with asyncio.timeout(_HINT_SECONDS):
            await tell(lease)
    except Exception as error:  # noqa: BLE001 - a hint may fail in any way
        log.warning("hint to %s was lost: %r", lease.key, error)


def context(request: Request) -> Context:
    """The replica's context."""
    found: Context = request.app.state.context
    return found


Here = Annotated[Context, Depends(context)]
