"""How commands speak: plain lines for people, JSON for machines, progress on stderr."""

from __future__ import annotations

import json
from typing import Any

from rich.console import Console
from rich.status import Status
from rich.table import Table

from growqr.instance import Record

out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)

WIDE = 1000
"""Columns of what nobody's terminal shows."""


def as_json(value: Any) -> None:
    """One JSON document on stdout."""
    print(json.dumps(value, indent=2, default=str))


def tabular(table: Table) -> None:
    """A table; where no terminal shows it, no column is cut."""
    console = out if out.is_terminal else Console(file=out.file, width=WIDE, highlight=False)
    console.print(table)


def seconds(value: float) -> str:
    """1.2 s · 3 min 4 s · 2 h 5 min."""
    if value < 60:
        return f"{value:.1f} s"
    minutes, rest = divmod(int(value), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min"


class Progress:
    """Prints each phase of a start once it is over, with its seconds."""

    def __init__(self, *, silent: bool = False) -> None:
        self._shown: set[str] = set()
        self._silent = silent
        self._spinner = Status("starting", console=err)

    def __enter__(self) -> Progress:
        if not self._silent and err.is_terminal:
            self._spinner.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._spinner.stop()

    def __call__(self, record: Record) -> None:
        """Show what is new in this record."""
        for name, took in record.phases.items():
            if name not in self._shown and not self._silent:
                err.print(f"  {name:<9} {took:5.1f} s")
            self._shown.add(name)
