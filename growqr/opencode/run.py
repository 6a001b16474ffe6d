"""One prompt to its end: send, follow, look again after every gap, give up in time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Literal

from growqr.errors import Unavailable
from growqr.opencode import resync
from growqr.opencode.client import OpenCode
from growqr.opencode.events import Json, Outcome, Progress
from growqr.opencode.feed import Broken, Connected, Feed, Lost, Signal, Theirs
from growqr.opencode.ids import PromptIds, record_before
from growqr.opencode.transcript import Transcript

OnProgress = Callable[[Progress], Awaitable[None]]
Recall = Callable[[], Awaitable[str]]
"""What a session that begins anew has to know of earlier work; "" for nothing."""

ABORT_DEADLINE = 2.0
ERROR_PAUSE = 0.3
"""From an error to a look: the reply that holds it, if any, comes a little later."""

Due = Literal["deadline", "silence", "patience", "confirm"]


@dataclass(frozen=True)
class Limits:
    """Seconds, and how often one prompt may be posted."""

    silence: float = 120.0
    """Without an event of the session; what a running tool may take comes on top."""
    patience: float = 120.0
    """Without a server."""
    confirm: float = 5.0
    """From a post to its first sign; an accepted prompt may still have been dropped."""
    posts: int = 6


@dataclass(frozen=True)
class Prompt:
    """What is sent under `ids`."""

    ids: PromptIds
    text: str
    agent: str | None = None
    system: str | None = None
    recall: Recall | None = None


class Run:
    """`resumed`: it may have been sent before, so look first. `deadline`: seconds from now."""

    def __init__(
        self, prompt: Prompt, feed: Feed, tell: OnProgress, limits: Limits, deadline: float
    ) -> None:
        self.transcript = Transcript(prompt.ids)
        self._prompt, self._ids = prompt, prompt.ids
        self._feed, self._tell, self._limits = feed, tell, limits
        self._now = asyncio.get_running_loop().time
        self._inbox = feed.join(prompt.ids.session_id)
        self._client: OpenCode | None = None
        self._posts = self._notices = 0
        self._resumed = False
        self._deadline_at = self._now() + deadline
        self._deadline = deadline
        self._signed_at = self._now()
        self._lost_at: float | None = self._now()
        self._confirm_at: float | None = None

    async def drive(self, *, resumed: bool) -> Outcome:
        """To the end. Raises what ends the server's use for good, NotFound for a lost session."""
        self._resumed = resumed
        while True:
            signal = await self._next()
            match signal:
                case Connected(client):
                    outcome = await self._connected(client)
                case Theirs():
                    outcome = await self._theirs(signal)
                case Lost(reason):
                    outcome = await self._lost(reason)
                case Broken(error):
                    raise error
                case _:
                    outcome = await self._due(signal)
            if outcome:
                return outcome

    async def stop(self) -> None:
        """Abort on the server, as well as it goes in ABORT_DEADLINE."""
        if not (self._posts or self._resumed):
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(ABORT_DEADLINE):
                # More than once: a prompt that was on its way may begin after the first abort.
                while True:
                    if await self._stopped():
                        return
                    await asyncio.sleep(0.05)

    async def _stopped(self) -> bool:
        with suppress(Unavailable):
            client = self._client or await self._feed.connect()
            await client.abort(self._ids)
            return not await client.busy(self._ids)
        return False

    async def _next(self) -> Signal | Due:
        due_at, due = min(self._timers())
        if due_at > self._now() and not self._inbox.empty():
            return self._inbox.get_nowait()
        try:
            async with asyncio.timeout_at(due_at):
                return await self._inbox.get()
        except TimeoutError:
            return due

    def _timers(self) -> list[tuple[float, Due]]:
        timers: list[tuple[float, Due]] = [(self._deadline_at, "deadline")]
        if self._lost_at is not None:
            timers.append((self._lost_at + self._limits.patience, "patience"))
            return timers
        quiet = self._limits.silence + self.transcript.allowance
        timers.append((self._signed_at + quiet, "silence"))
        if self._confirm_at is not None:
            timers.append((self._confirm_at, "confirm"))
        return timers

    async def _connected(self, client: OpenCode) -> Outcome | None:
        self._client, self._lost_at, self._signed_at = client, None, self._now()
        if not (self._posts or self._resumed):
            await self._post()
            return None
        self.transcript.missed()
        return await self._settle()

    async def _lost(self, reason: str) -> Outcome | None:
        if self._lost_at is None:
            self._client, self._lost_at = None, self._now()
            await self._notice("away", f"waiting for the OpenCode server: {reason}")
        return None

    async def _due(self, due: Due) -> Outcome | None:
        match due:
            case "confirm":
                self._confirm_at = None
                return await self._settle()
            case "patience":
                waited = f"{self._limits.patience:.0f} s"
                reason = f"the OpenCode server was away for {waited}; the run's end is not known"
                return self.transcript.ended("interrupted", reason)
            case "silence":
                reason = f"OpenCode showed no sign of work for {self._limits.silence:.0f} s"
            case "deadline":
                reason = f"the run took longer than its {self._deadline:.0f} s"
        if outcome := await self._finish():
            return outcome
        await self.stop()
        await self._finish()  # for the last words of tools that were stopped
        return self.transcript.ended("failed", f"{reason} and was stopped")

    async def _theirs(self, event: Theirs) -> Outcome | None:
        self._signed_at = self._now()
        try:
            await self._answer(event)
        except Unavailable:
            self._confirm_soon()
        if event.child:
            return None
        if event.kind.startswith("message."):
            self._confirm_at = None
        await self._tell_all(self.transcript.take(event.kind, event.body))
        if event.kind == "session.status":
            await self._status(event.body.get("status") or {})
        if self.transcript.finished:
            return await self._finish()
        if event.kind == "session.error":
            self._confirm_soon(ERROR_PAUSE)
        return await self._went_idle() if event.kind == "session.idle" else None

    async def _answer(self, event: Theirs) -> None:
        if self._client is None:
            return
        if event.kind == "permission.asked":
            told = await resync.answer(self._client, self._ids, event.body)
            await self._tell(told)
        elif event.kind == "question.asked":
            await self._tell(await resync.refuse_question(self._client, self._ids, event.body))

    async def _status(self, status: Json) -> None:
        if status.get("type") in ("busy", "retry"):
            self._confirm_at = None
        if status.get("type") == "retry":
            attempt, why = status.get("attempt"), str(status.get("message"))[:500]
            await self._notice("retry", f"the model is asked again ({attempt}): {why}")

    async def _went_idle(self) -> Outcome | None:
        """A hint only: it may be late from the run before, or tell of an error before any reply."""
        error = self.transcript.session_error
        if error is None or self._client is None:
            self._confirm_soon()
            return None
        with suppress(Unavailable):
            if await self._look() == "idle":
                return self.transcript.refused(error)
        return await self._finish()

    async def _settle(self) -> Outcome | None:
        """Read the state; when nothing works on the prompt, post the same ids: that resumes it."""
        try:
            standing = await self._look(pending=True)
        except Unavailable:
            self._confirm_soon()
            return None
        if standing == "finished":
            return await self._outcome()
        if standing == "busy":
            # The stream may begin a little after its greeting: look again until an event comes.
            self._confirm_soon()
            return None
        if error := self.transcript.session_error:
            return self.transcript.refused(error)
        if self._posts >= self._limits.posts:
            reason = f"OpenCode took the prompt {self._posts} times and did not finish it"
            return self.transcript.ended("failed", reason)
        if self.transcript.accepted:
            await self._tell_all(self.transcript.interrupt())
            await self._notice("resumed", "the run was interrupted and goes on where it stood")
        await self._post()
        return None

    async def _finish(self) -> Outcome | None:
        """The outcome from the whole history; from what was seen when that cannot be read."""
        with suppress(Unavailable):
            if self._client:
                await self._tell_all(
                    self.transcript.read(await self._client.messages_since(self._ids))
                )
        return await self._outcome() if self.transcript.finished else None

    async def _outcome(self) -> Outcome:
        """Told first: tool calls that a crash has left open."""
        await self._tell_all(self.transcript.interrupt())
        return self.transcript.outcome()

    async def _look(self, *, pending: bool = False) -> resync.Standing:
        client = self._client
        if client is None:
            raise Unavailable("no OpenCode server for now")
        if pending:
            children = await client.children(self._ids)
            for child in children:
                self._feed.adopt(child, self._ids.session_id)
            sessions = {self._ids.session_id, *children}
            await self._tell_all(await resync.answer_pending(client, self._ids, sessions))
        standing, told = await resync.look(client, self._ids, self.transcript)
        await self._tell_all(told)
        return standing

    async def _post(self) -> None:
        self._posts += 1
        self.transcript.session_error = None
        prompt = self._prompt
        try:
            if self._client:
                await self._recall(self._client)
                options = {"agent": prompt.agent, "system": prompt.system}
                await self._client.prompt(self._ids, prompt.text, **options)
            self._confirm_soon()
        except Unavailable:  # it may have come through all the same
            self._confirm_soon(ERROR_PAUSE)
        self._signed_at = self._now()

    async def _recall(self, client: OpenCode) -> None:
        """Before the first prompt of a session, whichever that is and however often it is sent."""
        ids, recall = self._ids, self._prompt.recall
        if recall and not await client.begun(ids.session_id, ids.directory):
            if record := await recall():
                await client.note(record_before(ids), record, agent=self._prompt.agent)

    def _confirm_soon(self, pause: float | None = None) -> None:
        self._confirm_at = self._now() + (self._limits.confirm if pause is None else pause)

    async def _tell_all(self, told: list[Progress]) -> None:
        for progress in told:
            await self._tell(progress)

    async def _notice(self, name: str, text: str) -> None:
        self._notices += 1
        notice_id = f"{self._ids.message_id}.{self._notices}"
        await self._tell(Progress("notice", notice_id, name, output=text))
