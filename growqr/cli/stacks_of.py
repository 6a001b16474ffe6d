"""Whose services a `growqr stacks` command means."""

from __future__ import annotations

import re
from typing import Annotated

import typer

from growqr.errors import Invalid, NotFound
from growqr.names import LOCAL_USER, local_user_id
from growqr.store import Service, Store

UserOption = Annotated[str | None, typer.Option("--user", help="Only this user's.")]
Json = Annotated[bool, typer.Option("--json", help="Answer in JSON.")]

_SERVICE = re.compile(r"[a-z][a-z0-9-]*-(opencode|gitea)-(u_[A-Za-z0-9_-]+)")


def named(name: str) -> tuple[str, str | None]:
    """(user id, role) of a service's name, (user id, None) of a user."""
    if found := _SERVICE.fullmatch(name):
        return found[2], found[1]
    return user_id_of(name), None


def user_id_of(name: str) -> str:
    """The id of a user given by id or by name. Raises Invalid."""
    if name.startswith("u_"):
        return name
    if not LOCAL_USER.fullmatch(name):
        raise Invalid(f"{name!r} is neither a user, nor a user's id, nor a service's name")
    return local_user_id(name)


async def known(store: Store, user_id: str, role: str | None) -> list[Service]:
    """The user's services, or the one of this role. Raises NotFound when nobody wanted any."""
    found = [s for s in await store.services.of(user_id) if role in (None, s.role)]
    if not found:
        what = f"service {role}" if role else "services"
        raise NotFound(f"the user {user_id} has no {what}; growqr stacks ls shows whose there are")
    return found
