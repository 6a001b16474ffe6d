"""growqr inbox: what waits for you to decide; approve, deny and answer let the turn go on."""

from __future__ import annotations

from typing import Any

import typer
from rich.table import Table

from growqr.cli.client import Client, User, run
from growqr.cli.output import as_json as print_json
from growqr.cli.output import out

Id = typer.Argument(help="Id, as inbox shows it.")
Note = typer.Option(None, "--note", help="What the agent shall be told.")
Json = typer.Option(False, "--json", help="Answer in JSON.")


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    app.command("inbox")(inbox)
    app.command("approve")(approve)
    app.command("deny")(deny)
    app.command("answer")(answer)


def inbox(user: str = User, as_json: bool = Json) -> None:
    """List the approvals, budgets and questions that wait for you."""
    waiting = run(_waiting(user))
    if as_json:
        print_json(waiting)
        return
    table = Table("id", "kind", "asked", "options", "until")
    for one in waiting:
        until = one["expires_at"][:16].replace("T", " ")
        table.add_row(one["id"], one["kind"], asked(one["asked"]), ", ".join(one["options"]), until)
    out.print(table if waiting else "nothing waits for you")


def approve(decision: str = Id, note: str | None = Note, user: str = User) -> None:
    """Say yes: an interrupted call is made once more, a spent budget is granted once more."""
    _say(user, f"/approvals/{decision}", {"decision": "approve", "note": note})


def deny(decision: str = Id, note: str | None = Note, user: str = User) -> None:
    """Say no."""
    _say(user, f"/approvals/{decision}", {"decision": "deny", "note": note})


def answer(
    decision: str = Id, text: str = typer.Argument(help="Your answer."), user: str = User
) -> None:
    """Answer a question."""
    _say(user, f"/questions/{decision}", {"answer": text})


def asked(what: dict[str, Any]) -> str:
    """What is asked, on one line."""
    call = f"{what['name']} {what['input']}: " if what.get("name") else ""
    return call + str(what.get("text", ""))


def _say(user: str, path: str, body: dict[str, Any]) -> None:
    done = run(_post(user, path, body))
    print(f"{done['state']}; what comes of it: growqr attach {done['turn_id']}")


async def _waiting(user: str) -> list[dict[str, Any]]:
    async with Client(user) as client:
        found = [
            (await client.get(path, limit=200))["data"] for path in ("/approvals", "/questions")
        ]
    return sorted((one for page in found for one in page), key=lambda one: str(one["created_at"]))


async def _post(user: str, path: str, body: dict[str, Any]) -> dict[str, Any]:
    async with Client(user) as client:
        done: dict[str, Any] = await client.post(path, body)
        return done
