"""Tools are found in their folder, defined for the model, and their inputs checked with hints."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from growqr.errors import ToolError
from growqr.models import INVALID_JSON
from growqr.tools import Tool, choose, definitions, discover, validate

LEAF = """
from growqr.tools import Tool, ToolInput
class Nothing(Tool):
    name, description, effect, Input = "{name}", "Does nothing.", "read_only", ToolInput
    async def run(self, call, input):
        return "ok"
tool = Nothing()
"""


@pytest.fixture
def tools() -> dict[str, Tool[Any]]:
    return discover()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    package = tmp_path / "leaves_of_a_test"
    package.mkdir()
    (package / "__init__.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    for name in [name for name in sys.modules if name.startswith(package.name)]:
        monkeypatch.delitem(sys.modules, name)
    return package


def test_the_tools_are_found_with_their_effects(tools: dict[str, Tool[Any]]) -> None:
    assert {name: tool.effect for name, tool in tools.items()} == {
        "ask_user": "idempotent",
        "commit_memory": "idempotent",
        "list_memory": "read_only",
        "list_sub_agents": "read_only",
        "read_memory": "read_only",
        "run_sub_agent": "idempotent",
        "search_memory": "read_only",
        "set_timer": "idempotent",
        "spawn_sub_agent": "idempotent",
        "stop_sub_agent": "idempotent",
    }


def test_a_leaf_is_one_new_file(folder: Path) -> None:
    (folder / "first.py").write_text(LEAF.format(name="nothing"))
    assert list(discover(folder.name)) == ["nothing"]


def offer(folder: Path, **entries: str) -> None:
    """As an installed package does: its metadata beside its modules."""
    metadata = folder.parent / "tools_of_others-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: tools-of-others\nVersion: 1.0\n"
    )
    lines = [f"{name} = {value}" for name, value in entries.items()]
    (metadata / "entry_points.txt").write_text("\n".join([f"[{folder.name}]", *lines, ""]))


def test_tools_of_other_packages_are_found_by_their_entry_points(folder: Path) -> None:
    (folder.parent / "theirs.py").write_text(LEAF.format(name="foreign"))
    (folder.parent / "more.py").write_text(LEAF.format(name="instance"))
    offer(folder, a="theirs", b="more:tool")
    assert list(discover(folder.name)) == ["foreign", "instance"]


def test_a_broken_tool_of_another_package_is_named_and_left_out(
    folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (folder / "own.py").write_text(LEAF.format(name="nothing"))
    (folder.parent / "same.py").write_text(LEAF.format(name="nothing"))
    (folder.parent / "fails.py").write_text("raise RuntimeError('no luck')")
    (folder.parent / "good.py").write_text(LEAF.format(name="useful"))
    offer(folder, taken="same", broken="fails", absent="nowhere_to_be_found", fine="good")
    found = discover(folder.name)
    assert list(found) == ["nothing", "useful"]
    assert type(found["nothing"]).__module__ == f"{folder.name}.own", "ours is not replaced"
    told = capfd.readouterr()
    for name in ("taken = same", "broken = fails", "no luck", "absent = nowhere"):
        assert name in told.out + told.err


def test_two_tools_of_one_name_are_refused(folder: Path) -> None:
    for module in ("first", "second"):
        (folder / f"{module}.py").write_text(LEAF.format(name="nothing"))
    with pytest.raises(ValueError, match=r"two tools are named nothing.*second"):
        discover(folder.name)


def test_a_module_without_a_tool_is_refused(folder: Path) -> None:
    (folder / "empty.py").write_text("x = 1")
    with pytest.raises(TypeError, match=r"empty has no `tool`"):
        discover(folder.name)


def test_definitions_are_valid_sorted_and_described(tools: dict[str, Tool[Any]]) -> None:
    defined = definitions(dict(reversed(tools.items())))
    assert [entry["name"] for entry in defined] == sorted(tools)
    for entry in defined:
        schema = entry["input_schema"]
        jsonschema.Draft202012Validator.check_schema(schema)
        assert schema["type"] == "object"
        assert schema["additionalProperties"] is False
        assert "title" not in str(schema)
        assert all(field["description"] for field in schema["properties"].values())
    commit = next(entry for entry in defined if entry["name"] == "commit_memory")
    assert commit["input_schema"]["required"] == ["path", "content"]


def test_right_input_passes(tools: dict[str, Tool[Any]]) -> None:
    raw = {"path": "a.md", "content": "x"}
    assert validate(tools["commit_memory"], raw).model_dump() == raw | {"message": ""}


WRONG = [
    ("commit_memory", {"content": "x"}, ["path"], "Field required"),
    ("commit_memory", {"path": 3, "content": "x"}, ["path"], "valid string"),
    ("commit_memory", {"path": "a", "content": "x", "text": "y"}, ["text"], "not permitted"),
    ("search_memory", {"query": "x", "limit": 500}, ["limit"], "less than or equal to 50"),
    ("search_memory", {}, ["query"], "Field required"),
    ("list_memory", "notes", ["input"], "dictionary"),
    ("list_memory", None, ["input"], "dictionary"),
]


@pytest.mark.parametrize(("name", "raw", "fields", "reason"), WRONG)
def test_wrong_input_names_the_field_and_what_it_must_be(
    tools: dict[str, Tool[Any]], name: str, raw: Any, fields: list[str], reason: str
) -> None:
    with pytest.raises(ToolError, match=reason) as caught:
        validate(tools[name], raw)
    assert caught.value.detail == {"fields": fields}
    assert f"wrong input for {name}: {fields[0]}" in caught.value.message
    assert "Required: " in caught.value.message
    assert '"description"' in caught.value.message
    assert len(caught.value.message) < 1500


def test_arguments_that_were_no_json_are_said_to_be_so(tools: dict[str, Tool[Any]]) -> None:
    with pytest.raises(ToolError, match=r"was not a JSON object\. Required: path, content"):
        validate(tools["commit_memory"], {INVALID_JSON: '{"path": "a'})


def test_an_unknown_tool_lists_the_known_ones(tools: dict[str, Tool[Any]]) -> None:
    assert choose(tools, "read_memory") is tools["read_memory"]
    with pytest.raises(ToolError, match="'rm'; known are ask_user, commit_memory"):
        choose(tools, "rm")
