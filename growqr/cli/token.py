"""growqr token: a bearer token for a local user, minted from the key file, without the instance."""

from __future__ import annotations

import json
import sys

import typer

from growqr import config
from growqr.cli.client import User
from growqr.identity import mint
from growqr.identity.local_issuer import LIFETIME


def register(app: typer.Typer) -> None:
    """Add `token`."""
    app.command("token")(token)


def token(
    user: str = User,
    as_json: bool = typer.Option(False, "--json", help="As one JSON object."),
) -> None:
    """Print a bearer token, good for 12 hours, alone on the last line."""
    minted = mint(config.load(), user)
    if as_json:
        print(json.dumps({"user": user, "token": minted, "expires_in": int(LIFETIME)}))
        return
    if sys.stdout.isatty():
        print(f"token of {user}, good for {LIFETIME / 3600:.0f} hours:", file=sys.stderr)
    print(minted)
