"""How anyone reaches an agent. No Ray in sight: actors and tests each bring their own form."""

from __future__ import annotations

from typing import NamedTuple, Protocol


class Fence(NamedTuple):
    """The right to write as owner of a lease: good only while the row still has this epoch."""

    key: str
    epoch: int


class Lease(NamedTuple):
    """A lease row as last read: `live` by the database's clock."""

    key: str
    epoch: int
    live: bool


class Directory(Protocol):
    """Hints to agents. Postgres already holds the work, so a lost hint costs one second."""

    async def wake(self, lease: Lease) -> None:
        """Tell the owner of the lease that there is work, or start the next one. Never raises."""

    async def watch(self, lease: Lease) -> None:
        """Return when the owner's process has ended, however. Raises Unavailable if unknown."""

    async def stop(self, lease: Lease) -> None:
        """Ask the owner to give its lease back after the current step. Never raises."""
