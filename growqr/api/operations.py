"""What operators and load balancers ask. No token, no user's name in any answer."""

from __future__ import annotations

from fastapi import APIRouter
from pydantic import BaseModel

from growqr import __version__
from growqr.api.context import Here

router = APIRouter(tags=["operations"])


class Status(BaseModel):
    """Whether this replica lives, or can serve."""

    status: str
    version: str = __version__
    checks: dict[str, str] = {}


class Version(BaseModel):
    """The running version."""

    version: str


@router.get("/livez")
async def livez() -> Status:
    """The process answers."""
    return Status(status="alive")


@router.get("/readyz")
@router.get("/health", include_in_schema=False)
async def readyz(here: Here) -> Status:
    """Everything a request needs answers, or did within the last second; else 503."""
    await here.health.check()
    return Status(status="ready", checks={"database": "ok"})


@router.get("/version")
async def version() -> Version:
    """The running version."""
    return Version(version=__version__)
