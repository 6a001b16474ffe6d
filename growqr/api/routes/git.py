"""Git over HTTP for project repositories: `git clone http://…/git/<user>/<repo>.git`.

The password is a bearer token of the user, or the token of the user's OpenCode service.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from pathlib import Path

from fastapi import APIRouter, Request, Response
from starlette.types import Receive, Scope, Send

from growqr import names
from growqr.api.admission import counting_strangers, judge, known, of_stack
from growqr.api.context import Context, Here
from growqr.api.problems import problem, request_id
from growqr.errors import BadRequest, NotFound, Unauthorized
from growqr.identity import Access, Principal, Verb, instance_secret, read_token
from growqr.repos import Exchange, Program, advertise, check_name, folder_of

router = APIRouter(prefix="/git/{user}/{repo}.git", include_in_schema=False)

_PROGRAMS: dict[str, Program] = {
    "git-upload-pack": "upload-pack",
    "git-receive-pack": "receive-pack",
}
_FRESH = {"Cache-Control": "no-cache, max-age=0, must-revalidate", "Pragma": "no-cache"}


@router.get("/info/refs")
async def read_refs(
    here: Here, request: Request, user: str, repo: str, service: str = ""
) -> Response:
    """References, and what the program can do."""
    program = _PROGRAMS.get(service)
    if program is None:
        raise BadRequest("only git's smart HTTP is spoken here; use git 1.6.6 or later")
    try:
        _, folder = await _open(here, request, program, user, repo)
    except Unauthorized as error:
        return _challenge(request, error)
    refs = await advertise(folder, program, request.headers.get("git-protocol"))
    return Response(refs, media_type=f"application/x-{service}-advertisement", headers=_FRESH)


@router.post("/{service}")
async def exchange(here: Here, request: Request, user: str, repo: str, service: str) -> Response:
    """A clone, fetch or push."""
    program = _PROGRAMS.get(service)
    if program is None:
        raise NotFound("there is no such program")
    if request.headers.get("content-type") != f"application/x-{service}-request":
        raise BadRequest(f"the body is not an application/x-{service}-request")
    try:
        owner, folder = await _open(here, request, program, user, repo)
    except Unauthorized as error:
        return _challenge(request, error)
    came = asyncio.Event()
    talk = Exchange(
        folder,
        program,
        request.headers.get("git-protocol"),
        _body(request, came),
        gzipped=request.headers.get("content-encoding") in ("gzip", "x-gzip"),
    )
    pushed = (lambda: here.changed_in_git(owner)) if program == "receive-pack" else None
    return Spoken(talk, came, f"application/x-{service}-result", pushed)


class Spoken(Response):
    """What the program says, from its first piece on; before that an error is a problem."""

    def __init__(
        self,
        talk: Exchange,
        came: asyncio.Event,
        media_type: str,
        then: Callable[[], None] | None = None,
    ) -> None:
        """then: called once the program has ended, however it did."""
        super().__init__(headers=_FRESH | {"X-Accel-Buffering": "no"}, media_type=media_type)
        del self.headers["content-length"]
        self._talk, self._came, self._then = talk, came, then

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI. A client that hangs up ends the program: nobody else would tell it."""
        async with self._talk:
            leaving = asyncio.create_task(self._hung_up(receive))
            try:
                await self._speak(send)
            finally:
                leaving.cancel()
                await asyncio.gather(leaving, return_exceptions=True)
                if self._then:
                    self._then()

    async def _hung_up(self, receive: Receive) -> None:
        await self._came.wait()  # until then the body's reader hears it
        while (await receive())["type"] != "http.disconnect":
            pass
        self._talk.stop()

    async def _speak(self, send: Send) -> None:
        async with aclosing(self._talk.output()) as pieces:
            body = await anext(pieces, b"")
            head = {"type": "http.response.start", "status": 200, "headers": self.raw_headers}
            await send(head)
            await send({"type": "http.response.body", "body": body, "more_body": True})
            async for piece in pieces:
                await send({"type": "http.response.body", "body": piece, "more_body": True})
            await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _body(request: Request, came: asyncio.Event) -> AsyncIterator[bytes]:
    """The body in pieces; `came` is set once it is all there."""
    async for piece in request.stream():
        yield piece
    came.set()


async def _open(
    here: Context, request: Request, program: Program, user: str, repo: str
) -> tuple[str, Path]:
    """The caller's id, whatever `user` says, and the folder of a repository of theirs.

    Raises Unauthorized, Forbidden, NotFound.
    """
    async with counting_strangers(here, request):
        caller = await _caller(here, request)
    verb: Verb = "write" if program == "receive-pack" else "read"
    judge(here, request, caller, Access("git", verb, user))
    row = await here.store.repos.get(caller.user_id, check_name(repo))
    return caller.user_id, folder_of(here.settings, caller.user_id, row.name)


async def _caller(here: Context, request: Request) -> Principal:
    """Who is behind a bearer token or API key, as such or as the password of Basic."""
    token = _token(request)
    if not token.startswith("gqm."):
        return await known(here, request, [f"Bearer {token}"])
    secret = await asyncio.to_thread(instance_secret, here.settings)
    subject, generation = read_token(secret, token)
    if (found := names.service_of(subject)) and found[1] == "opencode":
        service = await here.store.services.get(*found)
        if service is not None and service.generation == generation:
            return await of_stack(here, request, found[0], f"opencode#{generation}")
    raise Unauthorized("the token is of a service that is not there any more")


def _token(request: Request) -> str:
    given = request.headers.getlist("authorization")
    scheme, _, value = given[0].partition(" ") if len(given) == 1 else ("", "", "")
    if scheme.lower() == "bearer":
        return value.strip()
    if scheme.lower() != "basic":
        raise Unauthorized
    try:
        return base64.b64decode(value, validate=True).decode().partition(":")[2]
    except (binascii.Error, ValueError):
        raise Unauthorized from None


def _challenge(request: Request, error: Unauthorized) -> Response:
    """401 as git wants it: it then asks for a name and password, or its credential helper."""
    answer = problem(error, request_id(request))
    answer.headers["WWW-Authenticate"] = 'Basic realm="growqr", charset="UTF-8"'
    return answer
