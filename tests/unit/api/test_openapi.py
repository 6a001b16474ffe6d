"""The committed document is the one the code makes, and says what may go wrong."""

from __future__ import annotations

import json
from pathlib import Path

from growqr.api.openapi import text


def test_committed_document_is_current() -> None:
    committed = Path(__file__).parents[3] / "openapi.json"
    assert committed.read_text() == text(), "run: python -m growqr.api.openapi > openapi.json"


def test_document_speaks_of_canonical_paths_and_problems() -> None:
    document = json.loads(text())
    assert "/api/v1/actors/{user}/message" in document["paths"]
    assert "/actors/{user}/message" not in document["paths"]
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            errors = {code for code in operation["responses"] if code >= "400"}
            signed = "security" in operation
            assert "401" in errors or not signed, (method, path)
            for code in errors:
                content = operation["responses"][code]["content"]
                assert list(content) == ["application/problem+json"], (method, path, code)
            keys = [p for p in operation.get("parameters", []) if p["name"] == "Idempotency-Key"]
            assert len(keys) == (method == "post" and signed), (method, path)
