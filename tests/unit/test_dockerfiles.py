"""Every recipe stays within what an engine's own builder knows, without a plugin."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
RECIPES = sorted(
    path for room in ("deployments", "tests") for path in (ROOT / room).rglob("*Dockerfile*")
    if path.is_file() and path.suffix != ".py"
)  # fmt: skip

BEYOND = (
    re.compile(r"^\s*#\s*syntax\s*=", re.MULTILINE | re.IGNORECASE),
    re.compile(r"^\s*(COPY|ADD)\b.*--(chmod|link|parents|exclude|checksum)", re.MULTILINE),
    re.compile(r"^\s*RUN\b.*--(mount|network|security)", re.MULTILINE),
    re.compile(r"^\s*(RUN|COPY)\b.*<<-?\s*['\"]?\w", re.MULTILINE),
)
"""A syntax line, flags of BuildKit, heredocs."""


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda path: path.parent.name)
def test_a_recipe_needs_no_plugin(recipe: Path) -> None:
    text = recipe.read_text()
    assert [pattern.pattern for pattern in BEYOND if pattern.search(text)] == []


def test_the_recipes_are_found_and_the_check_can_fail() -> None:
    assert ROOT / "deployments" / "images" / "opencode" / "Dockerfile" in RECIPES
    for text in ("# syntax=docker/dockerfile:1", "COPY --chmod=755 a b", "RUN cat <<EOF"):
        assert any(pattern.search(text) for pattern in BEYOND)
    assert any(pattern.search("RUN --mount=type=cache true") for pattern in BEYOND)
