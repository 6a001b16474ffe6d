"""The one reader of a server's events, shared by all runs there; it reconnects for as long as one
of them is joined.

No event is ever sent again, so every (re)connect is told to the runs, who then read their state.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import aclosing, suppress
from typing import NamedTuple

import aiohttp

from growqr.errors import Unavailable
from growqr.opencode.client import OpenCode, Server
from growqr.opencode.events import Json

FIRST_DELAY, LAST_DELAY = 0.05, 2.0
GREETING_DEADLINE = 3.0
"""Until `server.connected`; a stream opened while the server starts stays silent for ever."""
GREETING_LAG = 0.02
"""Seconds from the greeting until events really come; measured, there is no sign of it."""


class Connected(NamedTuple):
    """Events come from now on; what was before is to be read."""

    client: OpenCode


class Lost(NamedTuple):
    """No events for now."""

    reason: str


class Broken(NamedTuple):
    """There will be none."""

    error: Exception


class Theirs(NamedTuple):
    """One of OpenCode's events, for a session of this run (`child`: one its `task` tool made)."""

    kind: str
    body: Json
    child: bool


Signal = Connected | Lost | Broken | Theirs
Inbox = asyncio.Queue[Signal]


class Feed:
    """`server` says where it is now, and is asked again whenever the connection fails."""

    def __init__(
        self, server: Callable[[], Awaitable[Server]], http: aiohttp.ClientSession
    ) -> None:
        self._server = server
        self._http = http
        self._inboxes: dict[str, Inbox] = {}
        self._roots: dict[str, str] = {}
        self._client: OpenCode | None = None
        self._reader: asyncio.Task[None] | None = None
        self._known: Server | None = None

    def join(self, session_id: str) -> Inbox:
        """Signals of a session from now on; the first is Connected, at once or later."""
        inbox: Inbox = asyncio.Queue()
        self._inboxes[session_id] = inbox
        if self._client:
            inbox.put_nowait(Connected(self._client))
        if self._reader is None or self._reader.done():
            self._reader = asyncio.create_task(self._read())
        return inbox

    def joined(self, session_id: str) -> bool:
        """Whether somebody follows this session now."""
        return session_id in self._inboxes

    def adopt(self, child: str, session_id: str) -> None:
        """Events of session `child` belong to `session_id` too."""
        self._roots[child] = session_id

    async def leave(self, session_id: str) -> None:
        """The last one to leave ends the connection: a server without work may be stopped."""
        self._inboxes.pop(session_id, None)
        self._roots = {c: root for c, root in self._roots.items() if root != session_id}
        if self._inboxes or self._reader is None:
            return
        reader, self._reader, self._client = self._reader, None, None
        reader.cancel()
        with suppress(asyncio.CancelledError):
            await reader

    async def connect(self) -> OpenCode:
        """A client for the server as it is now, its release checked once."""
        server = await self._server()
        client = OpenCode(server, self._http)
        if server != self._known:
            await client.version()
            self._known = server
        return client

    async def _read(self) -> None:
        delay = FIRST_DELAY
        while True:
            try:
                await self._follow(await self.connect())
            except Unavailable as error:
                reason = error.message
            except Exception as error:  # noqa: BLE001 - it is raised in the runs
                self._client = None
                return self._tell(Broken(error))
            was_connected, self._client, self._known = self._client is not None, None, None
            delay = FIRST_DELAY if was_connected else min(delay * 2, LAST_DELAY)
            self._tell(Lost(reason))
            await asyncio.sleep(delay)

    async def _follow(self, client: OpenCode) -> None:
        """Hand out events until the stream drops, which raises Unavailable."""
        async with aclosing(client.events()) as events:
            try:
                await asyncio.wait_for(anext(events), GREETING_DEADLINE)
            except TimeoutError:
                raise Unavailable("OpenCode's event stream does not begin") from None
            await asyncio.sleep(GREETING_LAG)
            self._client = client
            self._tell(Connected(client))
            async for event in events:
                self._hand_out(str(event.get("type")), event.get("properties") or {})

    def _tell(self, signal: Signal) -> None:
        for inbox in self._inboxes.values():
            inbox.put_nowait(signal)

    def _hand_out(self, kind: str, body: Json) -> None:
        session = body.get("sessionID")
        if not isinstance(session, str):
            return
        if kind in ("session.created", "session.updated"):
            parent = (body.get("info") or {}).get("parentID")
            if parent and (root := self._roots.get(parent, parent)) in self._inboxes:
                self.adopt(session, root)
        root = self._roots.get(session, session)
        if inbox := self._inboxes.get(root):
            inbox.put_nowait(Theirs(kind, body, child=root != session))
