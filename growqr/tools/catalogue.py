"""The tools of this installation, their definitions for the model, and the check of a call."""

from __future__ import annotations

import json
import pkgutil
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from pydantic import ValidationError

from growqr.errors import ToolError
from growqr.logs import log
from growqr.models import INVALID_JSON
from growqr.tools.base import Tool, ToolInput

_NO_LEAVES = frozenset({"base", "catalogue"})
_MAX_VALUE = 120
_log = log("tools")


def discover(package: str = "growqr.tools") -> dict[str, Tool[Any]]:
    """Every tool by name: the `tool` of each module of a folder, then those of other packages.

    Others offer theirs as entry points of the group that has the folder's name: a module like a
    leaf, or the tool itself. One of these that is broken, or has a name that is taken, is left
    out and logged. Of the folder's own, raises TypeError for a module without a tool and
    ValueError when two have the same name.
    """
    found: dict[str, Tool[Any]] = {}
    for module in pkgutil.iter_modules(import_module(package).__path__):
        if module.name in _NO_LEAVES or module.name.startswith("_"):
            continue
        tool = _tool_of(import_module(f"{package}.{module.name}"))
        if tool.name in found:
            raise ValueError(f"two tools are named {tool.name}: rename the one in {module.name}")
        found[tool.name] = tool
    for entry in sorted(entry_points(group=package), key=lambda entry: (entry.name, entry.value)):
        try:
            tool = _brought(entry)
            if tool.name in found:
                raise ValueError(f"a tool named {tool.name} is there already")
            found[tool.name] = tool
        except Exception as error:  # noqa: BLE001  another's defect must not end the agent
            _log.error(
                "tool left out", entry_point=f"{entry.name} = {entry.value}", reason=str(error)
            )
    return found


def definitions(tools: dict[str, Tool[Any]]) -> list[dict[str, Any]]:
    """Tool definitions of the Messages API, by name: equal for equal tools, so caches hold."""
    return [
        {
            "name": tool.name,
            "description": tool.description,
            "input_schema": _plain(tool.Input.model_json_schema()),
        }
        for _, tool in sorted(tools.items())
    ]


def choose(tools: dict[str, Tool[Any]], name: str) -> Tool[Any]:
    """The tool of this name. Raises ToolError that lists the known ones."""
    if name not in tools:
        known = ", ".join(sorted(tools))
        raise ToolError(f"there is no tool {name[:_MAX_VALUE]!r}; known are {known}")
    return tools[name]


def validate(tool: Tool[Any], raw_input: Any) -> ToolInput:
    """The call's input as the tool's own model.

    Raises ToolError naming each wrong field, what is wrong with it and what it must be; `detail`
    holds the field names.
    """
    if isinstance(raw_input, dict) and raw_input.keys() == {INVALID_JSON}:
        message = f"the input for {tool.name} was not a JSON object. {_expected(tool)}"
        raise ToolError(message, {"fields": ["input"]})
    try:
        checked: ToolInput = tool.Input.model_validate(raw_input)
    except ValidationError as error:
        problems = error.errors(include_url=False, include_context=False)
        fields = sorted({_field(problem) for problem in problems})
        wrong = "; ".join(f"{_field(problem)}: {problem['msg']}" for problem in problems[:5])
        message = f"wrong input for {tool.name}: {wrong}. {_expected(tool)}"
        raise ToolError(message, {"fields": fields}) from None
    return checked


def _brought(entry: EntryPoint) -> Tool[Any]:
    """The tool an entry point names. Raises whatever is wrong with it."""
    tool = _tool_of(entry.load())
    definitions({tool.name: tool})  # a schema that cannot be made would fail every model call
    return tool


def _tool_of(leaf: Any) -> Tool[Any]:
    tool = leaf if isinstance(leaf, Tool) else getattr(leaf, "tool", None)
    if not isinstance(tool, Tool):
        where = getattr(leaf, "__name__", repr(leaf))
        raise TypeError(f"{where} has no `tool`; a leaf ends with `tool = MyTool()`")
    return tool


def _field(problem: Any) -> str:
    return ".".join(str(part) for part in problem["loc"]) or "input"


def _expected(tool: Tool[Any]) -> str:
    """One sentence with the schema, short enough to be read again by the model."""
    schema = _plain(tool.Input.model_json_schema())
    required = ", ".join(schema.get("required", [])) or "none"
    fields = json.dumps(schema.get("properties", {}), ensure_ascii=False)
    return f"Required: {required}. Fields: {fields}"


def _plain(schema: Any) -> Any:
    """The schema without pydantic's titles, which cost tokens and say nothing."""
    if isinstance(schema, list):
        return [_plain(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        key: {name: _plain(part) for name, part in value.items()}
        if key == "properties"
        else _plain(value)
        for key, value in schema.items()
        if key not in ("title", "additionalProperties") or value is False
    } | (
        {"properties": {}} if schema.get("type") == "object" and "properties" not in schema else {}
    )
