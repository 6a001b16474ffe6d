"""The cookie of a signed-in browser: set, read and taken back. No script can see it."""

from __future__ import annotations

from starlette.requests import HTTPConnection, Request
from starlette.responses import Response

from growqr.api.context import Context
from growqr.config import Settings
from growqr.identity import new_ticket, read_ticket
from growqr.store import Act, Browser

SESSION = "growqr_session"
_DAY = 86400.0


def name(settings: Settings, of: str = SESSION) -> str:
    """`__Host-…` binds a cookie to the very host, and needs https."""
    return f"__Host-{of}" if settings.over_https else of


def read(settings: Settings, connection: HTTPConnection) -> bytes | None:
    """The hash of the cookie that came, None without one."""
    return read_ticket(connection.cookies.get(name(settings)))


async def sign_in(
    here: Context, request: Request, answer: Response, user_id: str, way: str, by: Act
) -> None:
    """Sign the browser in: the answer carries its cookie."""
    ticket, browser = fresh(here.settings, request)
    await here.store.sign_ins.begin(user_id, way, browser, by)
    give(here.settings, answer, ticket)


def fresh(settings: Settings, request: Request) -> tuple[str, Browser]:
    """A new cookie's value, and what to keep of it."""
    ticket, sha = new_ticket()
    agent = request.headers.get("user-agent", "")
    return ticket, Browser(sha, agent, settings.sign_in_days * _DAY)


def give(settings: Settings, answer: Response, ticket: str) -> None:
    """Have the browser keep it."""
    give_for(settings, answer, SESSION, ticket, settings.sign_in_days * _DAY)


def give_for(settings: Settings, answer: Response, of: str, ticket: str, seconds: float) -> None:
    """Have the browser keep any of our cookies for so long."""
    answer.set_cookie(
        name(settings, of), ticket, max_age=int(seconds), path="/", httponly=True,
        samesite="lax", secure=settings.over_https,
    )  # fmt: skip


def take(settings: Settings, answer: Response, of: str = SESSION) -> None:
    """Have the browser forget it."""
    answer.delete_cookie(
        name(settings, of), path="/", httponly=True, samesite="lax", secure=settings.over_https
    )
