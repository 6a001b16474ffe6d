"""The README's Troubleshooting has every code that a person can meet, and no other."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from growqr.agents.agent import Agent
from growqr.agents.health import EndTurn
from tests.unit.test_errors import KINDS

ROOT = Path(__file__).parents[2]
SECTION = (ROOT / "README.md").read_text().partition("\n## Troubleshooting\n")[2].split("\n## ")[0]

SAYS_CODE = {EndTurn.__name__, Agent._fail.__name__}
"""Calls whose second argument is a code, when it is written there."""


def codes_in(source: str) -> Iterator[str]:
    """Codes as they stand in a module: of a class, in an error's facts, of an end of a turn."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.ClassDef():
                yield from of_class(node)
            case ast.Dict():
                for key, value in zip(node.keys, node.values, strict=True):
                    if isinstance(key, ast.Constant) and key.value == "code":
                        yield from text(value)
            case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)):
                if name in SAYS_CODE and len(node.args) > 1:
                    yield from text(node.args[1])
            case ast.Assign(targets=[ast.Name(id="_CODES")], value=ast.Dict(values=values)):
                for value in values:
                    yield from text(value)


def of_class(node: ast.ClassDef) -> Iterator[str]:
    for line in node.body:
        if isinstance(line, ast.Assign):
            target, value = line.targets[0], line.value
            if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
                target, value = target.elts[0], value.elts[0]
            if isinstance(target, ast.Name) and target.id == "code":
                yield from text(value)


def text(node: ast.expr) -> Iterator[str]:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value


def used() -> set[str]:
    """Every code that the product can utter."""
    files = [*(ROOT / "growqr").rglob("*.py"), *(ROOT / "deployments").glob("*.py")]
    found = {code for file in files for code in codes_in(file.read_text())}
    return found | {kind.code for kind in KINDS}


def rows() -> list[list[str]]:
    lines = [line for line in SECTION.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]


def told() -> list[str]:
    """The codes of the second table, in its order."""
    cells = [row[0] for row in rows() if row[0].startswith("`") and len(row) == 3]
    return [code for cell in cells for code in re.findall(r"`([a-z_]+)`", cell)]


def test_every_code_has_its_row_and_every_row_its_code():
    assert set(told()) == used()


def test_no_code_stands_twice():
    assert len(set(told())) == len(told())


def test_every_row_has_a_cause_and_a_remedy():
    assert len(rows()) > 30
    assert [row for row in rows() if len(row) != 3 or not all(row)] == []


@pytest.mark.parametrize(
    "seen",
    ["valid bearer token is required", "Gitea did not become ready", "OpenCode exits at once",
     "no free ports", "no subnet is left"],
)  # fmt: skip
def test_what_people_met_most_often_is_there(seen: str):
    [row] = [row for row in rows() if seen in row[0]]
    assert re.search(r"`[^`]+`", row[2]), "a command or a setting"


def test_settings_it_names_exist():
    example = (ROOT / ".env.example").read_text()
    named = set(
        re.findall(r"`((?:GROWQR|USER|GITEA|OPENCODE|LLM|DATABASE)_[A-Z_]+)(?:=\w+)?`", SECTION)
    )
    assert [name for name in sorted(named) if name not in example and name != "GROWQR_DATA"] == []
    assert len(named) > 10
