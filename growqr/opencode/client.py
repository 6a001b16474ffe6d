"""OpenCode's HTTP API, as far as we use it: every call with a deadline, every failure in our words.

Raises Unavailable when the server is away, silent or wants another password (ask for the server
again), NotFound, Invalid when it refuses, InstanceError when it is not the release we know.
"""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Any, NamedTuple

import aiohttp

from growqr.errors import InstanceError, Invalid, NotFound, Unavailable
from growqr.opencode.events import Json
from growqr.opencode.ids import PromptIds

PINNED = "1.18.33"
PROBE_DEADLINE = 1.0
"""A request that meets the server while it starts is never answered: probe briefly, and again."""
CALL_DEADLINE = 10.0
PROMPT_DEADLINE = 30.0
"""The first prompt in a folder prepares it, on a busy machine for seconds."""
SILENCE_DEADLINE = 25.0
"""Of the event stream; it beats every 10 s."""
PAGE = 50
MAX_PAGES = 40
MAX_ANSWER = 32 << 20
"""Bytes of one answer or event. What answers there need not be OpenCode any more."""


class Server(NamedTuple):
    """Where it listens now, and the password of this generation."""

    url: str
    password: str

    def __repr__(self) -> str:
        return f"Server(url={self.url!r}, password=…)"


class OpenCode:
    """One server over the process's aiohttp session. Holds nothing open but `events()`."""

    def __init__(self, server: Server, http: aiohttp.ClientSession) -> None:
        self.server = server
        self._http = http
        secret = base64.b64encode(f"opencode:{server.password}".encode()).decode()
        self._headers = {"authorization": f"Basic {secret}"}

    async def version(self) -> str:
        """Its release, on a connection of its own, which nobody uses again."""
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(force_close=True)) as fresh:
            probe = OpenCode(self.server, fresh)
            answer = await probe._call("GET", "/global/health", deadline=PROBE_DEADLINE)
        version = str(answer.get("version", "unknown"))
        if version.split(".")[0] != PINNED.split(".")[0]:
            raise InstanceError(
                f"OpenCode at {self.server.url} is release {version}, whose API is another one; "
                f"growqr works with {PINNED}: install that release",
                {"version": version},
            )
        return version

    async def create_session(self, directory: str, title: str, rules: list[Json]) -> str:
        """A session's id. `rules`: [{permission, pattern, action}]. NotFound: no such folder."""
        try:  # sessions in a folder that is not there are accepted, so ask for it first
            await self._call("GET", "/file", directory, query={"path": "."})
        except Unavailable as error:
            if error.detail.get("status") != 500:
                raise
            raise NotFound(f"OpenCode finds no folder {directory}: create it first") from None
        body = {"title": title, "permission": rules}
        session = await self._call("POST", "/session", directory, body)
        return str(session["id"])

    async def begun(self, session_id: str, directory: str) -> bool:
        """Whether anything was said in this session. NotFound: it is not there (any more)."""
        path = f"/session/{session_id}/message"
        return bool(await self._call("GET", path, directory, query={"limit": "1"}))

    async def note(self, ids: PromptIds, text: str, *, agent: str | None = None) -> None:
        """Put something before the model that asks for no answer; the same ids again change it."""
        body = _message(ids, text, agent=agent) | {"noReply": True}
        path = f"/session/{ids.session_id}/message"
        await self._call("POST", path, ids.directory, body, deadline=PROMPT_DEADLINE)

    async def prompt(
        self, ids: PromptIds, text: str, *, agent: str | None = None, system: str | None = None
    ) -> None:
        """Post a prompt; returns when it is taken. The same ids again join or resume the run."""
        body = _message(ids, text, agent=agent, system=system)
        path = f"/session/{ids.session_id}/prompt_async"
        await self._call("POST", path, ids.directory, body, deadline=PROMPT_DEADLINE)

    async def messages_since(self, ids: PromptIds) -> list[Json]:
        """[{info, parts}] oldest first, from the newest back to our prompt, or all of them."""
        found: list[Json] = []
        cursor = ""
        for _ in range(MAX_PAGES):
            query = {"limit": str(PAGE)} | ({"before": cursor} if cursor else {})
            page, cursor = await self._page(ids, query)
            found = page + found
            if not cursor or any(message["info"]["id"] == ids.message_id for message in page):
                break
        return found

    async def busy(self, ids: PromptIds) -> bool:
        """Whether the session works or waits to try again."""
        return ids.session_id in await self._call("GET", "/session/status", ids.directory)

    async def children(self, ids: PromptIds) -> list[str]:
        """Ids of the sessions that its `task` tool opened."""
        path = f"/session/{ids.session_id}/children"
        return [str(child["id"]) for child in await self._call("GET", path, ids.directory)]

    async def abort(self, ids: PromptIds) -> None:
        """End what the session does; fine when it does nothing."""
        await self._call("POST", f"/session/{ids.session_id}/abort", ids.directory)

    async def permissions(self, directory: str) -> list[Json]:
        """Requests that wait: [{id, sessionID, permission, patterns, …}]."""
        pending: list[Json] = await self._call("GET", "/permission", directory)
        return pending

    async def answer(self, directory: str, request_id: str, reply: str, message: str = "") -> None:
        """`reply`: once, always or reject. A request that is gone is fine."""
        body = {"reply": reply} | ({"message": message} if message else {})
        try:
            await self._call("POST", f"/permission/{request_id}/reply", directory, body)
        except NotFound:
            return

    async def questions(self, directory: str) -> list[Json]:
        """Questions that wait: [{id, sessionID, …}]."""
        pending: list[Json] = await self._call("GET", "/question", directory)
        return pending

    async def reject_question(self, directory: str, request_id: str) -> None:
        """Nobody will answer it. One that is gone is fine."""
        try:
            await self._call("POST", f"/question/{request_id}/reject", directory)
        except NotFound:
            return

    async def dispose_idle(self, directory: str) -> bool:
        """Have it read configuration and skills of a folder again; False: sessions are busy."""
        if await self._call("GET", "/session/status", directory):
            return False
        await self.dispose(directory)
        return True

    async def dispose(self, directory: str) -> None:
        """Reload configuration and skills of a folder. Aborts what runs there: only when idle."""
        await self._call("POST", "/instance/dispose", directory)

    async def events(self) -> AsyncGenerator[Json, None]:
        """{id, type, properties} of all folders until the stream drops (Unavailable). No replay."""
        deadlines = aiohttp.ClientTimeout(
            total=None, sock_connect=PROBE_DEADLINE, sock_read=SILENCE_DEADLINE
        )
        url = f"{self.server.url}/global/event"
        try:
            async with self._http.get(
                url, headers=self._headers, timeout=deadlines, allow_redirects=False
            ) as stream:
                if stream.status != 200:
                    raise _refusal("/global/event", stream.status, "")
                async for record in _records(stream.content):
                    payload = record.get("payload") or {}
                    if payload.get("type") != "sync":
                        yield payload
        except (aiohttp.ClientError, OSError, ValueError, RecursionError) as error:
            raise _away("/global/event", error) from None
        raise _away("/global/event", None)

    async def _page(self, ids: PromptIds, query: dict[str, str]) -> tuple[list[Json], str]:
        path = f"/session/{ids.session_id}/message"
        cursor: list[str] = []
        page = await self._call("GET", path, ids.directory, cursor=cursor, query=query)
        return page, cursor[0]

    async def _call(
        self,
        method: str,
        path: str,
        directory: str = "",
        body: Json | None = None,
        *,
        deadline: float = CALL_DEADLINE,
        cursor: list[str] | None = None,
        query: dict[str, str] | None = None,
    ) -> Any:
        query = (query or {}) | ({"directory": directory} if directory else {})
        try:
            async with self._http.request(
                method,
                self.server.url + path,
                params=query,
                json=body,
                headers=self._headers,
                timeout=aiohttp.ClientTimeout(total=deadline, sock_connect=PROBE_DEADLINE * 2),
                allow_redirects=False,  # who runs there may not send us to where only we can go
            ) as answer:
                raw = await _text(answer)
                if answer.status >= 300:
                    raise _refusal(path, answer.status, raw)
                if cursor is not None:
                    cursor.append(answer.headers.get("X-Next-Cursor", ""))
                return json.loads(raw) if raw else None
        except (aiohttp.ClientError, OSError, ValueError, RecursionError) as error:
            raise _away(path, error) from None


