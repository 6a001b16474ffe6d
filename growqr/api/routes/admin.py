"""For admins: who is a user and as what, who is invited, and what the audit log has."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Header, Query, Request, Response
from pydantic import BaseModel, Field, StringConstraints

from growqr.api.admission import act
from growqr.api.auth import Caller, Door
from growqr.api.context import Here
from growqr.api.idempotency import KEY_HEADER, check_key
from growqr.api.inputs import Body, Cursor, Limit, Text, known_id, read_cursor
from growqr.api.paging import paged
from growqr.api.views import Page
from growqr.errors import Invalid
from growqr.identity import new_ticket
from growqr.store import Entry, Invite, Role, User

router = APIRouter(prefix="/admin", tags=["admin"], route_class=Door)

Email = Annotated[
    str, StringConstraints(pattern=r"^[^@\s\x00]{1,64}@[^@\s\x00]{1,190}$", to_lower=True)
]


class MemberView(BaseModel):
    """A user as an admin sees them.

    `day_tokens`, `day_usd`: the most of their day, 0: no limit; null: as the settings say.
    """

    id: str
    name: str
    issuer: str
    email: str | None
    role: Role
    created_at: datetime
    suspended_at: datetime | None
    day_tokens: int | None
    day_usd: float | None

    @classmethod
    def of(cls, user: User) -> MemberView:
        return cls.model_validate(user._asdict())


class Change(Body):
    """What becomes of a user. Suspended: nothing is open to them, and nothing of theirs goes.

    `day_tokens`, `day_usd`: what they may spend on a day at most, whatever they allow themselves;
    0: no limit, null: as the settings say.
    """

    role: Role | None = None
    suspended: bool | None = None
    day_tokens: Annotated[int | None, Field(ge=0, le=2**53)] = None
    day_usd: Annotated[float | None, Field(ge=0, le=1e9, allow_inf_nan=False)] = None


class NewInvite(Body):
    """With an e-mail address only that one may use it."""

    email: Email | None = None
    role: Role = "member"


class InviteView(BaseModel):
    """An invite without its link."""

    id: str
    email: str | None
    role: Role
    created_by: str
    created_at: datetime
    expires_at: datetime
    used_by: str | None
    used_at: datetime | None

    @classmethod
    def of(cls, invite: Invite) -> InviteView:
        return cls.model_validate(invite._asdict())


class NewInviteView(InviteView):
    """The one time that the link is shown. Open it, or send it to whom you invite."""

    url: str


class EntryView(BaseModel):
    """One line of the audit log."""

    id: int
    at: datetime
    actor: str
    via: str
    action: str
    subject: str
    outcome: Literal["done", "refused"]
    rule: str
    address: str
    request_id: str
    facts: dict[str, Any]

    @classmethod
    def of(cls, entry: Entry) -> EntryView:
        return cls.model_validate(entry._asdict())


@router.get("/users")
async def list_users(
    here: Here, caller: Caller, limit: Limit = 50, cursor: Cursor = None
) -> Page[MemberView]:
    """Everybody, by id."""
    after = read_cursor("user", cursor, str)
    rows = await here.store.users.list(limit=limit + 1, after=after)
    return paged("user", rows, limit, MemberView.of, lambda row: row.id)


@router.patch("/users/{member_id}")
async def change_user(
    here: Here, request: Request, caller: Caller, member_id: str, body: Change
) -> MemberView:
    """Another role; the most of their day; or suspend them: signed out everywhere, their turns
    cancelled, timers held.

    The last admin stays one.
    """
    caps = body.model_dump(include={"day_tokens", "day_usd"}, exclude_unset=True)
    if body.role is None and body.suspended is None and not caps:
        raise Invalid("say `role`, `suspended`, `day_tokens` or `day_usd`")
    by = act(here, request, caller)
    changed = await here.store.users.change(
        member_id[:100], by, role=body.role, suspended=body.suspended, caps=caps
    )
    if changed.suspended_at is not None:
        for lease in await here.store.turns.cancel_all(changed.id):
            here.wake(lease)
    return MemberView.of(changed)


@router.post("/invites", status_code=201)
async def make_invite(
    here: Here,
    request: Request,
    caller: Caller,
    body: NewInvite,
    key: Annotated[str | None, Header(alias=KEY_HEADER, include_in_schema=False)] = None,
) -> NewInviteView:
    """An invite, open for 7 days, for one person. Its link is shown now and never again.

    The same `Idempotency-Key` makes no second one: it is a 409, as no link is shown twice.
    """
    ticket, sha = new_ticket()
    by = act(here, request, caller)
    made = await here.store.invites.make(
        caller.user_id, sha, email=body.email, role=body.role, by=by, key=check_key(key)
    )
    url = f"{here.settings.site_url}/app/sign-in#invite={ticket}"
    return NewInviteView(url=url, **InviteView.of(made).model_dump())


@router.get("/invites")
async def list_invites(
    here: Here, caller: Caller, limit: Limit = 50, cursor: Cursor = None
) -> Page[InviteView]:
    """All of them, oldest first."""
    after = read_cursor("invite", cursor, str)
    rows = await here.store.invites.list(limit=limit + 1, after=after)
    return paged("invite", rows, limit, InviteView.of, lambda row: row.id)


@router.delete("/invites/{invite_id}", status_code=204, response_class=Response)
async def withdraw_invite(here: Here, request: Request, caller: Caller, invite_id: str) -> Response:
    """It opens nothing any more."""
    known_id(invite_id, "inv", "invite")
    await here.store.invites.withdraw(invite_id, act(here, request, caller))
    return Response(status_code=204)


@router.get("/audit")
async def read_audit(
    here: Here,
    caller: Caller,
    who: Annotated[Text | None, Query(max_length=200, description="Actor or subject.")] = None,
    action: Annotated[Text | None, Query(max_length=100, description="How it begins.")] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Page[EntryView]:
    """Who did what, which rule decided, from where; newest first."""
    before = read_cursor("audit", cursor, int)
    rows = await here.store.audit.list(limit=limit + 1, before=before, who=who, what=action)
    return paged("audit", rows, limit, EntryView.of, lambda row: row.id)
