"""What we tell of a run, in our words and small enough for a journal."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

MAX_OUTPUT = 8192
"""Bytes of a tool's output, or of one text in its input, that are told."""

Kind = Literal["text", "reasoning", "tool", "notice"]
Json = dict[str, Any]


class Progress(NamedTuple):
    """One thing that happened.

    text, reasoning: state `delta` with the new piece in `output`, then `done` with the whole text.
    tool: state `pending`, `running`, then once `completed`, `error` or `interrupted`.
    notice: something about the run itself, in words in `output`; `name` says what kind.
    `id` is the part's, the same after every re-sync: a journal keyed by it is idempotent.
    """

    kind: Kind
    id: str
    name: str = ""
    state: str = ""
    input: Json | None = None
    output: str = ""
    title: str = ""
    call_id: str = ""


class ToolUse(NamedTuple):
    """One tool call of a run; state `completed`, `error` or `interrupted`."""

    part_id: str
    name: str
    state: str
    title: str


@dataclass
class Outcome:
    """How a run ended. `interrupted`: its end is not known; the same ids can be run again."""

    state: Literal["completed", "failed", "aborted", "interrupted"]
    text: str = ""
    error: str | None = None
    tools: list[ToolUse] = field(default_factory=list)
    usage: dict[str, int] = field(default_factory=dict)


def cut(text: str, limit: int = MAX_OUTPUT) -> str:
    """`text` in at most about `limit` bytes: its start and its end, with a note between."""
    raw = text.encode(errors="replace")
    if len(raw) <= limit:
        return text
    half = limit // 2
    start, end = raw[:half].decode(errors="ignore"), raw[-half:].decode(errors="ignore")
    return f"{start}\n[… {len(raw) - limit} bytes left out …]\n{end}"


def cut_input(value: Any, depth: int = 0) -> Any:
    """A tool's input with every long text in it cut."""
    if isinstance(value, str):
        return cut(value)
    if depth > 8:
        return cut(str(value))
    if isinstance(value, dict):
        return {str(name): cut_input(inner, depth + 1) for name, inner in value.items()}
    if isinstance(value, list):
        return [cut_input(inner, depth + 1) for inner in value[:200]]
    return value


def error_text(error: Json) -> str:
    """OpenCode's error object in words; bodies of answers stay out, they may hold anything."""
    name = str(error.get("name") or "error")
    facts = error.get("data") if isinstance(error.get("data"), dict) else {}
    message = str((facts or {}).get("message") or "").strip() or "no reason given"
    if name == "APIError":
        status = (facts or {}).get("statusCode")
        return f"the model did not answer{f' ({status})' if status else ''}: {cut(message, 1000)}"
    if name == "UnknownError":  # a stack trace follows; the class name comes several times
        first = message.splitlines()[0].replace("UnknownError", "").strip(" :")
        return first or "OpenCode refused the prompt; its agent or model may not exist there"
    words = {
        "ProviderAuthError": "the model's server refused the key",
        "ContextOverflowError": "the conversation is longer than the model can read",
        "ContentFilterError": "the model's server filtered the answer",
        "MessageOutputLengthError": "the answer was longer than the model may give",
        "StructuredOutputError": "the model gave no structured answer",
        "MessageAbortedError": "the run was aborted",
    }
    return f"{words.get(name, name)}: {cut(message, 1000)}"
