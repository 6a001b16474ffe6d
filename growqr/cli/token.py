"""growqr token: a bearer token for a local user, minted from the key file, without the instance."""

from __future__ import annotations

import json
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

import typer

from growqr import config
from growqr.cli.client import User
from growqr.cli.db import instance_settings, with_store
from growqr.errors import GrowqrError
from growqr.identity import mint
from growqr.identity.local_issuer import LIFETIME
from growqr.names import local_user_id

if TYPE_CHECKING:
    from growqr.store import Store


def register(app: typer.Typer) -> None:
    """Add `token`."""
    app.command("token")(token)


def token(
    user: str = User,
    as_json: bool = typer.Option(False, "--json", help="As one JSON object."),
) -> None:
    """Print a bearer token, good for 12 hours, alone on the last line."""
    minted = mint(config.load(), user)
    with suppress(GrowqrError):  # good without the instance, too; then nobody keeps a log
        with_store(instance_settings(None), lambda store: _note(store, user))
    if as_json:
        print(json.dumps({"user": user, "token": minted, "expires_in": int(LIFETIME)}))
        return
    if sys.stdout.isatty():
        print(f"token of {user}, good for {LIFETIME / 3600:.0f} hours:", file=sys.stderr)
    print(minted)


async def _note(store: Store, user: str) -> None:
    from growqr.store import OPERATOR

    await store.audit.note(OPERATOR, "token.made", local_user_id(user))
