"""read_memory: one file as it is now, also before git has it."""

from __future__ import annotations

import difflib
import json
from typing import Final

from pydantic import Field

from growqr.errors import NotFound, ToolError
from growqr.store import Store
from growqr.tools.base import Tool, ToolCall, ToolInput

MAX_CHARACTERS: Final = 100_000
"""Longer files are cut for the model, and the result says so."""


class ReadMemoryInput(ToolInput):
    """Which file."""

    path: str = Field(description="File to read, as list_memory or search_memory names it.")


class ReadMemory(Tool[ReadMemoryInput]):
    """Read one file of the user's memory."""

    name = "read_memory"
    description = "Read one file of the user's long-term memory."
    effect = "read_only"
    Input = ReadMemoryInput

    async def run(self, call: ToolCall, input: ReadMemoryInput) -> str:
        """JSON {"path", "content", "updated_at"}, with "cut_at" where the file is longer.

        A missing file is a ToolError that lists paths like it.
        """
        store = call.services.store
        try:
            file = await store.memory.get(call.user_id, input.path)
        except NotFound:
            raise await _missing(store, call.user_id, input.path) from None
        answer = {
            "path": file.path,
            "content": file.content[:MAX_CHARACTERS],
            "updated_at": file.updated_at.isoformat(timespec="seconds"),
        }
        if len(file.content) > MAX_CHARACTERS:
            answer["cut_at"] = f"{MAX_CHARACTERS} of {len(file.content)} characters"
        return json.dumps(answer, ensure_ascii=False)


async def _missing(store: Store, user_id: str, path: str) -> ToolError:
    paths = [file.path for file in await store.memory.list(user_id, limit=500)]
    name = path.rsplit("/", 1)[-1]
    same = [known for known in paths if known.rsplit("/", 1)[-1] == name]
    alike = list(dict.fromkeys(same + difflib.get_close_matches(path, paths, n=5, cutoff=0.5)))[:5]
    hint = f"similar: {', '.join(alike)}" if alike else "list_memory shows what there is"
    return ToolError(f"there is no memory file {path[:200]!r}; {hint}", {"similar": alike})


tool = ReadMemory()
