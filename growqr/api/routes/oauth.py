"""Signing in by a provider: to its page and back. Both are visits of a browser, not calls.

What goes wrong on the way back is told on a page, with the status that a program would get.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from starlette.responses import RedirectResponse

from growqr import names
from growqr.api import cookies
from growqr.api.admission import act, known
from growqr.api.auth import Caller, Door, PublicDoor
from growqr.api.context import Context, Here
from growqr.api.joining import join
from growqr.api.pages import trouble
from growqr.api.problems import request_id
from growqr.errors import GrowqrError, NotFound, Unauthorized
from growqr.identity import Identity, new_ticket, read_ticket
from growqr.identity.oauth import LIFETIME, Finished, stale

router = APIRouter(prefix="/auth", tags=["auth"], route_class=Door)
public = APIRouter(route_class=PublicDoor)

COOKIE = "growqr_oauth"

Asked = Annotated[str | None, Query(max_length=2000)]


@public.get("/{provider}", include_in_schema=False)
async def leave(
    here: Here, request: Request, provider: str, return_to: Asked = None, invite: Asked = None
) -> Response:
    """To the provider's page. Whoever is signed in links their account there to this one."""
    ticket, _ = new_ticket()
    url = await here.oauth.begin(
        provider,
        cookie=ticket,
        return_to=return_to or "/",
        user_id=await _signed_in(here, request),
        invite=read_ticket(invite),
    )
    answer = RedirectResponse(url, 302)
    cookies.give_for(here.settings, answer, COOKIE, ticket, LIFETIME)
    return answer


@public.get("/{provider}/callback", include_in_schema=False)
async def come_back(
    here: Here, request: Request, provider: str, code: Asked = None, state: Asked = None,
    iss: Asked = None, error: Asked = None,
) -> Response:  # fmt: skip
    """From the provider's page: signed in, and where one wanted to go."""
    try:
        cookie = request.cookies.get(cookies.name(here.settings, COOKIE))
        back = await here.oauth.finish(
            provider, code=code, state=state, cookie=cookie, iss=iss, error=error
        )
        answer: Response = RedirectResponse(back.return_to, 303)
        await _enter(here, request, answer, provider, back)
    except GrowqrError as refused:
        answer = trouble("Signing in did not work", refused, request_id(request))
    cookies.take(here.settings, answer, COOKIE)
    return answer


@router.delete("/providers/{provider}", status_code=204, response_class=Response)
async def unlink(here: Here, request: Request, caller: Caller, provider: str) -> Response:
    """Forget your account there, its tokens among it: a way in again once you link it anew.

    Your last way in stays: 409 `last_way_in`.
    """
    await here.oauth.unlink(caller.user_id, provider, act(here, request, caller))
    return Response(status_code=204)


router.include_router(public)


async def _signed_in(here: Context, request: Request) -> str | None:
    """Who links an account; None: nobody, also with a cookie that was signed out elsewhere."""
    try:
        who = await known(here, request, [])
    except Unauthorized:
        return None
    return None if who.suspended else who.user_id


async def _enter(
    here: Context, request: Request, answer: Response, provider: str, back: Finished
) -> None:
    """Keep the account, and sign in whoever is not. Raises BadRequest, Forbidden, Conflict."""
    oauth, account, user_id = here.oauth, back.account, back.user_id
    if user_id is not None and user_id != await _signed_in(here, request):
        raise stale()  # signed out or suspended meanwhile: nothing is linked any more
    if user_id is None:
        user_id = await oauth.owner(provider, account)
    if user_id is None:
        person = Identity(
            names.foreign_user_id(provider, account.subject), provider, account.subject,
            account.name or account.login, provider, 0.0, account.email,
        )  # fmt: skip
        by = act(here, request, None, person.user_id)
        user_id = (await join(here, person, back.invite, by)).id
    by, linking = act(here, request, None, user_id), back.user_id is not None
    user = await here.store.users.get(user_id)
    if user is None or user.suspended_at is not None:
        raise NotFound("this account is suspended; ask an admin")
    await oauth.keep(user_id, provider, account, by, linking=linking)
    if linking:
        return
    await cookies.sign_in(here, request, answer, user_id, provider, by)
