"""Requests to addresses that users name: public ones only, bounded in time and size.

Names are resolved here and each address is checked; every hop of a redirect anew.
"""

from __future__ import annotations

import asyncio
import io
import ssl
from collections.abc import Collection, Iterable, Mapping
from types import TracebackType
from typing import Final, Self

import aiohttp
from yarl import URL

from growqr.errors import Invalid, Unavailable
from growqr.integrations.addresses import Network, read
from growqr.integrations.answers import Answer, check_headers, read_body
from growqr.integrations.resolving import CheckedResolver, Resolver, SystemResolver
from growqr.integrations.urls import HTTPS, parse

DEADLINE: Final = 10.0
"""Seconds one request may take, with its redirects, from name to last byte."""

MAX_ANSWER: Final = 5_000_000
"""Bytes of one answer, packed and unpacked."""

AT_ONCE: Final = 100
"""Connections of one `Outside`; who waits for one does so within the deadline."""

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_TROUBLE: tuple[tuple[type[Exception], str, str], ...] = (
    (TimeoutError, "deadline", "it took too long"),
    (aiohttp.ClientSSLError, "tls", "its certificate or TLS is not good"),
    (aiohttp.ClientConnectorDNSError, "dns", "its name has no address"),
    (aiohttp.ClientConnectorError, "connection", "it cannot be reached"),
    (aiohttp.ClientResponseError, "garbled", "its answer is not HTTP"),
    (Exception, "cut", "the connection was cut"),
)


class Outside:
    """The client for addresses that users name: one for a process, used as a context.

    `schemes`: https, and http where development asks for it. `allow`: networks that may be asked
    although they are not public. `resolver`: instead of the machine's. `tls`: instead of the
    machine's authorities.
    """

    def __init__(
        self,
        *,
        schemes: Collection[str] = HTTPS,
        allow: Iterable[Network] = (),
        resolver: Resolver | None = None,
        tls: ssl.SSLContext | None = None,
        deadline: float = DEADLINE,
        max_answer: int = MAX_ANSWER,
    ) -> None:
        self._schemes = tuple(schemes)
        self._allow = frozenset(allow)
        self._resolver = resolver
        self._tls = tls
        self._deadline = deadline
        self._max_answer = max_answer

    async def __aenter__(self) -> Self:
        self._system = SystemResolver()
        self._names = CheckedResolver(self._resolver or self._system, self._allow)
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                resolver=self._names,
                use_dns_cache=False,
                force_close=True,  # what one user's server says late must not meet another's
                limit=AT_ONCE,
                ssl=self._tls or True,
            ),
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=None),  # ours spans all hops
            auto_decompress=False,
            trust_env=False,
        )
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._session.close()
        self._system.close()

    async def ask(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
        follow: int = 0,
    ) -> Answer:
        """The answer, whatever its status; a redirect too, unless up to `follow` are followed.

        Only GET and HEAD are sent on, and to another origin without `headers`. Raises Invalid for
        what may not be asked, TooLarge for an answer beyond the limit, and Unavailable with
        `detail.reason`: dns, connection, tls, deadline, cut, garbled, encoding or redirects.
        """
        target = parse(url, self._schemes, self._allow)
        if method not in _METHODS:
            raise Invalid(f"method {method[:20]!r} is not one of {', '.join(sorted(_METHODS))}")
        sent = check_headers(headers or {})
        if method not in ("GET", "HEAD"):
            follow = 0
        try:
            async with asyncio.timeout(self._deadline):
                return await self._ask(method, target, sent, body, follow)
        except (aiohttp.ClientError, OSError) as error:  # TimeoutError is an OSError
            raise _trouble(target, error) from None

    async def resolve(self, url: str) -> tuple[str, ...]:
        """The checked addresses of the URL's host, for programs that connect themselves.

        Raises Invalid, Unavailable.
        """
        target = parse(url, self._schemes, self._allow)
        try:
            async with asyncio.timeout(self._deadline):
                return tuple(await self._names.addresses(target.raw_host or "", target.port or 0))
        except TimeoutError as error:
            raise _trouble(target, error) from None
        except OSError:
            raise _unavailable(target, "dns", "its name has no address") from None

    async def _ask(
        self, method: str, url: URL, headers: dict[str, str], body: bytes, follow: int
    ) -> Answer:
        for left in range(follow, -1, -1):
            if read(url.raw_host or ""):  # aiohttp asks no resolver about an address
                await self._names.addresses(url.raw_host or "", url.port or 0)
            async with self._session.request(
                method,
                url,
                headers={**headers, "User-Agent": "growqr", "Accept-Encoding": "gzip"},
                data=io.BytesIO(body) if body else None,
                allow_redirects=False,
            ) as reply:
                place = reply.headers.get("Location")
                if not follow or reply.status not in _REDIRECTS or place is None:
                    came = await read_body(reply, self._max_answer)
                    return Answer(reply.status, reply.headers, came)
            if left:
                origin, url = url.origin(), self._next(url, place)
                headers = headers if url.origin() == origin else {}
        raise _unavailable(url, "redirects", f"it redirects more than {follow} times")

    def _next(self, url: URL, place: str) -> URL:
        try:
            joined = str(url.join(URL(place)))
        except ValueError:
            raise _unavailable(url, "garbled", "it redirects to what is no address") from None
        return parse(joined, self._schemes, self._allow, "redirect")


def _trouble(url: URL, error: Exception) -> Unavailable:
    reason, words = next((r, w) for kind, r, w in _TROUBLE if isinstance(error, kind))
    return _unavailable(url, reason, words)


def _unavailable(url: URL, reason: str, words: str) -> Unavailable:
    # The host alone: paths and queries of webhooks are secrets.
    return Unavailable(f"{url.host} did not answer: {words}", {"reason": reason})
