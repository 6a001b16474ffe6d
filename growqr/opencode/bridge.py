"""The door to one user's OpenCode server: open a session, run a prompt to its end."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import aiohttp

from growqr.errors import Conflict, NotFound, Unavailable
from growqr.opencode import policy
from growqr.opencode.client import OpenCode, Server
from growqr.opencode.events import Outcome
from growqr.opencode.feed import FIRST_DELAY, LAST_DELAY, Feed
from growqr.opencode.ids import PromptIds
from growqr.opencode.run import Limits, OnProgress, Prompt, Recall, Run

RUN_DEADLINE = 1800.0


class Bridge:
    """`server` gives the current server, waiting for it as it likes; it is asked again whenever a
    connection fails, so that a restarted one is found under its new address and password. It
    raises Unavailable for "not yet". `http` is the process's session (trust_env off).
    """

    def __init__(
        self,
        server: Callable[[], Awaitable[Server]],
        http: aiohttp.ClientSession,
        limits: Limits | None = None,
    ) -> None:
        self._limits = limits or Limits()
        self._feed = Feed(server, http)
        self._left = False

    async def open_session(self, directory: str, title: str, former: str | None = None) -> str:
        """A session's id, for the life of a sub-agent: `former` while the server has it, else a
        new one, whose folder must be there.

        Raises NotFound (no folder), InstanceError (another release), Unavailable (no server
        within the patience). Without a `former` each call makes another one.
        """
        delay, loop = FIRST_DELAY, asyncio.get_running_loop()
        end = loop.time() + self._limits.patience
        while True:
            try:
                async with asyncio.timeout_at(end):
                    client = await self._feed.connect()
                if former and await _has(client, former, directory):
                    return former
                return await client.create_session(directory, title, policy.RULES)
            except TimeoutError:
                raise Unavailable("the OpenCode server did not become ready in time") from None
            except Unavailable:
                if loop.time() + delay > end:
                    raise
            await asyncio.sleep(delay)
            delay = min(delay * 2, LAST_DELAY)

    async def run(
        self,
        ids: PromptIds,
        text: str,
        *,
        on_progress: OnProgress,
        resumed: bool,
        agent: str | None = None,
        system: str | None = None,
        recall: Recall | None = None,
        deadline: float = RUN_DEADLINE,
    ) -> Outcome:
        """Run the prompt of `ids`, which the caller has journaled before; `deadline` in seconds.

        `resumed`: it may have been sent before. Then history is read first: a finished run is
        answered from it and nothing is sent, an interrupted one goes on. Never resume a prompt
        that the user cancelled. `recall` is asked when nothing was said in the session yet; what it
        gives is put before the prompt, once. `on_progress` is awaited for each thing in order, and
        what it raises ends the call but not the run on the server. Cancelling the call aborts the
        run there within 2 s, unless `leave` was called before.
        Raises Conflict (the session has a run here), NotFound (the server lost the session),
        InstanceError (another release), and what `server` raises besides Unavailable.
        """
        if self._feed.joined(ids.session_id):
            raise Conflict(f"session {ids.session_id} has a run already; wait for its end")
        prompt = Prompt(ids, text, agent, system, recall)
        run = Run(prompt, self._feed, on_progress, self._limits, deadline)
        try:
            return await run.drive(resumed=resumed)
        except asyncio.CancelledError:
            if not self._left:
                await run.stop()
            raise
        finally:
            await self._feed.leave(ids.session_id)

    def leave(self) -> None:
        """From now on a cancelled run goes on at the server: for an owner whose lease has passed
        to a successor, who re-attaches by the same ids."""
        self._left = True


async def _has(client: OpenCode, session_id: str, directory: str) -> bool:
    try:
        await client.begun(session_id, directory)
    except NotFound:
        return False
    return True
