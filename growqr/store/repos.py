"""Project repositories by name; what is in them is git's."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from growqr.errors import Conflict, NotFound
from growqr.store import sql
from growqr.store.engine import Connection, Database, execute
from growqr.store.jsonb import storable


class Repo(NamedTuple):
    """One project repository of a user."""

    user_id: str
    name: str
    description: str
    created_at: datetime


class Repos:
    """A user's project repositories; those of others do not exist."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def create(
        self, user_id: str, name: str, description: str = "", *, conn: Connection | None = None
    ) -> Repo:
        """A new row; inside the caller's transaction when `conn` is given. Raises Conflict."""
        params = {"user": user_id, "name": name, "description": storable(description)}
        if conn is not None:
            rows = await execute(conn, sql.texts()["create_repo"], params, Repo)
        else:
            rows = await self._db.all("create_repo", Repo, **params)
        if not rows:
            raise Conflict(f"there is a repository {name} already", {"code": "exists"})
        repo: Repo = rows[0]
        return repo

    async def get(self, user_id: str, name: str) -> Repo:
        """Raises NotFound, also for a repository of somebody else."""
        repo = await self._db.one("get_repo", Repo, user=user_id, name=name)
        if repo is None:
            raise NotFound(f"there is no repository {name}")
        return repo

    async def list(self, user_id: str, *, limit: int, after: str | None = None) -> list[Repo]:
        """Ascending by name, from the one behind `after`."""
        return await self._db.all("list_repos", Repo, user=user_id, after=after or "", limit=limit)
