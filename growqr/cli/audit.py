"""`growqr audit`: who did what, which rule decided, from where; read on the machine itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from growqr.cli.db import instance_settings, with_store
from growqr.cli.output import as_json, tabular
from growqr.cli.stacks_of import Json
from growqr.cli.up import DataOption

if TYPE_CHECKING:
    from growqr.store import Entry

Who = Annotated[str | None, typer.Option("--who", help="Only this actor or subject.")]
Action = Annotated[str | None, typer.Option("--action", help="Only actions that begin so.")]
Limit = Annotated[int, typer.Option("--limit", min=1, max=10_000, help="Lines, newest first.")]


def register(app: typer.Typer) -> None:
    """Add `audit`."""
    app.command("audit")(audit)


def audit(
    who: Who = None, action: Action = None, limit: Limit = 50, data: DataOption = None,
    json: Json = False,
) -> None:  # fmt: skip
    """Show the audit log, newest first. `--json` is its export: nothing is left out."""
    entries = with_store(
        instance_settings(data),
        lambda store: store.audit.list(limit=limit, who=who, what=action),
    )
    if json:
        as_json([entry._asdict() for entry in entries])
    else:
        tabular(_table(entries))


def _table(entries: list[Entry]) -> Table:
    table = Table("when", "who", "did", "to", "outcome", "rule", "from", box=None)
    for entry in entries:
        when = entry.at.astimezone().strftime("%Y-%m-%d %H:%M:%S")
        table.add_row(
            when, entry.actor, entry.action, entry.subject, entry.outcome, entry.rule,
            entry.address,
        )  # fmt: skip
    return table
