"""The conversation, and the door by which a message gets in."""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Any, NamedTuple

from psycopg.errors import UniqueViolation

from growqr import names
from growqr.directory import Fence, Lease
from growqr.errors import Fenced, Forbidden, KeyReused, NotFound
from growqr.store.engine import Database
from growqr.store.jsonb import jsonb, storable


class Message(NamedTuple):
    """One message; `content` is a list of content blocks, `seq` the number of its event."""

    id: str
    thread_id: str
    turn_id: str
    seq: int
    role: str
    content: list[dict[str, Any]]
    created_at: datetime


class Done(NamedTuple):
    """One turn of a thread in short: `tools` are its newest calls, {name, state, input, output}.

    `total` is the number of turns there are, this one and those beyond the limit among them.
    """

    id: str
    state: str
    error: str | None
    total: int
    task: str | None
    answer: str | None
    tools: list[dict[str, str | None]]


class Accepted(NamedTuple):
    """A message that can no longer be lost, and the lease of the agent that has to answer."""

    message_id: str
    turn_id: str
    thread_id: str
    seq: int
    lease: Lease
    repeated: bool


class Messages:
    """Messages of a user's threads."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def accept(
        self,
        user_id: str,
        text: str,
        *,
        thread_id: str | None = None,
        client_key: str | None = None,
        parent: tuple[str, str] | None = None,
        fence: Fence | None = None,
        api_key: str | None = None,
    ) -> Accepted:
        """Message, queued turn and event in one commit; `thread_id` None is the master thread.

        The same `client_key` with the same body answers as the first time. An agent that says
        something gives its `fence`, and as `parent` the (turn, tool step) that waits for the end.
        What the turn spends counts for the day of the `api_key` (an id) that it was asked with.
        Raises NotFound for a thread that is not the user's, KeyReused for another body, Fenced.
        """
        sha = hashlib.sha256(f"{thread_id or ''}\n{text}".encode("utf-8", "replace")).digest()
        message, turn = names.new_id("msg"), names.new_id("trn")
        content = [{"type": "text", "text": storable(text)}]
        told: dict[str, Any] = {"message_id": message, "role": "user", "content": content}
        if parent is not None:
            told["parent_turn"] = parent[0]
        try:
            row = await self._db.one(
                "accept_message",
                dict,
                user=user_id,
                thread=thread_id,
                turn=turn,
                message=message,
                lease_key=names.grow_agent(user_id),
                content=jsonb(content),
                client_key=client_key,
                body_sha=sha,
                parent_step=parent[1] if parent else None,
                fence_key=fence.key if fence else None,
                fence_epoch=fence.epoch if fence else None,
                api_key=api_key,
                event=jsonb(told),
            )
        except UniqueViolation:
            return await self._repeated(user_id, client_key, sha)
        if row is None and await self._suspended(user_id):
            raise Forbidden("this account is suspended; ask an admin", {"rule": "suspended"})
        if row is None and fence is not None:
            raise Fenced(f"the lease {fence.key} has passed on from epoch {fence.epoch}")
        if row is None:
            raise NotFound(f"there is no thread {thread_id or 'master'}")
        self._db.notifier.event(user_id, row["seq"])
        lease = Lease(row["key"], row["epoch"], row["live"])
        return Accepted(message, turn, row["thread_id"], row["seq"], lease, repeated=False)

    async def conversation(self, turn_id: str, *, turns: int = 50) -> list[Message]:
        """What the model of this turn is told: up to `turns` turns, its own the last."""
        return await self._db.all("conversation", Message, turn=turn_id, turns=turns)

    async def done_before(
        self, turn_id: str, *, turns: int = 50, tools: int = 100, chars: int = 20_000
    ) -> list[Done]:
        """What was done in the turn's thread, itself first, in at most so many turns, tool calls
        of each, and characters of each text (a tool's: a twentieth of them)."""
        bounds = {"turns": turns, "tools": tools, "chars": chars, "brief": chars // 20}
        return await self._db.all("done_before", Done, turn=turn_id, **bounds)

    async def of_turn(self, turn_id: str) -> str:
        """The text that began a turn."""
        row = await self._db.one("text_of_turn", dict, turn=turn_id)
        return "\n\n".join(block["text"] for block in row["content"]) if row else ""

    async def _suspended(self, user_id: str) -> bool:
        row = await self._db.one("get_user", dict, user=user_id)
        return bool(row and row["suspended_at"])

    async def _repeated(self, user_id: str, client_key: str | None, sha: bytes) -> Accepted:
        row = await self._db.one("message_by_client_key", dict, user=user_id, client_key=client_key)
        if row is None or bytes(row["body_sha"]) != sha:
            raise KeyReused(f"the Idempotency-Key {client_key!r} came with another message before")
        lease = Lease(row["key"], row["epoch"], row["live"])
        return Accepted(
            row["id"], row["turn_id"], row["thread_id"], row["seq"], lease, repeated=True
        )

    async def list(
        self,
        user_id: str,
        thread_id: str,
        *,
        limit: int,
        before: int | None = None,
        after: int | None = None,
    ) -> list[Message]:
        """Ascending by seq: the first ones behind `after`, else the newest ones below `before`.

        None that were withdrawn.
        """
        which, seq = ("messages_before", before or 2**62)
        if after is not None:
            which, seq = ("messages_after", after)
        return await self._db.all(
            which, Message, user=user_id, thread=thread_id, seq=seq, limit=limit
        )
