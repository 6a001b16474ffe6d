"""The code keeps its shape, and what users read is complete. See rules.py for the rules."""

from __future__ import annotations

import ast
import re
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from growqr.config import CLIENT_KEYS, SNAPSHOT, Providers, Settings
from growqr.events import EventType
from growqr.tools import discover
from tests.unit.rules import LAYERS, MAX_LINES, offences

ROOT = Path(__file__).parents[2]
SOURCES = sorted(
    path for folder in ("growqr", "deployments") for path in (ROOT / folder).rglob("*.py")
)
README = (ROOT / "README.md").read_text()


def module_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@pytest.mark.parametrize("path", SOURCES, ids=module_of)
def test_every_module_keeps_the_rules(path: Path) -> None:
    assert offences(module_of(path), path.read_text()) == []


PLANTED = [
    ("growqr.agents.x", "import ray", "uses ray"),
    ("growqr.api.x", "from ray import serve", "uses ray"),
    ("growqr.agents.x", "async def f():\n    import psycopg.rows", "uses psycopg"),
    ("growqr.agents.x", "from anthropic import AsyncAnthropic", "uses anthropic"),
    ("growqr.models.x", "import anthropic", "import it where it is used"),
    ("growqr.memory.x", "try:\n    import pygit2\nexcept ImportError: ...", "where it is used"),
    ("growqr.store.x", "import fastapi", "uses fastapi"),
    ("growqr.identity.local_issuer", "from jose import jwt", "uses jose"),
    ("growqr.store.x", "import os\nx = os.environ['A']", "uses os.environ"),
    ("growqr.cli.x", "from os import getenv", "uses os.environ"),
    ("growqr.api.x", "import os\ndef f(): os.getenv('A')", "uses os.environ"),
    ("growqr.agents.x", "from subprocess import run", "uses subprocess"),
    ("growqr.api.x", "import asyncio\nasyncio.create_subprocess_exec('a')", "uses subprocess"),
    ("growqr.store.x", "from growqr.agents import Agent", "not below it"),
    ("growqr.store.x", "from growqr import memory", "not below it"),
    ("growqr.actors.x", "import growqr.api.app", "not below it"),
    ("growqr.store.x", "from growqr.instance import Record", "not below it"),
    ("growqr.api.x", "import deployments.api", "not below it"),
    ("growqr.memory.x", "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n"
     "    from growqr.tools import Tool", "not below it"),
    ("growqr.memory.x", "from . import paths", "relative import"),
    ("growqr.unheard_of", "from growqr.store import Store", "no line of the table"),
    ("growqr.store.x", "from growqr.unheard_of import y", "no line of the table"),
    ("growqr.api.x", "x = 1\n" * (MAX_LINES + 1), "401 lines"),
    ("growqr.api.user_helper", "", "user_helper"),
    ("growqr.api.x", "class TurnManager: ...", "TurnManager"),
    ("growqr.api.x", "def user_data(): ...", "user_data"),
]  # fmt: skip


@pytest.mark.parametrize(("module", "source", "offence"), PLANTED)
def test_planted_offences_are_caught(module: str, source: str, offence: str) -> None:
    assert any(offence in found for found in offences(module, source))


ALLOWED = [
    ("growqr.actors.x", "import ray\nfrom growqr.agents import Agent\nfrom growqr import names"),
    ("growqr.models.x", "def f():\n    import anthropic"),
    ("growqr.states", "from growqr.errors import Conflict"),
    ("growqr.api", "from growqr.api.app import make_app\nfrom growqr import __version__"),
    ("growqr.config", "import os\nx = os.environ"),
    ("growqr.store.x", "x = 1\n" * MAX_LINES),
    ("growqr.api.x", "def data(): ..."),
]


@pytest.mark.parametrize(("module", "source"), ALLOWED)
def test_what_is_allowed_passes(module: str, source: str) -> None:
    assert offences(module, source) == []


def rooms() -> list[Path]:
    return sorted(path for path in (ROOT / "growqr").iterdir() if (path / "__init__.py").exists())


@pytest.mark.parametrize("room", rooms(), ids=lambda path: path.name)
def test_every_room_has_a_door(room: Path) -> None:
    tree = ast.parse((room / "__init__.py").read_text())
    assert ast.get_docstring(tree)
    assigned = [
        target.id
        for node in tree.body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    ]
    assert "__all__" in assigned


def test_every_source_file_is_in_the_table() -> None:
    known = set().union(*LAYERS) | {"__init__"}
    found = {path.relative_to(ROOT / "growqr").parts[0] for path in SOURCES if "growqr" in str(path)
             and path.is_relative_to(ROOT / "growqr")}  # fmt: skip
    assert {name.removesuffix(".py") for name in found} <= known


def test_no_test_file_is_longer_than_the_limit() -> None:
    long = [
        path.name
        for path in (ROOT / "tests").rglob("*.py")
        if path.read_text().count("\n") > MAX_LINES
    ]
    assert long == []


def variables(field: str, alias: Any) -> list[str]:
    """Names of the environment variables that set a field, the first one to be documented."""
    choices = [name for name in getattr(alias, "choices", ()) if name.isupper()]
    return choices or [f"GROWQR_{field.upper()}"]


def settings() -> dict[str, tuple[list[str], Any]]:
    """Field → (its variables, its default) of everything that can be set."""
    fields: dict[str, Any] = {**Settings.model_fields, **Providers.model_fields}
    return {
        name: (variables(name, field.validation_alias), field.get_default())
        for name, field in fields.items()
    }


def documented() -> dict[str, tuple[str, str]]:
    """Variable → (comment above it, value shown) in .env.example."""
    lines = (ROOT / ".env.example").read_text().splitlines()
    found = {}
    for above, line in pairwise(lines):
        if match := re.fullmatch(r"# ([A-Z][A-Z0-9_]+)=(.*)", line):
            found[match[1]] = (above, match[2])
    return found


@pytest.mark.parametrize(("field", "setting"), settings().items(), ids=list(settings()))
def test_every_setting_is_in_the_example(field: str, setting: tuple[list[str], Any]) -> None:
    names, default = setting
    shown = documented()
    assert names[0] in shown, f".env.example lacks {names[0]}"
    comment, value = shown[names[0]]
    assert re.fullmatch(r"# [A-Z].*[.:].*", comment), f"{names[0]} has no comment line above it"
    assert all(name in comment for name in names[1:])
    if isinstance(default, (bool, int, float)):
        assert float(value) == float(default)
    elif isinstance(default, str):
        assert value == default


def test_the_example_has_no_setting_that_is_not_there() -> None:
    known = {name for names, _ in settings().values() for name in names}
    assert documented().keys() <= known | (CLIENT_KEYS - {SNAPSHOT})


@pytest.mark.parametrize("kind", list(EventType))
def test_every_event_is_in_the_readme(kind: EventType) -> None:
    assert f"`{kind.value}`" in README


@pytest.mark.parametrize("tool", discover())
def test_every_tool_is_in_the_readme(tool: str) -> None:
    assert f"`{tool}`" in README


def test_the_layers_of_the_readme_are_those_of_the_rules() -> None:
    block = README.split("**Rooms.**")[1].split("```")[1].strip().splitlines()
    drawn = [set(re.findall(r"\w+", line)) for line in reversed(block)]
    present = {module_of(path).removeprefix("growqr.").split(".")[0] for path in SOURCES}
    assert drawn == [rooms for layer in LAYERS if (rooms := layer & present)]
