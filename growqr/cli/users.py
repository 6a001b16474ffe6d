"""`growqr users`: who is here and as what, changed by whoever holds the machine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from growqr.cli.db import instance_settings, with_store
from growqr.cli.output import as_json, out, tabular
from growqr.cli.stacks_of import Json, user_id_of
from growqr.cli.up import DataOption

if TYPE_CHECKING:
    from growqr.store import Role, Store, User

PAGE = 500
Whose = Annotated[str, typer.Argument(help="A user's id, or a local user's name.")]


def register(app: typer.Typer) -> None:
    """Add the group of this file."""
    group = typer.Typer(help="Users: their roles, and who may come in.", no_args_is_help=True)
    group.command("ls")(ls)
    group.command()(promote)
    group.command()(demote)
    group.command()(suspend)
    group.command()(restore)
    app.add_typer(group, name="users")


def ls(data: DataOption = None, json: Json = False) -> None:
    """Everybody who was ever here."""
    users = with_store(instance_settings(data), _everybody)
    if json:
        as_json([user._asdict() for user in users])
        return
    table = Table("id", "name", "role", "e-mail", "state", box=None)
    for user in users:
        state = "suspended" if user.suspended_at else ""
        table.add_row(user.id, user.name, user.role, user.email or "", state)
    tabular(table)


def promote(user: Whose, data: DataOption = None) -> None:
    """Make somebody an admin."""
    _change(data, user, role="admin")


def demote(user: Whose, data: DataOption = None) -> None:
    """Make an admin a member again; the last one stays."""
    _change(data, user, role="member")


def suspend(user: Whose, data: DataOption = None) -> None:
    """Let somebody in no longer, and sign them out everywhere. Nothing of theirs is removed."""
    _change(data, user, suspended=True)


def restore(user: Whose, data: DataOption = None) -> None:
    """Let somebody in again."""
    _change(data, user, suspended=False)


def _change(
    data: DataOption, name: str, *, role: Role | None = None, suspended: bool | None = None
) -> None:
    from growqr.store import OPERATOR

    user_id = user_id_of(name)

    async def change(store: Store) -> User:
        changed = await store.users.change(user_id, OPERATOR, role=role, suspended=suspended)
        if changed.suspended_at is not None:
            await store.turns.cancel_all(user_id)  # the Supervisor tells the agents
        return changed

    changed = with_store(instance_settings(data), change)
    state = "suspended" if changed.suspended_at else changed.role
    out.print(f"{changed.id} ({changed.name}) is {state} now", markup=False)


async def _everybody(store: Store) -> list[User]:
    found: list[User] = []
    while page := await store.users.list(limit=PAGE, after=found[-1].id if found else None):
        found += page
    return found