def _message(ids: PromptIds, text: str, **options: str | None) -> Json:
    part = {"id": ids.part_id, "type": "text", "text": text}
    given = {key: value for key, value in options.items() if value}
    return {"messageID": ids.message_id, "parts": [part]} | given


async def _text(answer: aiohttp.ClientResponse) -> str:
    """The whole answer. Raises ValueError when it is longer than any of OpenCode's."""
    raw = bytearray()
    async for chunk in answer.content.iter_any():
        raw += chunk
        if len(raw) > MAX_ANSWER:
            raise ValueError("an answer without end")
    return raw.decode(errors="replace")


async def _records(stream: aiohttp.StreamReader) -> AsyncIterator[Json]:
    """Server-sent records, each one `data:` line, however they were cut."""
    rest = b""
    async for chunk in stream.iter_any():
        *lines, rest = (rest + chunk).split(b"\n")
        if len(rest) > MAX_ANSWER:
            raise ValueError("a record without end")
        for line in lines:
            if line.startswith(b"data:"):
                yield json.loads(line[5:])


def _away(path: str, error: Exception | None) -> Unavailable:
    why = "took too long" if isinstance(error, TimeoutError) else type(error).__name__
    why = "the stream ended" if error is None else why
    return Unavailable(f"OpenCode does not answer {path}: {why}", {"reason": "away"})


def _refusal(path: str, status: int, raw: str) -> Exception:
    facts = {"status": status, "path": path}
    if status == 401:
        return Unavailable("OpenCode wants another password: its generation has changed", facts)
    try:
        said = json.loads(raw)
        said = str((said.get("data") or {}).get("message") or said.get("message") or "")
    except (ValueError, AttributeError):
        said = ""
    message = f"OpenCode refused {path} ({status}){': ' + said[:500] if said else ''}"
    if status == 404:
        return NotFound(message, facts)
    return Unavailable(message, facts) if status >= 500 else Invalid(message, facts)
