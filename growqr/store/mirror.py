"""What a Gitea was seen to hold: remembered only to save questions, never believed over them."""

from __future__ import annotations

from typing import Final, NamedTuple

from growqr import names
from growqr.directory import Fence
from growqr.store.engine import Database

_OWN: Final = "generation "


def own_server(generation: int) -> str:
    """How a run of the user's own Gitea is told from others."""
    return f"{_OWN}{generation}"


class Confirmed(NamedTuple):
    """A repository as `server` held it; `heads`: digest of its branches and tags."""

    repo: str
    server: str
    heads: str


class Mirrored:
    """Confirmations, written by the holder of `mirror:<user>` alone."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def confirmed(self, user_id: str) -> dict[str, Confirmed]:
        """By the name of the repository here."""
        rows = await self._db.all("mirror_confirmed", Confirmed, user=user_id)
        return {row.repo: row for row in rows}

    async def confirm(self, fence: Fence, repo: str, *, server: str, heads: str) -> None:
        """The user's `repo` is on `server` with these heads. Raises Fenced."""
        await self._db.fenced(fence, "mirror_confirm", repo=repo, server=server, heads=heads)

    def changed(self, user_id: str) -> None:
        """Something is new in a repository of the user's; a hint, which may be lost."""
        self._db.notifier.work(names.mirror(user_id))

    async def unseen(self, limit: int) -> list[str]:
        """Users whose own Gitea runs and has not been looked at since it started."""
        rows = await self._db.all(
            "mirror_unseen", dict, repo=names.MEMORY_REPO, own=_OWN, limit=limit
        )
        return [row["user_id"] for row in rows]

    async def users(self, *, after: str, limit: int) -> list[str]:
        """Users who have something in git, ascending, from the one behind `after`."""
        rows = await self._db.all("mirror_users", dict, after=after, limit=limit)
        return [row["user_id"] for row in rows]
