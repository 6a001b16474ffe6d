"""`growqr link`: a one-time link that signs a browser in, made on the machine itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from growqr.cli.client import DEFAULT_USER, User
from growqr.cli.db import instance_settings, with_store
from growqr.cli.output import as_json, out
from growqr.cli.stacks_of import Json
from growqr.cli.up import DataOption
from growqr.config import Settings
from growqr.errors import InstanceError, Invalid
from growqr.identity import LocalIssuer, new_ticket
from growqr.names import LOCAL_USER, local_user_id

if TYPE_CHECKING:
    from growqr.store import Store

LIFETIME = 600
"""Seconds a link is good for."""


def register(app: typer.Typer) -> None:
    """Add `link`."""
    app.command("link")(link)


def link(
    user: str = User,
    data: DataOption = None,
    json: Json = False,
) -> None:
    """Print a link that signs a browser in, once, within 10 minutes."""
    url = sign_in_link(instance_settings(data), user)
    if json:
        as_json({"user": user, "url": url, "expires_in": LIFETIME})
    else:
        out.print(url, markup=False, soft_wrap=True)


def sign_in_link(settings: Settings, name: str = DEFAULT_USER) -> str:
    """A fresh link for the local user. Raises InstanceError where that issuer is off,
    Invalid for a name that is none.

    Its secret stands behind the `#`: browsers send it to nobody, so no log on the way has it.
    """
    if not settings.has_local_issuer:
        raise InstanceError(
            "the built-in issuer is off here, so there are no links; sign in at "
            f"{settings.site_url}, or set GROWQR_LOCAL_ISSUER=on"
        )
    if not LOCAL_USER.fullmatch(name):
        raise Invalid(f"user name {name!r} must match {LOCAL_USER.pattern}")
    ticket, sha = new_ticket()
    _keep(settings, name, sha)
    return f"{settings.site_url}/app/sign-in#link={ticket}"


def _keep(settings: Settings, name: str, sha: bytes) -> None:
    from growqr.store import OPERATOR  # costs what other commands need not pay

    user_id, issuer = local_user_id(name), LocalIssuer(settings).issuer

    async def keep(store: Store) -> None:
        await store.users.ensure(user_id, issuer=issuer, subject=name, name=name, by=OPERATOR)
        await store.sign_ins.make_link(user_id, sha, LIFETIME, OPERATOR)

    with_store(settings, keep)
