"""The door of every route: token first, then the body, then the idempotency key.

A caller without a token learns nothing and costs nothing. `{user}` in a path is the caller or 404.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Coroutine
from typing import Annotated, Any

from fastapi import Depends, Path, Request, Response
from fastapi.routing import APIRoute
from fastapi.security import HTTPBearer

from growqr.api.context import Context, context
from growqr.api.idempotency import KEY_HEADER, check_key, once
from growqr.api.inputs import Body
from growqr.errors import Invalid, NotFound
from growqr.identity import Identity

MAX_DEPTH = 32
"""Levels of nesting in a JSON body."""

_TOKENS = re.compile(rb'"(?:[^"\\]|\\.)*+"?|[\[{]|[\]}]', re.DOTALL)

Endpoint = Callable[[Request], Coroutine[Any, Any, Response]]


class Door(APIRoute):
    """A route for callers with a token. A key on its POSTs is the endpoint's own affair."""

    def get_route_handler(self) -> Endpoint:
        """FastAPI's own handling, once the caller and the body are known to be good."""
        inner = super().get_route_handler()

        async def guarded(request: Request) -> Response:
            here = context(request)
            request.state.caller = await admit(here, request)
            if request.method in ("POST", "PUT", "PATCH"):
                check_depth(await request.body())
            return await self.answer(request, inner)

        return guarded

    async def answer(self, request: Request, inner: Endpoint) -> Response:
        """The endpoint's answer."""
        return await inner(request)


class OnceDoor(Door):
    """A door whose POSTs have one effect and one answer per Idempotency-Key."""

    async def answer(self, request: Request, inner: Endpoint) -> Response:
        """The endpoint's answer, or the one an equal request already got."""
        key = check_key(request.headers.get(KEY_HEADER))
        if request.method != "POST" or key is None:
            return await inner(request)
        caller: Identity = request.state.caller
        here = context(request)
        async with here.keyed:
            return await once(here.store, caller.user_id, key, request, inner)


async def admit(here: Context, request: Request) -> Identity:
    """Who is calling. Mirrors a user at first sight. Raises Unauthorized."""
    caller = await here.verifier.verify(request.headers.getlist("authorization"))
    if caller.user_id not in here.known_users:
        await here.store.users.ensure(
            caller.user_id, issuer=caller.issuer, subject=caller.subject, name=caller.name
        )
        here.known_users.add(caller.user_id)
    return caller


def check_depth(body: bytes) -> None:
    """Refuse JSON nested deeper than any of ours. Raises Invalid."""
    if body.count(b"[") + body.count(b"{") <= MAX_DEPTH:
        return
    depth = 0
    for token in _TOKENS.finditer(body):
        first = token[0][:1]
        depth += (first in b"[{") - (first in b"]}")
        if depth > MAX_DEPTH:
            raise Invalid(f"the body is nested deeper than {MAX_DEPTH} levels")


_declared = HTTPBearer(auto_error=False, description="A token of `growqr token`.")


def _caller(request: Request, _: Annotated[object, Depends(_declared)]) -> Identity:
    caller: Identity = request.state.caller
    return caller


Caller = Annotated[Identity, Depends(_caller)]


def own(caller: Identity, user: str | None) -> str:
    """The caller's id, if `user` means the caller. Raises NotFound, foreign or unknown alike."""
    if user is not None and user not in ("me", caller.user_id):
        raise NotFound("there is no such user")
    return caller.user_id


def asked(caller: Identity, body: Body | None) -> str:
    """The caller's id, if the body names nobody else. Raises NotFound."""
    return own(caller, body.user_id if body else None)


def _owner(user: Annotated[str, Path(description="`me` or your own id")], caller: Caller) -> str:
    return own(caller, user)


Owner = Annotated[str, Depends(_owner)]
