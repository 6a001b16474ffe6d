"""Theirs → ours: what is known of one run, from events and from re-read messages alike.

Feeding it the same thing twice tells nothing twice, so that a re-sync may always be done.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

from growqr.opencode.events import Json, Outcome, Progress, ToolUse, cut, cut_input, error_text
from growqr.opencode.ids import PromptIds

OPEN = ("pending", "running")
BASH_LIMIT_MS = 120_000
"""How long OpenCode's bash may be silent when the model names no timeout."""

_GOES_ON = (None, "tool-calls", "unknown")


class Transcript:
    """Messages, parts and what was told of them, for the run of `ids`."""

    def __init__(self, ids: PromptIds) -> None:
        self.ids = ids
        self.accepted = False
        self.session_error: Json | None = None
        self._asked = {ids.message_id}  # ours, and those compaction adds in our name
        self._asked_at: float | None = None
        self._replies: dict[str, Json] = {}
        self._parts: dict[str, Json] = {}
        self._told: dict[str, str] = {}
        self._texts: dict[str, str] = {}
        self._gaps: set[str] = set()

    def take(self, kind: str, body: Json) -> list[Progress]:
        """One event of the session. Those of another run tell nothing, nor what is not understood:
        the messages are read again before the end."""
        try:
            return self._take(kind, body)
        except (KeyError, TypeError, AttributeError):
            return []

    def _take(self, kind: str, body: Json) -> list[Progress]:
        match kind:
            case "message.updated":
                self._message(body["info"])
            case "message.part.updated":
                return list(self._part(body["part"]))
            case "message.part.delta":
                return list(self._delta(body))
            case "session.error" if isinstance(body.get("error"), dict):
                # The first one says what is wrong; a second one only that something was.
                self.session_error = self.session_error or body["error"]
        return []

    def read(self, messages: list[Json]) -> list[Progress]:
        """The session's messages, oldest first: what of them belongs to the run and is news."""
        told: list[Progress] = []
        ours = False
        for message in messages:
            info, parts = message["info"], message["parts"]
            if info["id"] == self.ids.message_id:
                ours = True
            elif ours and info["role"] == "user":
                if _is_prompt(parts):
                    break
                self._asked.add(info["id"])
            self._message(info)
            for part in parts:
                told.extend(self._part(part))
        self.missed()  # deltas of what is still open may be in this answer, in the feed, or lost
        return told

    def missed(self) -> None:
        """Events were lost: what is open has a gap that only its whole text can mend."""
        self._gaps |= {
            part["id"] for part in self._parts.values() if self._told.get(part["id"]) != "done"
        }

    def interrupt(self) -> list[Progress]:
        """Tool calls that nobody will finish any more are told as interrupted."""
        open_tools = [part for part in self._tools() if self._state(part) in OPEN]
        for part in open_tools:
            self._told[part["id"]] = "interrupted"
        return [_tool(part, "interrupted") for part in open_tools]

    @property
    def finished(self) -> bool:
        """By the newest reply alone; `session.idle` says nothing."""
        newest = self._newest()
        if newest is None or not newest["time"].get("completed"):
            return False
        if newest.get("error"):
            return True
        answered = bool(newest.get("structured")) or newest.get("finish") not in _GOES_ON
        return answered and not newest.get("summary")

    @property
    def allowance(self) -> float:
        """Seconds a tool that runs now may be silent by its own timeout."""
        limits = [
            (part["state"].get("input") or {}).get("timeout") or BASH_LIMIT_MS
            for part in self._tools()
            if self._state(part) == "running"
        ]
        return max((float(ms) / 1000 for ms in limits if isinstance(ms, int | float)), default=0.0)

    def outcome(self) -> Outcome:
        """Of a finished run."""
        error = (self._newest() or {}).get("error")
        return self.ended("completed") if error is None else self.refused(error)

    def refused(self, error: Json) -> Outcome:
        """Ended by OpenCode's error object."""
        aborted = error.get("name") == "MessageAbortedError"
        return self.ended("aborted" if aborted else "failed", error_text(error))

    def ended(
        self,
        state: Literal["completed", "failed", "aborted", "interrupted"],
        error: str | None = None,
    ) -> Outcome:
        """What is known up to now, as the end."""
        tools = [
            ToolUse(
                part["id"],
                part["tool"],
                "interrupted" if self._state(part) in OPEN else self._state(part),
                str(part["state"].get("title") or ""),
            )
            for part in self._tools()
        ]
        return Outcome(state, self._text(), error, tools, self._usage())

    def _message(self, info: Json) -> None:
        if info["role"] == "assistant":
            if info.get("parentID") in self._asked:
                self._replies[info["id"]] = info
        elif info["id"] == self.ids.message_id:
            self.accepted = True
            self._asked_at = self._asked_at or info["time"]["created"]
        elif self._asked_at is not None and info["time"]["created"] > self._asked_at:
            self._asked.add(info["id"])

    def _part(self, part: Json) -> Iterator[Progress]:
        if part["messageID"] not in self._replies:
            return
        match part["type"]:
            case "text" | "reasoning":
                self._parts[part["id"]] = part
                yield from self._whole_text(part)
            case "tool":
                self._parts[part["id"]] = part
                state = part["state"]["status"]
                if self._told.get(part["id"], "pending") in OPEN and self._is_news(part, state):
                    self._told[part["id"]] = state
                    yield _tool(part, state)

    def _is_news(self, part: Json, state: str) -> bool:
        told = self._told.get(part["id"])
        return told is None or (state != told and state != "pending")

    def _whole_text(self, part: Json) -> Iterator[Progress]:
        told, text = self._texts.get(part["id"], ""), part["text"]
        if self._told.get(part["id"]) == "done":
            return
        if len(text) > len(told) and text.startswith(told):
            self._texts[part["id"]] = text
            yield Progress(part["type"], part["id"], state="delta", output=text[len(told) :])
        if (part.get("time") or {}).get("end"):
            self._told[part["id"]] = "done"
            if text:
                yield Progress(part["type"], part["id"], state="done", output=text)

    def _delta(self, body: Json) -> Iterator[Progress]:
        part = self._parts.get(body["partID"])
        if part is None or part["type"] == "tool" or body["field"] != "text":
            return
        if part["id"] in self._gaps or self._told.get(part["id"]) == "done":
            return
        self._texts[part["id"]] = self._texts.get(part["id"], "") + body["delta"]
        yield Progress(part["type"], part["id"], state="delta", output=body["delta"])

    def _in_order(self) -> list[Json]:
        """Replies, oldest first; a re-sync may have found an older one later."""
        return sorted(self._replies.values(), key=lambda reply: reply["time"]["created"])

    def _newest(self) -> Json | None:
        return self._in_order()[-1] if self._replies else None

    def _tools(self) -> list[Json]:
        return [part for part in self._parts.values() if part["type"] == "tool"]

    def _state(self, part: Json) -> str:
        told = self._told.get(part["id"])
        return "interrupted" if told == "interrupted" else str(part["state"]["status"])

    def _text(self) -> str:
        """The text of the last reply that has one."""
        for reply in reversed(self._in_order()):
            texts = [
                part["text"] or self._texts.get(part["id"], "")
                for part in self._parts.values()
                if part["type"] == "text" and part["messageID"] == reply["id"]
            ]
            if said := "\n\n".join(text for text in texts if text.strip()):
                return said
        return ""

    def _usage(self) -> dict[str, int]:
        usage = dict.fromkeys(
            ("input_tokens", "output_tokens", "reasoning_tokens"), 0
        ) | dict.fromkeys(("cache_read_tokens", "cache_write_tokens"), 0)
        for reply in self._replies.values():
            tokens: dict[str, Any] = reply.get("tokens") or {}
            cache = tokens.get("cache") or {}
            usage["input_tokens"] += int(tokens.get("input") or 0)
            usage["output_tokens"] += int(tokens.get("output") or 0)
            usage["reasoning_tokens"] += int(tokens.get("reasoning") or 0)
            usage["cache_read_tokens"] += int(cache.get("read") or 0)
            usage["cache_write_tokens"] += int(cache.get("write") or 0)
        return usage


def _is_prompt(parts: list[Json]) -> bool:
    """A user message somebody sent, not one that compaction made."""
    return any(part["type"] == "text" and not part.get("synthetic") for part in parts)


def _tool(part: Json, told: str) -> Progress:
    state = part["state"]
    output = state.get("output") if told == "completed" else state.get("error")
    if told == "interrupted":
        output = (state.get("metadata") or {}).get("output")
    return Progress(
        "tool",
        part["id"],
        name=part["tool"],
        state=told,
        input=cut_input(state.get("input") or {}),
        output=cut(str(output or "")),
        title=cut(str(state.get("title") or ""), 400),
        call_id=str(part.get("callID") or ""),
    )
