"""Prints the OpenAPI document: `python -m growqr.api.openapi > openapi.json`."""

from __future__ import annotations

import json
import sys
import tempfile

from growqr.api import make_app
from growqr.config import Settings
from growqr.directory import Lease
from growqr.store import Store


class _Nobody:
    async def wake(self, lease: Lease) -> None:
        """There are no agents while the document is printed."""

    async def watch(self, lease: Lease) -> None:
        """There are no agents while the document is printed."""

    async def stop(self, lease: Lease) -> None:
        """There are no agents while the document is printed."""


def text() -> str:
    """The document as it is committed: sorted, one line per value."""
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings.model_validate({"data": folder})
        app = make_app(settings, Store("postgresql://nowhere", 1), _Nobody())
        return json.dumps(app.openapi(), indent=1, sort_keys=True) + "\n"


if __name__ == "__main__":
    sys.stdout.write(text())
