"""growqr chat: send a message and watch the turn that answers it."""

from __future__ import annotations

import json
import sys

import typer

from growqr.cli.attach import follow
from growqr.cli.client import Client, User, run


def register(app: typer.Typer) -> None:
    """Add `chat`."""
    app.command("chat")(chat)


def chat(
    text: str = typer.Argument(help="What to say; - reads it from standard input."),
    detach: bool = typer.Option(False, "--detach", help="Print the turn id and do not wait."),
    thread: str | None = typer.Option(None, help="Thread id; the master thread otherwise."),
    user: str = User,
    as_json: bool = typer.Option(False, "--json", help="One JSON object per event."),
) -> None:
    """Say something to your Grow Agent; its answer streams to standard output.

    Exit codes: 0 completed, 1 failed (the reason is on standard error), 130 Ctrl-C.
    """
    said = sys.stdin.read() if text == "-" else text
    raise typer.Exit(run(_chat(said, thread, user, detach=detach, as_json=as_json)))


async def _chat(text: str, thread: str | None, user: str, *, detach: bool, as_json: bool) -> int:
    async with Client(user) as client:
        body = {"text": text} | ({"thread_id": thread} if thread else {})
        accepted = await client.post("/actors/me/message", body)
        turn_id = accepted["turn_id"]
        if detach:
            print(json.dumps(accepted) if as_json else turn_id)
            print(f"follow it: growqr attach {turn_id}", file=sys.stderr)
            return 0
        try:
            after = accepted["seq"]
            return await follow(client, turn_id, after, until=None, as_json=as_json)
        except BaseException:  # Ctrl-C arrives here as a cancellation
            print(f"\nthe turn goes on: growqr attach {turn_id}", file=sys.stderr)
            raise
