"""Tools: what the model may call. One leaf is one module with one `tool`.

    base              what a tool is, what it is given
    commit_memory … search_memory     the leaves, found by `discover`

A mistake of the model is a ToolError whose message tells it how to mend the call.
"""

from growqr.tools.base import (
    NOT_HAPPENED,
    Delegated,
    Effect,
    Result,
    Tool,
    ToolCall,
    ToolInput,
    ToolServices,
)
from growqr.tools.catalogue import choose, definitions, discover, validate

__all__ = [
    "NOT_HAPPENED",
    "Delegated",
    "Effect",
    "Result",
    "Tool",
    "ToolCall",
    "ToolInput",
    "ToolServices",
    "choose",
    "definitions",
    "discover",
    "validate",
]
