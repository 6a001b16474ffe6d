"""Wishes about users' services: begun anew, ended, tidied up. The Host carries them out."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Final, Literal, cast

import typer

from growqr.cli.db import instance_settings
from growqr.cli.output import as_json, err, out
from growqr.cli.stacks_of import Json, known, named, user_id_of
from growqr.cli.up import DataOption
from growqr.config import Settings
from growqr.errors import GrowqrError, Invalid
from growqr.store import OPERATOR, Service, Store, open_store

PATIENCE: Final = 60.0
"""Seconds until the Host must have done what was wished."""

_POLL: Final = 0.3
Role = Literal["opencode", "gitea"]
User = Annotated[str, typer.Argument(help="A user, or the name of a service.")]
NoWait = Annotated[bool, typer.Option("--no-wait", help="Do not wait until it is done.")]
Done = Callable[[Service], bool]


class NotDone(GrowqrError):
    """The Host has not done it, or could not."""

    code = "not_done"


def restart(
    user: User,
    role: Annotated[str | None, typer.Argument(help="opencode or gitea; else what runs.")] = None,
    data: DataOption = None,
    no_wait: NoWait = False,
    json: Json = False,
) -> None:
    """Begin a user's services anew, data kept; work inside is interrupted and goes on."""

    async def wish(store: Store) -> tuple[list[Service], Done | None]:
        user_id, wanted = _whose(user, role)
        chosen = [s for s in await known(store, user_id, wanted) if wanted or s.desired == "ready"]
        before = {s.role: s.spec_sha for s in chosen}
        for service in chosen:
            await store.audit.note(OPERATOR, "stack.restarted", user_id, role=service.role)
            await store.services.want(user_id, cast("Role", service.role), "ready", anew=True)
        return chosen, lambda s: s.state == "ready" and s.spec_sha != before[s.role]

    _wish(data, wish, "restarted", wait=not no_wait, json=json)


def rm(user: User, data: DataOption = None, no_wait: NoWait = False, json: Json = False) -> None:
    """End a user's services and remove their containers; what they hold stays."""

    async def wish(store: Store) -> tuple[list[Service], Done | None]:
        user_id, role = named(user)
        chosen = await known(store, user_id, role)
        for service in chosen:
            await store.audit.note(OPERATOR, "stack.removed", user_id, role=service.role)
            await store.services.want(user_id, cast("Role", service.role), "stopped")
        return chosen, lambda s: s.state in ("stopped", "absent")

    settings = _wish(data, wish, "removed", wait=not no_wait, json=json)
    if not json:
        out.print(f"data stays in {settings.users_folder / named(user)[0]}", markup=False)


def gc(data: DataOption = None, no_wait: NoWait = False, json: Json = False) -> None:
    """Have services that nobody wants, or that nobody knows, ended and removed now."""

    async def wish(store: Store) -> tuple[list[Service], Done | None]:
        over = [
            s
            for s in await store.services.newest(1000)
            if s.desired == "stopped" and s.state not in ("stopped", "absent")
        ]
        for service in over:
            await store.services.want(service.user_id, cast("Role", service.role), "stopped")
        store.services.sweep()
        return over, lambda s: s.state in ("stopped", "absent")

    _wish(data, wish, "removed", wait=not no_wait, json=json)
    if not json:
        out.print("services that nobody knows are removed by the Host within half a minute")


def _whose(user: str, role: str | None) -> tuple[str, str | None]:
    if role not in (None, "opencode", "gitea"):
        raise Invalid(f"a service is opencode or gitea, not {role!r}")
    return (user_id_of(user), role) if role else named(user)


def _wish(
    data: Path | None,
    wish: Callable[[Store], Coroutine[Any, Any, tuple[list[Service], Done | None]]],
    verb: str,
    *,
    wait: bool,
    json: bool,
) -> Settings:
    """Say it, wait until it is so, and show what became of it. Raises NotDone."""
    settings = instance_settings(data)

    async def run() -> list[Service]:
        async with open_store(settings, 2) as store:
            chosen, done = await wish(store)
            if not wait or done is None:
                return chosen
            return await _waited(store, chosen, done, silent=json)

    services = asyncio.run(run())
    if json:
        as_json([service._asdict() for service in services])
        return settings
    for service in services:
        told = f"{verb}: {service.state}" if wait else f"to be {verb}"
        where = f" at {service.address}" if wait and service.address else ""
        out.print(f"{service.user_id} {service.role} {told}{where}", markup=False)
    if not services:
        out.print(f"nothing had to be {verb}")
    return settings


async def _waited(
    store: Store, chosen: list[Service], done: Done, *, silent: bool
) -> list[Service]:
    end, shown = time.monotonic() + PATIENCE, dict[tuple[str, str], str]()
    before = [service.updated_at for service in chosen]
    while True:
        found = [await _again(store, service) for service in chosen]
        for service in found:
            key, state = (service.user_id, service.role), _state(service)
            if not silent and shown.get(key) != state:
                err.print(f"  {service.role:<9} {state}", markup=False)
                shown[key] = state
        if all(done(service) for service in found):
            return found
        late = [service for service in found if not done(service)]
        failed = any(_failed_since(s, then) for s, then in zip(found, before, strict=True))
        if failed or time.monotonic() > end:
            told = "; ".join(f"{s.role} of {s.user_id} is {_state(s)}" for s in late)
            raise NotDone(f"not done: {told}; see growqr stacks inspect {late[0].user_id}")
        await asyncio.sleep(_POLL)


async def _again(store: Store, service: Service) -> Service:
    return await store.services.get(service.user_id, service.role) or service


def _failed_since(service: Service, then: datetime) -> bool:
    return service.state in ("failed", "backoff") and service.updated_at > then


def _state(service: Service) -> str:
    return f"{service.state} ({service.reason})" if service.reason else service.state
