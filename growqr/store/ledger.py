"""What was spent, and what was answered under which Idempotency-Key."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

from growqr.errors import InProgress, KeyReused
from growqr.store import sql
from growqr.store.engine import Connection, Database, execute
from growqr.store.jsonb import jsonb


class Model(NamedTuple):
    """A provider's name (`scripted`: the built-in offline model) and its model's."""

    provider: str
    name: str


class Usage:
    """The ledger: one row per answered model call."""

    def __init__(self, db: Database) -> None:
        self._db = db

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
        """Charge a call, once; False when `call_id` was there before.

        `micro_usd`: millionths of a US dollar; `model_ms`: how long the model worked.
        """
        row = await self._db.one(
            "record_usage",
            dict,
            call_id=call_id,
            user=user_id,
            turn=turn_id,
            step=step_id,
            provider=provider,
            model=model,
            input_tokens=input_tokens,
            output_tokens=output_tokens,
            cache_read_tokens=cache_read_tokens,
            cache_write_tokens=cache_write_tokens,
            micro_usd=micro_usd,
            model_ms=model_ms,
        )
        return row is not None

    async def newest_model(self, user_id: str) -> Model | None:
        """The model that worked for the user last; None before the first time."""
        return await self._db.one("newest_model", Model, user=user_id)

    async def of_turn(self, turn_id: str) -> dict[str, int]:
        """Number of calls, and sums of tokens, `micro_usd` and `model_ms`, of one turn."""
        row = await self._db.one("usage_of_turn", dict, turn=turn_id)
        return dict(row or {})


class Slot:
    """The place of one answer: `answer` is (status, body), None before the first time."""

    def __init__(self, conn: Connection, answer: tuple[int, Any] | None) -> None:
        self.conn = conn
        self.answer = answer


class Idempotency:
    """Answers kept for 24 hours, committed together with the effect they report."""

    def __init__(self, db: Database) -> None:
        self._db = db

    @asynccontextmanager
    async def once(
        self, user_id: str, key: str, route: str, body_sha: bytes
    ) -> AsyncIterator[Slot]:
        """One transaction around a request; effects made with `slot.conn` are in it.

        Raises InProgress while the first request with this key runs, KeyReused when it was
        another request. A crash in between leaves nothing behind.
        """
        params = {"user": user_id, "key": key}
        async with self._db.transaction("keep_answer") as conn:
            if not (await execute(conn, sql.texts()["lock_key"], params))[0]["locked"]:
                raise InProgress(f"the first request with the Idempotency-Key {key!r} still runs")
            rows = await execute(conn, sql.texts()["find_answer"], params)
            if rows and (rows[0]["route"], bytes(rows[0]["body_sha"])) != (route, body_sha):
                raise KeyReused(f"the Idempotency-Key {key!r} came with another request before")
            slot = Slot(conn, (rows[0]["status"], rows[0]["answer"]) if rows else None)
            yield slot
            if not rows and slot.answer is not None:
                status, body = slot.answer
                kept = {"route": route, "body_sha": body_sha, "status": status}
                kept |= {"answer": jsonb(body)}
                await execute(conn, sql.texts()["keep_answer"], params | kept)
