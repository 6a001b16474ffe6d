"""growqr attach: follow a turn from its beginning to its end, through cuts and restarts."""

from __future__ import annotations

import sys
from contextlib import aclosing

import typer

from growqr.cli.client import Client, User, run
from growqr.cli.transcript import Transcript
from growqr.errors import Invalid, NotFound
from growqr.events import EventType
from growqr.names import is_id

EVENTS = "/actors/me/events"
_ENDED = frozenset({"completed", "failed", "cancelled"})


def register(app: typer.Typer) -> None:
    """Add `attach`."""
    app.command("attach")(attach)


def attach(
    turn: str = typer.Argument(help="Turn id, as chat --detach prints it."),
    until: str | None = typer.Option(None, help="End with 0 at the first event of this type."),
    user: str = User,
    as_json: bool = typer.Option(False, "--json", help="One JSON object per event."),
) -> None:
    """Show a turn's events from the first, follow it live, and exit with its outcome."""
    _check(turn, until)
    raise typer.Exit(run(_attach(turn, until, user, as_json), f"it goes on: growqr attach {turn}"))


async def follow(
    client: Client, turn_id: str, after: int, *, until: str | None, as_json: bool
) -> int:
    """Show the turn's events after `after`, and those of its sub-agents; returns the exit code.

    0: completed, or `until` was seen. 1: failed, cancelled, or ended without `until`.
    """
    transcript = Transcript(turn_id, sys.stdout, sys.stderr, as_json=as_json)
    async with aclosing(client.events(EVENTS, after)) as events:
        async for event in events:
            if event.type == "reset":  # the turn's events may be among those no longer kept
                turn = await client.get(f"/turns/{turn_id}")
                if turn["state"] in _ENDED:
                    transcript.finished(turn)
            elif transcript.take(event) and event.type == until:
                return 0
            if transcript.outcome is not None:
                break
    if until is None and transcript.outcome is not None:
        return transcript.outcome
    print(f"growqr: the turn ended without {until}", file=sys.stderr)
    return 1


async def _attach(turn_id: str, until: str | None, user: str, as_json: bool) -> int:
    async with Client(user) as client:
        turn = await client.get(f"/turns/{turn_id}")
        after = int(turn["seq"]) - 1
        return await follow(client, turn_id, after, until=until, as_json=as_json)


def _check(turn: str, until: str | None) -> None:
    if not is_id(turn, "trn"):
        raise NotFound(f"{turn!r} is no turn id; it looks like trn_0198…, chat --detach prints it")
    known = [*(kind.value for kind in EventType), "delta"]
    if until is not None and until not in known:
        raise Invalid(f"there is no event {until!r}; known are {', '.join(known)}")
