"""Signing in and out: a one-time link or a token becomes a cookie, which any replica can revoke."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, StringConstraints

from growqr.api import cookies
from growqr.api.admission import act, known
from growqr.api.auth import Caller, Door, PublicDoor
from growqr.api.context import Here
from growqr.api.inputs import Body, known_id
from growqr.api.views import Page, UserView, user_view
from growqr.errors import BadRequest, Unauthorized
from growqr.identity import read_ticket
from growqr.store import SignIn

router = APIRouter(prefix="/auth", tags=["auth"], route_class=Door)
public = APIRouter(route_class=PublicDoor)


Ticket = Annotated[str, StringConstraints(max_length=200)]


class Exchange(Body):
    """The secret part of a sign-in link; without it the request's own bearer token is taken.

    `invite`: that of an invite's link, for a token of somebody who is no user yet.
    """

    link: Ticket | None = None
    invite: Ticket | None = None


class SignInView(BaseModel):
    """A browser that is signed in; `current` is the one that asks."""

    id: str
    way: str
    address: str
    agent: str
    created_at: datetime
    used_at: datetime
    expires_at: datetime
    current: bool

    @classmethod
    def of(cls, sign_in: SignIn, current: str) -> SignInView:
        return cls.model_validate(sign_in._asdict() | {"current": sign_in.id == current})


class Me(BaseModel):
    """Who you are, and your accounts at providers."""

    user: UserView
    providers: list[str]


@public.post("/exchange", status_code=204, response_class=Response)
async def exchange(here: Here, request: Request, body: Exchange) -> Response:
    """Sign this browser in: by a link of `growqr up`, once, or by a bearer token of an issuer.

    The answer sets the cookie and has no body.
    """
    answer = Response(status_code=204)
    if body.link is None:
        authorization = request.headers.getlist("authorization")
        who = await known(here, request, authorization, read_ticket(body.invite))
        if who.kind != "token" or who.suspended:
            raise Unauthorized("a link, or a bearer token of an issuer, is required")
        await cookies.sign_in(here, request, answer, who.user_id, "token", act(here, request, who))
        return answer
    link = read_ticket(body.link)
    ticket, browser = cookies.fresh(here.settings, request)
    by = act(here, request, None, "link")
    if link is None or not await here.store.sign_ins.exchange(link, browser, by):
        raise BadRequest(
            "this sign-in link was used or is over; `growqr link` prints a new one",
            {"code": "link_used"},
        )
    cookies.give(here.settings, answer, ticket)
    return answer


router.include_router(public)


@router.get("/me")
async def who_am_i(here: Here, caller: Caller) -> Me:
    """Who you are, and which providers know you."""
    linked = await here.oauth.accounts(caller.user_id)
    user = await user_view(here.store, caller.user_id)
    return Me(user=user, providers=[account.provider for account in linked])


@router.post("/logout", status_code=204, response_class=Response)
async def log_out(here: Here, request: Request, caller: Caller) -> Response:
    """Sign this browser out, on every replica at once. A bearer token ends with its time."""
    answer = Response(status_code=204)
    if caller.kind == "sign_in":
        await here.store.sign_ins.end(caller.user_id, caller.via, act(here, request, caller))
    cookies.take(here.settings, answer)
    return answer


@router.get("/sign-ins")
async def list_sign_ins(here: Here, caller: Caller) -> Page[SignInView]:
    """Where you are signed in."""
    rows = await here.store.sign_ins.list(caller.user_id)
    return Page(data=[SignInView.of(row, caller.via) for row in rows])


@router.delete("/sign-ins/{sign_in_id}", status_code=204, response_class=Response)
async def end_sign_in(here: Here, request: Request, caller: Caller, sign_in_id: str) -> Response:
    """Sign that browser out, its open streams among it."""
    known_id(sign_in_id, "sgn", "sign-in")
    await here.store.sign_ins.end(caller.user_id, sign_in_id, act(here, request, caller))
    return Response(status_code=204)
