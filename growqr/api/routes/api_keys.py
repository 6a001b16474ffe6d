"""API keys: for programs. Shown once, limited to scopes, counted apart."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Header, Request, Response
from pydantic import AfterValidator, BaseModel, Field

from growqr.api.admission import act
from growqr.api.auth import Caller, Door, asked
from growqr.api.context import Here
from growqr.api.idempotency import KEY_HEADER, check_key
from growqr.api.inputs import Body, Cursor, Limit, Title, read_cursor
from growqr.api.paging import paged
from growqr.api.views import Page
from growqr.identity import make_key
from growqr.identity.policy import GROUPS
from growqr.store import ApiKey

router = APIRouter(prefix="/api-keys", tags=["api-keys"], route_class=Door)


_SCOPE = f"(({'|'.join(sorted(GROUPS))}):)?(read|write)"


def _scope(text: str) -> str:
    if not re.fullmatch(_SCOPE, text):
        known = ", ".join(sorted(GROUPS))
        raise ValueError(f"a scope is read, write, or <group>:read or :write; groups: {known}")
    return text


Scope = Annotated[str, AfterValidator(_scope), Field(json_schema_extra={"pattern": f"^{_SCOPE}$"})]


class NewApiKey(Body):
    """A key: `read`, `write`, or narrower such as `memory:read`. Who may write may read."""

    name: Title
    scopes: Annotated[list[Scope], Field(min_length=1, max_length=40)]
    expires_in_days: Annotated[float | None, Field(gt=0, le=3650)] = None
    day_tokens: Annotated[int | None, Field(ge=1, le=2**53)] = None


class ApiKeyView(BaseModel):
    """A key without its secret. `prefix` begins the key, so that it can be told from others."""

    id: str
    prefix: str
    name: str
    scopes: list[str]
    created_at: datetime
    expires_at: datetime | None
    used_at: datetime | None
    revoked_at: datetime | None
    day_tokens: int | None

    @classmethod
    def of(cls, key: ApiKey) -> ApiKeyView:
        return cls.model_validate(key._asdict() | {"prefix": f"gq_{key.id}"})


class NewApiKeyView(ApiKeyView):
    """The one time that the key itself is shown."""

    key: str


@router.post("", status_code=201)
async def make_api_key(
    here: Here,
    request: Request,
    caller: Caller,
    body: NewApiKey,
    once: Annotated[str | None, Header(alias=KEY_HEADER, include_in_schema=False)] = None,
) -> NewApiKeyView:
    """A new key. It is shown now and never again.

    The same `Idempotency-Key` makes no second one: it is a 409, as the first cannot be shown again.
    """
    asked(caller, body)
    seed = check_key(once)
    key, proof = make_key(f"{caller.user_id}\n{seed}" if seed else None)
    days = body.expires_in_days
    made = await here.store.api_keys.make(
        caller.user_id,
        proof.id,
        proof.sha,
        name=body.name,
        scopes=sorted(set(body.scopes)),
        expires_at=datetime.now(UTC) + timedelta(days=days) if days else None,
        day_tokens=body.day_tokens,
        by=act(here, request, caller),
    )
    return NewApiKeyView(key=key, **ApiKeyView.of(made).model_dump())


@router.get("")
async def list_api_keys(
    here: Here, caller: Caller, limit: Limit = 50, cursor: Cursor = None
) -> Page[ApiKeyView]:
    """Your keys, revoked ones too, without their secrets."""
    after = read_cursor("api_key", cursor, str)
    rows = await here.store.api_keys.list(caller.user_id, limit=limit + 1, after=after)
    return paged("api_key", rows, limit, ApiKeyView.of, lambda row: row.id)


@router.delete("/{key_id}", status_code=204, response_class=Response)
async def revoke_api_key(here: Here, request: Request, caller: Caller, key_id: str) -> Response:
    """The key opens nothing any more, on every replica at once. May be repeated."""
    await here.store.api_keys.revoke(caller.user_id, key_id[:20], act(here, request, caller))
    return Response(status_code=204)
