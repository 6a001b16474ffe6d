"""list_memory: the paths, not the contents."""

from __future__ import annotations

import json
from typing import Final

from pydantic import Field

from growqr.tools.base import Tool, ToolCall, ToolInput

MAX_FILES: Final = 200


class ListMemoryInput(ToolInput):
    """Which files."""

    prefix: str = Field("", description="Only paths that begin with this; empty lists all.")


class ListMemory(Tool[ListMemoryInput]):
    """List the files of the user's memory."""

    name = "list_memory"
    description = "List the files of the user's long-term memory with their sizes in bytes."
    effect = "read_only"
    Input = ListMemoryInput

    async def run(self, call: ToolCall, input: ListMemoryInput) -> str:
        """JSON {"files": [{"path", "size", "updated_at"}], "more": true where cut}."""
        files = await call.services.store.memory.list(
            call.user_id, input.prefix, limit=MAX_FILES + 1
        )
        listed = [
            {
                "path": file.path,
                "size": file.size,
                "updated_at": file.updated_at.isoformat(timespec="seconds"),
            }
            for file in files[:MAX_FILES]
        ]
        more = {"more": True} if len(files) > MAX_FILES else {}
        return json.dumps({"files": listed} | more, ensure_ascii=False)


tool = ListMemory()
