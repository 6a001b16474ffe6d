"""Who is calling: a JWT, an API key or a browser's cookie, counted and judged before anything else.

A known caller costs one way to the database. Strangers are counted by address and learn nothing.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from ipaddress import IPv6Address, IPv6Network, ip_address

from starlette.requests import Request

from growqr.api import cookies
from growqr.api.context import Context
from growqr.api.joining import join
from growqr.api.origins import check_origin
from growqr.errors import Forbidden, GrowqrError, TooMany, Unauthorized
from growqr.identity import KEY_PREFIX, Access, Identity, Principal, decide, read_key
from growqr.redaction import blank
from growqr.store import Act, Admitted, Limits

PEER = "x-growqr-peer"
"""Where the ingress says a request came from: it lets no client say so."""

FOREVER = 2.0**40
"""Seconds since 1970 beyond all that matters: a key without an end."""


async def admit(here: Context, request: Request, access: Access) -> Principal:
    """The caller, if they may do this. Raises Unauthorized, TooMany, Forbidden, NotFound."""
    who = await identify(here, request, request.headers.getlist("authorization"))
    judge(here, request, who, access)
    return who


def judge(here: Context, request: Request, who: Principal, access: Access) -> None:
    """Ask the policy; what it refuses is in the audit log. Raises what it says."""
    verdict = decide(who, access)
    request.state.rule = verdict.rule
    if verdict.refusal is not None:
        raise refused(here, request, who, access, verdict.refusal)


def refused(
    here: Context, request: Request, who: Principal, access: Access, why: GrowqrError
) -> GrowqrError:
    """What is to be raised: `why`, once it is noted in the audit log by its rule."""
    request.state.rule = why.detail.get("rule", request.state.rule)
    here.store.audit.refused(
        act(here, request, who), f"{access.group}.{access.verb}", blank(request.url.path[:500])
    )
    return why


async def known(
    here: Context, request: Request, authorization: list[str], invite: bytes | None = None
) -> Principal:
    """Whoever these headers, or else the cookie, stand for; `invite` lets a stranger join.

    Raises Unauthorized, TooMany, Forbidden, Conflict. For routes behind `PublicDoor`, which has
    counted whoever comes; `identify` counts strangers.
    """
    settings, admissions, limits = here.settings, here.store.admissions, _limits(here)
    if not authorization:
        sha = cookies.read(settings, request)
        found = await admissions.cookie(sha, limits) if sha else None
        if found is not None:
            check_origin(settings, request, request.method)
        return _principal(request, limits, found)
    if authorization[0].startswith(f"Bearer {KEY_PREFIX}"):
        proof = read_key(authorization[0][7:]) if len(authorization) == 1 else None
        found = await admissions.api_key(*proof, limits) if proof else None
        return _principal(request, limits, found)
    identity = await here.verifier.verify(authorization)
    found = await admissions.token(identity.user_id, limits)
    if found is None:
        await join(here, identity, invite, act(here, request, None, identity.user_id))
        found = await admissions.token(identity.user_id, limits)
    return _principal(request, limits, found, identity)


async def identify(here: Context, request: Request, authorization: list[str]) -> Principal:
    """Whoever these headers, or else the cookie, stand for. Raises as `known` does."""
    async with counting_strangers(here, request):
        return await known(here, request, authorization)


@asynccontextmanager
async def counting_strangers(here: Context, request: Request) -> AsyncIterator[None]:
    """Whoever is turned away inside, also by the gate with a good token, is counted as one."""
    try:
        yield
    except (Unauthorized, Forbidden):
        await count_stranger(here, request)
        raise


async def of_stack(here: Context, request: Request, user_id: str, via: str) -> Principal:
    """A service of this user's, whose token was found good: its requests count as theirs.

    Raises Unauthorized, TooMany.
    """
    limits = _limits(here)
    who = _principal(request, limits, await here.store.admissions.token(user_id, limits))
    return who._replace(kind="stack", via=via, expires=FOREVER, role="member")


def _limits(here: Context) -> Limits:
    return Limits(here.settings.limit_requests, here.settings.limit_key_requests)


def _principal(
    request: Request, limits: Limits, found: Admitted | None, identity: Identity | None = None
) -> Principal:
    if found is None:
        raise Unauthorized
    _bound(request, limits, found)
    expires = found.expires_at.timestamp() if found.expires_at else FOREVER
    return Principal(
        found.user_id,
        found.name,
        found.kind,
        identity.session if identity else found.via,
        identity.expires if identity else expires,
        found.role,
        None if found.scopes is None else frozenset(found.scopes),
        found.suspended,
    )


def _bound(request: Request, limits: Limits, found: Admitted) -> None:
    """Keep what is left of the narrower limit for the answer's headers. Raises TooMany."""
    counts = [
        ("key", limits.key, found.key_used, found.key_rest),
        ("user", limits.user, found.user_used, found.user_rest),
    ]
    left = [(most - used, name, most, rest or 0.0) for name, most, used, rest in counts if used]
    if not left:
        return
    rest_of = min(left)
    request.state.allowance = rest_of
    if rest_of[0] < 0:
        raise too_many(f"this {rest_of[1]} has made {rest_of[2]} requests in a minute", rest_of[3])


def too_many(message: str, rest: float) -> TooMany:
    """A refusal that says in how many seconds to come again."""
    return TooMany(f"{message}; try again in {rest:.0f} s", {"retry_after": max(1, round(rest))})


async def count_stranger(here: Context, request: Request) -> None:
    """One more request without a good token. Raises TooMany for an address with many of them."""
    if most := here.settings.limit_strangers:
        count = await here.store.admissions.stranger(_network(address(here, request)))
        if count.used > most:
            raise too_many("too many requests without a good token from this address", count.rest)


def act(here: Context, request: Request, who: Principal | None, actor: str = "stranger") -> Act:
    """What the audit log keeps of who does something, and from where."""
    rule = getattr(request.state, "rule", "public")
    state = request.scope["state"]
    actor, via = (who.user_id, f"{who.kind}:{who.via}") if who else (actor, "")
    return Act(actor, rule, via, address(here, request), str(state.get("request_id", "")))


def address(here: Context, request: Request) -> str:
    """Where the request came from, as far as we may believe it: our own proxies' word."""
    peer = request.client.host if request.client else ""
    if here.behind_ingress:
        peer = request.headers.get(PEER, peer)
    if not (proxies := here.settings.proxies):
        return peer
    lines = ",".join(request.headers.getlist("x-forwarded-for"))  # a proxy may add one of its own
    told = [part.strip() for part in lines.split(",")]
    return (told[-proxies] if len(told) >= proxies else told[0])[:64] or peer


def _network(address: str) -> str:
    """What one stranger has: an address, or of IPv6 the 64 bits that are one network's."""
    try:
        ip = ip_address(address)
    except ValueError:
        return address
    if not isinstance(ip, IPv6Address):
        return str(ip)
    return str(ip.ipv4_mapped or IPv6Network((int(ip), 64), strict=False))
