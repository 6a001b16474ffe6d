"""search_memory: files that hold the words, best first, each with a snippet."""

from __future__ import annotations

import json

from pydantic import Field

from growqr.tools.base import Tool, ToolCall, ToolInput


class SearchMemoryInput(ToolInput):
    """Which words."""

    query: str = Field(min_length=1, description="Words to look for in paths and contents.")
    limit: int = Field(10, ge=1, le=50, description="Most files to return.")


class SearchMemory(Tool[SearchMemoryInput]):
    """Search the user's memory."""

    name = "search_memory"
    description = (
        "Search the user's long-term memory by words. Returns paths with snippets, best first; "
        "read_memory gives a whole file. Use it before saying that something is not known."
    )
    effect = "read_only"
    Input = SearchMemoryInput

    async def run(self, call: ToolCall, input: SearchMemoryInput) -> str:
        """JSON {"results": [{"path", "snippet"}]}; with a "hint" where there are none."""
        found = await call.services.store.memory.search(
            call.user_id, input.query, limit=input.limit
        )
        results = [{"path": file.path, "snippet": snippet} for file, snippet in found]
        hint = {} if results else {"hint": "nothing found: try fewer words, or list_memory"}
        return json.dumps({"results": results} | hint, ensure_ascii=False)


tool = SearchMemory()
