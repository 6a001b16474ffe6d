"""The list of attacks is whole: each has its test, or a line that says what brings it."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from pathlib import Path

from tests.attack.attacks import ATTACKS
from tests.attack.later import LATER

NUMBERED = re.compile(r"test_(\d{2,3})_\w+")


def _found() -> dict[int, list[str]]:
    """Tests by their number, read and not imported: some need much to run."""
    tests = defaultdict(list)
    here = Path(__file__).parent
    for file in sorted([*here.glob("test_*.py"), *(here.parent / "ui").rglob("test_*.py")]):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and (
                named := NUMBERED.fullmatch(node.name)
            ):
                tests[int(named[1])].append(f"{file.name}::{node.name}")
    return tests


def test_every_attack_is_tried_or_waits_for_a_part_of_the_product() -> None:
    tried = set(_found())
    assert sorted(tried - set(ATTACKS)) == [], "tests of no attack in attacks.py"
    assert sorted(set(LATER) - set(ATTACKS)) == [], "lines of later.py that are no attack"
    assert sorted(tried & set(LATER)) == [], "tried, so their lines in later.py go"
    assert sorted(set(ATTACKS) - tried - set(LATER)) == [], "neither tried nor in later.py"


def test_what_waits_says_for_what() -> None:
    for number, why in LATER.items():
        assert re.fullmatch(r"[\w -]+: [^.]+\S*\.", why), (number, why)
    numbers = [int(one) for one in re.findall(r"^ +(\d+): ", _text("later.py"), re.MULTILINE)]
    assert numbers == sorted(set(numbers)) == list(LATER)


def test_numbers_are_used_once_and_in_order() -> None:
    numbers = [int(one) for one in re.findall(r"^ +(\d+): ", _text("attacks.py"), re.MULTILINE)]
    assert numbers == sorted(set(numbers)) == list(ATTACKS)


def _text(name: str) -> str:
    return (Path(__file__).parent / name).read_text()
