"""Tools of another package whose effects can be counted: one line each in the file CRASH_SINK."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

from growqr.tools import NOT_HAPPENED, Tool, ToolCall, ToolInput


def effects(sink: Path) -> list[dict[str, Any]]:
    """Every effect so far: {tool, operation, epoch, pid, time}."""
    return [json.loads(line) for line in sink.read_text().splitlines()] if sink.exists() else []


class Counted(Tool[ToolInput]):
    """Appends a line; `effect` is what the name says."""

    Input = ToolInput

    def __init__(self, effect: str) -> None:
        self.name = f"crash_{effect}"  # type: ignore[misc]
        self.description = f"Does something {effect}."  # type: ignore[misc]
        self.effect = effect  # type: ignore[misc, assignment]

    async def run(self, call: ToolCall, input: ToolInput) -> str:
        if self.effect != "idempotent" or not _done(call):
            told = {"tool": self.name, "operation": call.operation_id, "pid": os.getpid()}
            told |= {"epoch": call.fence.epoch if call.fence else 0, "time": time.time()}
            line = json.dumps(told) + "\n"
            with _sink().open("a") as file:
                file.write(line)
        return f"did {call.operation_id}"

    async def happened(self, call: ToolCall, input: ToolInput) -> Any:
        return f"did {call.operation_id}" if _done(call) else NOT_HAPPENED


def _sink() -> Path:
    return Path(os.environ["CRASH_SINK"])


def _done(call: ToolCall) -> bool:
    return any(effect["operation"] == call.operation_id for effect in effects(_sink()))


idempotent, reconcilable, unsafe = map(Counted, ("idempotent", "reconcilable", "unsafe"))
