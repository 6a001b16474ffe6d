"""commit_memory: accepted by its row in Postgres; git follows, usually within milliseconds."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Final

from pydantic import Field

from growqr.errors import Invalid, TooLarge, ToolError, Unavailable
from growqr.memory import check_content, check_path, refuse_secrets
from growqr.store import Store
from growqr.tools.base import Tool, ToolCall, ToolInput

COMMIT_WAIT: Final = 2.0
"""Seconds to wait for the commit id; the write itself is already safe by then."""


class CommitMemoryInput(ToolInput):
    """What to write, where."""

    path: str = Field(description="File to write, for example notes/launch.md. It is replaced.")
    content: str = Field(description="The whole new text of the file, Markdown, up to 1 MB.")
    message: str = Field("", description="One line that says why, for the history.")


class CommitMemory(Tool[CommitMemoryInput]):
    """Write one file of the user's memory."""

    name = "commit_memory"
    description = (
        "Write a file into the user's long-term memory, which is kept in git for ever. Use it for "
        "facts, decisions and preferences that matter beyond this conversation. The file is "
        "replaced as a whole: read it first to add to it. Never write passwords, keys or tokens."
    )
    effect = "idempotent"
    Input = CommitMemoryInput

    async def run(self, call: ToolCall, input: CommitMemoryInput) -> str:
        """JSON {"path", "commit"}, or {"path", "pending": true} where git is not there yet."""
        store = call.services.store
        path, content, message = _checked(input)
        row = await store.memory.accept(
            call.user_id,
            path,
            content,
            message=message,
            author=call.actor,
            operation_id=call.operation_id,
            fence=call.fence,
        )
        commit = row.commit_id or await _commit_of(store, row.id)
        outcome = {"commit": commit} if commit else {"pending": True}
        return json.dumps({"path": path} | outcome, ensure_ascii=False)


def _checked(input: CommitMemoryInput) -> tuple[str, str, str]:
    """(path, content, message) as they are stored; text files end with a line end."""
    content = input.content if input.content.endswith("\n") else input.content + "\n"
    message = " ".join(input.message.split())[:500] or f"Write {input.path}"
    try:
        path = check_path(input.path)
        refuse_secrets(path, content, message)
        return path, check_content(content), check_content(message)
    except (Invalid, TooLarge) as error:
        raise ToolError(error.message, error.detail) from None


async def _commit_of(store: Store, row_id: str) -> str | None:
    """The git id if it comes in time. The row is accepted, so an outage here is no failure."""
    give_up, pause = time.monotonic() + COMMIT_WAIT, 0.01
    try:
        while time.monotonic() < give_up:
            if commit := await store.memory.commit_of(row_id):
                return commit
            await asyncio.sleep(pause)
            pause = min(pause * 1.5, 0.2)
    except Unavailable:
        pass
    return None


tool = CommitMemory()
