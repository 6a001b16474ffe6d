"""Figures, their references and how they are shown."""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from rich.console import Console
from rich.table import Table

Timed = Callable[[], Awaitable[float]]
"""One measurement; returns what it measured, usually seconds."""


@dataclass(frozen=True)
class Figure:
    """One line: ours beside its reference, in `unit`; p99 where there are enough samples."""

    name: str
    unit: str
    ours: list[float] = field(repr=False)
    reference_name: str = ""
    reference: list[float] = field(default_factory=list, repr=False)

    @property
    def p50(self) -> float:
        """Median of ours."""
        return statistics.median(self.ours)

    @property
    def p95(self) -> float:
        """95th percentile of ours: the largest of fewer than 20 samples."""
        return percentile(self.ours, 95)

    @property
    def p99(self) -> float | None:
        """99th percentile of ours, None for fewer than 100 samples."""
        return percentile(self.ours, 99) if len(self.ours) >= 100 else None

    @property
    def floor(self) -> float | None:
        """Median of the reference."""
        return statistics.median(self.reference) if self.reference else None

    def told(self, ratios: bool) -> dict[str, Any]:
        """The figure for JSON."""
        ratio = round(self.p50 / self.floor, 2) if ratios and self.floor else None
        summary = {
            "n": len(self.ours),
            "p50": self.p50,
            "p95": self.p95,
            "p99": self.p99,
            "max": max(self.ours),
        }
        return asdict(self) | summary | {"floor": self.floor, "ratio": ratio}


def percentile(samples: Sequence[float], percent: int) -> float:
    """The sample below which `percent` of a hundred lie."""
    ordered = sorted(samples)
    return ordered[min(len(ordered) - 1, len(ordered) * percent // 100)]


async def alternate(rounds: int, ours: Timed, reference: Timed) -> tuple[list[float], list[float]]:
    """Both in turn, so that what else the machine does meets both; the first round is not kept."""
    pairs = [(await ours(), await reference()) for _ in range(rounds + 1)][1:]
    return [pair[0] for pair in pairs], [pair[1] for pair in pairs]


async def timed(call: Callable[[], Awaitable[Any]]) -> float:
    """Milliseconds a call takes."""
    began = time.perf_counter()
    await call()
    return (time.perf_counter() - began) * 1e3


def quiet() -> bool:
    """Whether the machine has a core to spare, so that ratios mean something."""
    return os.getloadavg()[0] <= (os.cpu_count() or 1)


def show(figures: Sequence[Figure], ratios: bool) -> None:
    """Print the table."""
    table = Table("figure", "n", "p50", "p95", "p99", "unit", "reference", "floor p50", "ratio")
    for figure in figures:
        told = figure.told(ratios)
        table.add_row(
            figure.name,
            str(told["n"]),
            _number(told["p50"]),
            _number(told["p95"]),
            _number(told["p99"]),
            figure.unit,
            figure.reference_name,
            _number(told["floor"]),
            _number(told["ratio"]),
        )
    Console(width=150).print(table)


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"
