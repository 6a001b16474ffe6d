"""The door of every route: who is calling and whether they may, then the body, then the key.

A caller without a token learns nothing and costs little. `{user}` in a path is the caller or 404.
The first tag of a route is its group, which scopes of API keys and the policy speak of.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Coroutine
from typing import Annotated, Any

from fastapi import Depends, Path, Request, Response
from fastapi.routing import APIRoute
from fastapi.security import HTTPBearer

from growqr.api.admission import admit, count_stranger
from growqr.api.context import context
from growqr.api.idempotency import KEY_HEADER, check_key, once
from growqr.api.inputs import Body
from growqr.api.origins import SAFE, check_origin
from growqr.errors import Invalid, NotFound
from growqr.identity import Access, Principal, Verb, owns

MAX_DEPTH = 32
"""Levels of nesting in a JSON body."""

_TOKENS = re.compile(rb'"(?:[^"\\]|\\.)*+"?|[\[{]|[\]}]', re.DOTALL)

Endpoint = Callable[[Request], Coroutine[Any, Any, Response]]


class PublicDoor(APIRoute):
    """A route for anybody: counted by address, and for pages of ours alone."""

    def get_route_handler(self) -> Endpoint:
        """FastAPI's own handling, once the body is known to be good."""
        inner = super().get_route_handler()

        async def guarded(request: Request) -> Response:
            here = context(request)
            if request.headers.get("origin") is not None:
                check_origin(here.settings, request, request.method)
            await count_stranger(here, request)
            await check_body(request)
            return await inner(request)

        return guarded


class Door(APIRoute):
    """A route for known callers. A key on its POSTs is the endpoint's own affair."""

    def get_route_handler(self) -> Endpoint:
        """FastAPI's own handling, once the caller and the body are known to be good."""
        inner = super().get_route_handler()

        async def guarded(request: Request) -> Response:
            asked_for = self.access(request)
            request.state.caller = await admit(context(request), request, asked_for)
            check_ids(request)
            await check_body(request)
            return await self.answer(request, inner)

        return guarded

    def access(self, request: Request) -> Access:
        """What is asked for, as the policy names it."""
        verb: Verb = "read" if request.method in SAFE else "write"
        return Access(str(self.tags[0]), verb, request.path_params.get("user"))

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
        caller: Principal = request.state.caller
        here = context(request)
        async with here.keyed:
            return await once(here.store, caller.user_id, key, request, inner)


def check_ids(request: Request) -> None:
    """Refuse what no id could be and the database cannot look for. Raises NotFound.

    Paths of files are checked where their rules are known.
    """
    for name, value in request.path_params.items():
        if name != "path" and "\0" in str(value):
            raise NotFound("there is no such thing, or it is not yours")


async def check_body(request: Request) -> None:
    """Refuse what no endpoint of ours could want. Raises Invalid, TooLarge."""
    if request.method in ("POST", "PUT", "PATCH"):
        check_depth(await request.body())


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


def _caller(request: Request, _: Annotated[object, Depends(_declared)]) -> Principal:
    caller: Principal = request.state.caller
    return caller


Caller = Annotated[Principal, Depends(_caller)]


def own(caller: Principal, user: str | None) -> str:
    """The caller's id, if `user` means the caller. Raises NotFound, foreign or unknown alike."""
    if not owns(caller, user):
        raise NotFound("there is no such user")
    return caller.user_id


def asked(caller: Principal, body: Body | None) -> str:
    """The caller's id, if the body names nobody else. Raises NotFound."""
    return own(caller, body.user_id if body else None)


def _owner(user: Annotated[str, Path(description="`me` or your own id")], caller: Caller) -> str:
    return own(caller, user)


Owner = Annotated[str, Depends(_owner)]
