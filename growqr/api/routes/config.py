"""What anybody may know: how to sign in here."""

from __future__ import annotations

from fastapi import APIRouter
from pydantic import BaseModel

from growqr import __version__
from growqr.api.auth import PublicDoor
from growqr.api.context import Here

router = APIRouter(prefix="/config", tags=["config"], route_class=PublicDoor)


class ClerkView(BaseModel):
    """What a page needs to load Clerk."""

    publishable_key: str
    frontend_api: str


class ConfigView(BaseModel):
    """Ways to sign in: `link` (of `growqr up`), `clerk`, and names of providers."""

    version: str
    sign_in: list[str]
    clerk: ClerkView | None


@router.get("")
async def read_config(here: Here) -> ConfigView:
    """Public: the ways to sign in, and what a page needs for them."""
    clerk = here.clerk
    ways = ["link"] * here.settings.has_local_issuer + ["clerk"] * (clerk is not None)
    return ConfigView(
        version=__version__,
        sign_in=[*ways, *here.oauth.titles],
        clerk=ClerkView(publishable_key=clerk[0], frontend_api=clerk[1]) if clerk else None,
    )
