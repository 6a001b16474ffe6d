"""One turn: ask the model, run the tools it asks for, until it has nothing more to ask.

Each reply is journaled before any of its tools runs. Whoever takes the turn over reads the journal
and goes on where it ends.
"""

from __future__ import annotations

import asyncio
import itertools
import time
from dataclasses import replace

from growqr import names
from growqr.agents.asking import allowed
from growqr.agents.calls import Calls
from growqr.agents.conversation import Block, Conversation
from growqr.agents.deltas import Deltas
from growqr.agents.keeper import Keeper
from growqr.agents.service_care import told, trouble_of
from growqr.agents.skills import listed, skills_of
from growqr.agents.thinking import Thinking
from growqr.errors import BudgetExceeded, ModelError, ModelUnavailable
from growqr.logs import log
from growqr.models import ModelRequest, Reply
from growqr.store import Turn
from growqr.tools import definitions

MAX_REPLIES = 50
"""Replies of one turn; a model that still asks for tools then is going in circles."""

PATIENCE = 120.0
"""Seconds for which the gateway may be away: all of Ray may be being rebuilt."""

MAX_CUTS = 3
"""Replies that may break off before their end; each next one may come from another provider."""

LONGEST_PAUSE = 4.0

_log = log("agents")


class TurnLoop:
    """The work on one claimed turn."""

    def __init__(self, thinking: Thinking, keeper: Keeper, turn: Turn) -> None:
        self._with = thinking
        self._keeper = keeper
        self._fence = keeper.fence
        self._turn = turn
        self._calls = Calls(thinking, keeper, turn)
        self._base = self._system = thinking.system

    async def run(self) -> None:
        """Work until the turn is completed in the journal, or waits there for somebody.

        Raises ModelError or ModelUnavailable when the model cannot be had, BudgetExceeded when
        nobody allowed more, Fenced when the lease has passed on.
        """
        store = self._with.store
        said = await self._keeper.patiently(lambda: store.messages.conversation(self._turn.id))
        skills = await self._keeper.patiently(lambda: skills_of(store, self._turn.user_id))
        self._base = self._with.system + listed(skills)
        talk = Conversation(said, self._turn.id)
        calls, position = talk.open_calls, talk.replies
        while position < MAX_REPLIES:
            results = await self._results(position, calls) if calls else []
            if results is None:
                return
            if results:
                talk.results(results)
            position += 1
            reply = await self._ask(position, talk, results)
            calls = reply.tool_calls if reply else []
            if reply is None or not calls:
                return
            talk.reply(reply.content)
        raise ModelError(f"the model asked for tools {MAX_REPLIES} times without an answer")

    async def _results(self, position: int, calls: list[Block]) -> list[Block] | None:
        """Results of all calls of one reply; None: somebody else will give some, and we wait."""
        while (results := await self._calls.run(position, calls)) is None:
            if await self._wait():
                return None
            await asyncio.sleep(0.05)  # quicker than we could wait for it, or being cancelled
        return results

    async def _wait(self) -> bool:
        """Let the turn wait without a process; False: nothing is open any more."""
        turns = self._with.store.turns
        return await self._keeper.patiently(lambda: turns.wait(self._fence, self._turn.id))

    async def _ask(
        self, position: int, talk: Conversation, results: list[Block] | None
    ) -> Reply | None:
        """The journaled reply; None: a person must allow more first, and the turn waits."""
        store, name = self._with.store, self._with.model_name or "default"
        step_id = await self._keeper.patiently(
            lambda: store.steps.begin_model(self._fence, self._turn, position, name, results)
        )
        trouble = await self._keeper.patiently(lambda: trouble_of(store, self._turn.id))
        self._system = self._base + told(trouble)
        reply = await self._allowed_reply(step_id, talk)
        if reply is None:
            return None
        reply = replace(reply, content=talk.with_own_ids(reply.content))
        output = {"stop_reason": reply.stop_reason, "model": reply.model, "usage": reply.usage}
        await self._keeper.patiently(
            lambda: store.steps.finish_model(
                self._fence,
                self._turn,
                step_id,
                content=reply.content,
                output=output,
                result=None if reply.tool_calls else reply.text,
            )
        )
        return reply

    async def _allowed_reply(self, step_id: str, talk: Conversation) -> Reply | None:
        asked = set[str]()
        while True:
            try:
                return await self._reply(step_id, talk)
            except BudgetExceeded as spent:
                if str(spent.detail) in asked:  # allowed more, and none the wiser
                    raise
                expiry, store = self._with.services.decision_expiry, self._with.store
                if await allowed(store, self._keeper, self._turn, spent, expiry):
                    asked.add(str(spent.detail))
                elif await self._wait():
                    return None

    async def _reply(self, step_id: str, talk: Conversation) -> Reply:
        """The model's reply; asked again only when the way to the gateway broke."""
        request = ModelRequest(
            system=self._system,
            messages=talk.messages(),
            tools=definitions(self._with.tools),
            max_tokens=self._with.max_tokens,
            model=self._with.model_name,
        )
        cuts, last_heard = 0, time.monotonic()
        for attempt in itertools.count(1):
            await self._keeper.confirm()
            try:
                return await self._call(request, step_id, attempt)
            except ModelUnavailable as error:
                reason = error.detail.get("reason")
                if reason == "cut":
                    cuts, last_heard = cuts + 1, time.monotonic()
                away = reason == "connection" and time.monotonic() - last_heard < PATIENCE
                if not (away or (reason == "cut" and cuts <= MAX_CUTS)):
                    raise
                _log.warning("model call broke", turn_id=self._turn.id, reason=error.message)
                await asyncio.sleep(min(LONGEST_PAUSE, 0.25 * 2**attempt))
        raise AssertionError("counting does not end")

    async def _call(self, request: ModelRequest, step_id: str, attempt: int) -> Reply:
        deltas = Deltas(self._with.store.notifier, self._keeper, self._turn, step_id)
        try:
            return await self._with.model.reply(
                request,
                call_id=names.model_call(step_id, self._fence.epoch, attempt),
                turn_id=self._turn.id,
                step_id=step_id,
                on_delta=deltas.feed,
            )
        finally:
            await deltas.flush()
