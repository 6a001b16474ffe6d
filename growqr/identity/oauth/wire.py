"""Calls to a provider: ten seconds, 64 KiB, no redirects, https alone.

Loaded with the first call only. Nothing a provider says gets into an error or a log: what it
echoes may be a code or a token.
"""

from __future__ import annotations

import asyncio
import re
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache, partial
from typing import Any

import httpx2

from growqr.errors import BadRequest, GrowqrError, Unavailable
from growqr.identity.oauth.base import Tokens, secure

TIMEOUT = 10.0
"""Seconds that one exchange may take, all of its calls together."""

LARGEST = 64 * 1024
"""Bytes of an answer."""

FARTHEST = 10 * 365 * 86_400.0
"""Seconds that a token may live; more is no time at all."""

_MISTAKES = {
    "access_denied": "it was not allowed",
    "bad_verification_code": "the code is used up or has expired; sign in again",
    "bad_refresh_token": "the refresh token is used up or has expired; sign in again",
    "expired_token": "the token has expired; sign in again",
    "invalid_grant": "what it was shown is used up or has expired; sign in again",
    "incorrect_client_credentials": "it does not know this client id and secret",
    "invalid_client": "it does not know this client id and secret",
    "invalid_scope": "it does not give these scopes",
    "redirect_uri_mismatch": "the client there has another callback address",
    "unauthorized_client": "the client there may not sign anybody in",
    "unverified_user_email": "the e-mail address there is not verified",
}
_AWAY = frozenset({"server_error", "temporarily_unavailable"})
_TOKEN = re.compile(r"[\x21-\x7e]{1,4096}")
_HEADERS = {"User-Agent": "growqr", "Accept": "application/json", "Accept-Encoding": "identity"}


_GARBAGE = (ValueError, TypeError, KeyError, AttributeError, ArithmeticError, RecursionError)


class Wire:
    """One exchange with one provider."""

    def __init__(self, title: str, client: Any) -> None:
        self._title, self._client = title, client

    def authorize(self, url: str, *, state: str, verifier: str, **more: Any) -> str:
        """The provider's page, as the browser is to open it."""
        asked = {"state": state, "code_verifier": verifier, **more}
        return str(self._client.create_authorization_url(url, **asked)[0])

    async def redeem(self, url: str, *, now: float, **grant: str) -> tuple[Tokens, str | None]:
        """Tokens for a code, and the scopes that came with them if it says; used from now on."""
        answer = await self._client.fetch_token(url, grant_type="authorization_code", **grant)
        tokens = _tokens(answer, now)
        # Without its expiry: the client would else judge and renew by itself.
        self._client.token = {"access_token": tokens.access, "token_type": "bearer"}
        scope = answer.get("scope")
        return tokens, scope if isinstance(scope, str) else None

    async def renew(self, url: str, former: Tokens, *, now: float) -> Tokens:
        """Tokens for a refresh token; the same one stays good where no new one came."""
        answer = await self._client.refresh_token(url, refresh_token=former.refresh)
        return _tokens(answer, now)

    async def get(self, url: str, *, public: bool = False, lacking: tuple[int, ...] = ()) -> Any:
        """JSON from there, None for a status of `lacking`. `public`: without the token."""
        reply = await self._client.request("GET", url, withhold_token=public, headers=_HEADERS)
        if reply.status_code in lacking:
            return None
        if reply.status_code in (401, 403):
            raise refused(self._title, "bad_token")
        reply.raise_for_status()
        return reply.json()


@asynccontextmanager
async def exchange(title: str, client_id: str, secret: str, *, plain: bool) -> AsyncIterator[Wire]:
    """A wire for one exchange; whatever goes wrong on it is one of our errors.

    `plain`: loopback may be spoken to without TLS. Raises BadRequest `oauth_refused`, Unavailable.
    """
    from authlib.common.errors import AuthlibBaseError
    from authlib.integrations.httpx_client import AsyncOAuth2Client

    options = {
        "timeout": TIMEOUT, "follow_redirects": False, "verify": _trust(), "headers": _HEADERS,
        "trust_env": not plain, "token_endpoint_auth_method": "client_secret_post",
        "code_challenge_method": "S256",
        "event_hooks": {"request": [partial(_only_secure, plain)], "response": [_bounded]},
    }  # fmt: skip
    try:
        async with (
            asyncio.timeout(TIMEOUT),
            AsyncOAuth2Client(client_id, secret, **options) as client,
        ):
            yield Wire(title, client)
    except GrowqrError:
        raise
    except AuthlibBaseError as error:
        raise refused(title, str(error.error)) from None
    except (httpx2.TimeoutException, TimeoutError):
        raise _away(title, f"no answer within {TIMEOUT:g} s") from None
    except httpx2.HTTPStatusError as error:
        raise _away(title, f"status {error.response.status_code}") from None
    except (httpx2.NetworkError, httpx2.ProxyError, OSError):
        raise _away(title, "no connection, or one that was cut") from None
    except (httpx2.HTTPError, httpx2.InvalidURL, httpx2.StreamError, *_GARBAGE):
        raise _away(title, "an answer nobody can read") from None


def refused(title: str, reason: str) -> GrowqrError:
    """What a provider's error stands for; `detail` has its name where it is a known one."""
    if reason in _AWAY:
        return _away(title, reason)
    known = reason if reason in _MISTAKES else "refused"
    why = _MISTAKES.get(reason, "it gives no reason that we know")
    return BadRequest(f"{title} refused: {why}", {"code": "oauth_refused", "reason": known})


def _away(title: str, why: str) -> Unavailable:
    return Unavailable(f"{title} does not answer as it should ({why}); try again")


def _tokens(answer: Any, now: float) -> Tokens:
    """Raises ValueError when this is none."""
    access, renewing = answer.get("access_token"), answer.get("refresh_token")
    for text in (access, *([renewing] if renewing is not None else [])):
        if not isinstance(text, str) or not _TOKEN.fullmatch(text):
            raise ValueError("no token")
    lifetime = answer.get("expires_in")
    if lifetime is None:
        return Tokens(access, renewing)
    if isinstance(lifetime, bool) or not 0 <= float(lifetime) <= FARTHEST:
        raise ValueError("no time")
    return Tokens(access, renewing, now + float(lifetime))


async def _only_secure(plain: bool, request: httpx2.Request) -> None:
    if not secure(str(request.url), plain):
        raise httpx2.UnsupportedProtocol("neither https nor loopback")


async def _bounded(reply: httpx2.Response) -> None:
    """Runs before the body is read: packed answers could be of any size once unpacked."""
    if reply.headers.get("content-encoding", "identity") != "identity":
        raise httpx2.DecodingError("packed although nobody asked")
    assert isinstance(reply.stream, httpx2.AsyncByteStream)
    reply.stream = _Bounded(reply.stream)


class _Bounded(httpx2.AsyncByteStream):
    def __init__(self, stream: httpx2.AsyncByteStream) -> None:
        self._stream = stream

    async def __aiter__(self) -> AsyncIterator[bytes]:
        size = 0
        async for piece in self._stream:
            size += len(piece)
            if size > LARGEST:
                raise httpx2.DecodingError("too large")
            yield piece

    async def aclose(self) -> None:
        await self._stream.aclose()


@cache
def _trust() -> ssl.SSLContext:
    """Takes tens of milliseconds to make."""
    return httpx2.create_ssl_context()
