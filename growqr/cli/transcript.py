"""A turn on a terminal: its text on stdout as it is written, all else as short lines on stderr.

No piece of text is printed twice. What a dead owner had written stays where it is; its
successor's text is printed from the place where the two differ.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Final, TextIO

import typer

from growqr.cli.client import Received
from growqr.events import TURN_ENDS, EventType

_TELLING: Final = ("path", "filePath", "command", "query", "pattern", "prompt", "prefix")
_CARDS: Final = {
    EventType.TOOL_STARTED: "·",
    EventType.TOOL_COMPLETED: "✓",
    EventType.TOOL_FAILED: "✗",
    EventType.TOOL_UNKNOWN: "?",
}
_REQUESTS: Final = {
    EventType.APPROVAL_REQUESTED: "approve {id}, or: growqr deny {id}",
    EventType.BUDGET_EXCEEDED: "approve {id}, or: growqr deny {id}",
    EventType.QUESTION_REQUESTED: 'answer {id} "…"',
}


@dataclass
class _Draft:
    """The text of a reply while it is written, as far as it came without a gap."""

    step_id: str | None = None
    epoch: int = 0
    text: str = ""


class Transcript:
    """Takes the events of one turn; `outcome` is its exit code once it has ended."""

    def __init__(self, turn_id: str, out: TextIO, err: TextIO, *, as_json: bool = False) -> None:
        self._turn_id, self._out, self._err, self._json = turn_id, out, err, as_json
        self._draft = _Draft()
        self._shown = ""  # of the reply that is open on stdout
        self._done: set[str] = set()
        self._said = False
        self._epoch: int | None = None
        self._inputs: dict[str, str] = {}
        self._children: set[str] = set()
        self.outcome: int | None = None

    def take(self, event: Received) -> bool:
        """Show an event; False when it belongs neither to this turn nor to one it waits for."""
        if event.data.get("turn_id") != self._turn_id:
            return self._of_child(event)
        if self._json:
            self._line(json.dumps({"type": event.type} | event.data, ensure_ascii=False))
        elif event.type == "delta":
            self._delta(event.data)
        else:
            self._durable(event.type, event.data.get("step_id"), event.data.get("data") or {})
        if event.type in TURN_ENDS:
            self.outcome = 0 if event.type == EventType.TURN_COMPLETED else 1
        return True

    def finished(self, turn: dict[str, Any]) -> None:
        """Show a turn whose events are no longer kept, from its row."""
        if self._json:
            self._line(json.dumps({"type": "turn"} | turn, ensure_ascii=False))
        elif turn["state"] == "completed":
            self._ended(EventType.TURN_COMPLETED, {"text": turn.get("result") or ""})
        else:
            self._ended(f"turn.{turn['state']}", {"error": turn.get("error") or {}})
        self.outcome = 0 if turn["state"] == "completed" else 1

    def _of_child(self, event: Received) -> bool:
        """What a sub-agent does for this turn: its tools, not its words."""
        turn_id, data = event.data.get("turn_id"), event.data.get("data") or {}
        if data.get("parent_turn") in {self._turn_id, *self._children} and turn_id:
            self._children.add(turn_id)
        if turn_id not in self._children:
            return False
        if self._json:
            self._line(json.dumps({"type": event.type} | event.data, ensure_ascii=False))
        elif event.type == EventType.TURN_STARTED and data.get("resumed"):
            self._note(f"  sub-agent lost → epoch {data.get('epoch')}")
        elif event.type in _REQUESTS:
            self._asked(data, _REQUESTS[EventType(event.type)])
        elif event.type in _CARDS:
            self._card("  " + _CARDS[EventType(event.type)], data)
        elif event.type == EventType.SUB_AGENT_PROGRESS:
            self._note(f"  {data.get('text', '')}")
        return True

    def _delta(self, delta: dict[str, Any]) -> None:
        step_id, epoch = delta["step_id"], delta["epoch"]
        if delta["kind"] != "text" or step_id in self._done or epoch < self._draft.epoch:
            return
        if (step_id, epoch) != (self._draft.step_id, self._draft.epoch):
            self._draft = _Draft(step_id, epoch)
        end = len(self._draft.text)
        if delta["offset"] > end:
            return  # a piece was missed: the message that follows has the whole text
        self._draft.text += delta["text"][end - delta["offset"] :]
        self._show(self._draft.text)

    def _durable(self, kind: str, step_id: str | None, data: dict[str, Any]) -> None:
        if kind == EventType.TURN_STARTED:
            self._started(data)
        elif kind == EventType.MESSAGE_CREATED:
            self._message(step_id, data)
        elif kind == EventType.TOOL_REQUESTED:
            self._inputs[data.get("tool_use_id", "")] = _gist(data.get("input"))
        elif kind in _CARDS:
            self._card(_CARDS[EventType(kind)], data)
        elif kind in _REQUESTS:
            self._asked(data, _REQUESTS[EventType(kind)])
        elif kind == EventType.SUB_AGENT_PROGRESS:
            self._note(str(data.get("text", "")))
        elif kind in TURN_ENDS:
            self._ended(kind, data)

    def _asked(self, data: dict[str, Any], how: str) -> None:
        """What a person is asked, and the command that answers it."""
        asked, options = data.get("asked") or {}, data.get("options") or []
        call = f"{asked['name']} {_gist(asked.get('input'))}: " if asked.get("name") else ""
        choice = f" ({', '.join(options)})" if options else ""
        self._note(f"? {call}{asked.get('text', '')}{choice}", dim=False)
        self._note(f"  growqr {how.format(id=data.get('decision_id'))}", dim=False)

    def _started(self, data: dict[str, Any]) -> None:
        epoch = data.get("epoch")
        if data.get("resumed"):
            former = f"(epoch {self._epoch}) " if self._epoch is not None else ""
            self._note(f"lost {former}→ epoch {epoch}")
        self._epoch = epoch

    def _message(self, step_id: str | None, data: dict[str, Any]) -> None:
        text = _text(data.get("content"))
        if data.get("role") == "user":
            self._note(f"> {text}")
        elif data.get("role") == "assistant":
            self._done.add(step_id or "")
            if text:
                self._show(text, whole=True)
            self._close()

    def _card(self, mark: str, data: dict[str, Any]) -> None:
        use = data.get("tool_use_id", "")
        gist = _gist(data.get("input")) or self._inputs.get(use, "")
        failed = mark.strip() in "✗?"
        reason = f": {_gist_of_output(data.get('output'))}" if failed else ""
        self._note(f"{mark} {data.get('name', 'tool')} {gist}".rstrip() + reason)

    def _ended(self, kind: str, data: dict[str, Any]) -> None:
        if kind == EventType.TURN_COMPLETED:
            if not self._said and data.get("text"):
                self._show(data["text"], whole=True)
            self._close()
            return
        error = data.get("error") or {}
        reason = error.get("message") or kind.rpartition(".")[2]
        self._note(f"growqr: the turn was not completed: {reason}", dim=False)

    def _show(self, text: str, *, whole: bool = False) -> None:
        """Let stdout show `text` as the open reply, printing only what is not there yet.

        `whole`: nothing will follow, so more than it on stdout is a dead owner's.
        """
        if text == self._shown or (self._shown.startswith(text) and not whole):
            return
        if not text.startswith(self._shown):
            self._out.write("\n")
            self._shown = ""
        self._out.write(text[len(self._shown) :])
        self._out.flush()
        self._shown, self._said = text, True

    def _close(self) -> None:
        if self._shown:
            if not self._shown.endswith("\n"):
                self._out.write("\n")
            self._out.flush()
        self._shown = ""

    def _note(self, text: str, *, dim: bool = True) -> None:
        if self._shown and self._out.isatty():
            self._err.write("\n")  # the reply's line is still open on the same terminal
        plain = not (dim and self._err.isatty())
        self._err.write((text if plain else typer.style(text, dim=True)) + "\n")
        self._err.flush()

    def _line(self, text: str) -> None:
        self._out.write(text + "\n")
        self._out.flush()


def _text(content: Any) -> str:
    if isinstance(content, str):
        return content
    return "".join(block.get("text", "") for block in content or [] if block["type"] == "text")


def _gist(value: Any) -> str:
    """The telling part of a tool's input, on one short line."""
    if not isinstance(value, dict) or not value:
        return ""
    first = next((value[key] for key in _TELLING if value.get(key)), None)
    return " ".join(str(first or "").split())[-80:]


def _gist_of_output(output: Any) -> str:
    text = output if isinstance(output, str) else _text(output) if isinstance(output, list) else ""
    if isinstance(output, dict):
        text = str(output.get("message") or output.get("content") or output.get("error") or "")
    return " ".join(text.split())[:200] or "no reason given"
