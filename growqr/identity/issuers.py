"""Which issuers the settings open the door to: the built-in one, Clerk, any OpenID issuer.

Nothing here asks the network: keys are fetched when the first token comes.
"""

from __future__ import annotations

import base64
import re
import time
from collections.abc import Callable, Iterator
from functools import partial
from urllib.parse import urlsplit

from growqr.config import Settings
from growqr.errors import InstanceError
from growqr.identity.foreign import Clerk, Keys, Oidc, OneKey
from growqr.identity.jwks import KeySet
from growqr.identity.local_issuer import LocalIssuer
from growqr.identity.published import check_url, discovered, is_loopback, published
from growqr.identity.verifier import KeySource, Verifier

_PUBLISHABLE = re.compile(r"pk_(?:test|live)_([A-Za-z0-9+/_-]+)={0,2}")
_HOST = re.compile(r"[a-z0-9.-]+(:[0-9]{1,5})?\$")


def open_verifier(settings: Settings, clock: Callable[[], float] = time.time) -> Verifier:
    """Of every issuer that the settings name. Raises InstanceError naming a wrong setting."""
    sources = list(_sources(settings, clock))
    if len({source.issuer for source in sources}) < len(sources):
        raise InstanceError(
            "CLERK_PUBLISHABLE_KEY and GROWQR_OIDC_ISSUER name the same issuer; unset one of them"
        )
    return Verifier(sources, clock)


def clerk_url(settings: Settings) -> str | None:
    """Address of Clerk's Frontend API, which is its `iss`; None without a publishable key.

    Raises InstanceError for a malformed key.
    """
    if settings.clerk_publishable_key is None:
        return None
    found = _PUBLISHABLE.fullmatch(settings.clerk_publishable_key.strip())
    host = _decoded(found[1]) if found else ""
    if not _HOST.fullmatch(host):
        raise InstanceError(
            "CLERK_PUBLISHABLE_KEY is no publishable key of Clerk; copy the one that begins with "
            "pk_test_ or pk_live_ from its dashboard under API keys"
        )
    host = host.removesuffix("$")
    if not is_loopback(f"//{host}"):
        return f"https://{host}"
    if settings.profile == "production":
        raise InstanceError(
            f"CLERK_PUBLISHABLE_KEY names {host}, which is this machine; set the key that begins "
            "with pk_live_, or unset GROWQR_PROFILE=production"
        )
    return f"http://{host}"


def authorized_parties(settings: Settings) -> frozenset[str] | None:
    """Origins whose pages may use Clerk's tokens; None, in development: any.

    Raises InstanceError in production without any.
    """
    chosen = [*settings.authorized_parties, settings.public_url, settings.frontend_url]
    parties = {origin_of(url) for url in chosen if url}
    if parties:
        own = () if settings.public_url else ("127.0.0.1", "localhost")
        return frozenset(parties | {f"http://{host}:{settings.port}" for host in own})
    if settings.profile == "production":
        raise InstanceError(
            "CLERK_PUBLISHABLE_KEY is set, and no page may use its tokens; set GROWQR_PUBLIC_URL "
            "to the address that people reach the instance by"
        )
    return None


def _sources(settings: Settings, clock: Callable[[], float]) -> Iterator[KeySource]:
    production = settings.profile == "production"
    if settings.local_issuer == "on" or (settings.local_issuer == "auto" and not production):
        yield LocalIssuer(settings)
    if url := clerk_url(settings):
        yield Clerk(url, _clerk_keys(settings, url, clock), authorized_parties(settings))
    elif settings.clerk_jwt_key:
        raise InstanceError(
            "CLERK_JWT_KEY does not say whose key it is; set CLERK_PUBLISHABLE_KEY too"
        )
    if issuer := settings.oidc_issuer:
        yield Oidc(issuer, _oidc_keys(settings, issuer, clock), settings.oidc_audience)


def _clerk_keys(settings: Settings, url: str, clock: Callable[[], float]) -> Keys:
    if not settings.clerk_jwt_key:
        production = settings.profile == "production"
        fetch = partial(published, f"{url}/.well-known/jwks.json", production=production)
        return KeySet(url, fetch, clock)
    try:
        return OneKey(settings.clerk_jwt_key)
    except ValueError as error:
        raise InstanceError(
            f"CLERK_JWT_KEY is not usable: {error}; copy the PEM public key from Clerk's dashboard "
            "under API keys, or unset it and the keys are asked of Clerk"
        ) from None


def _oidc_keys(settings: Settings, issuer: str, clock: Callable[[], float]) -> Keys:
    production, url = settings.profile == "production", settings.oidc_jwks_url
    try:
        check_url(url or issuer, production=production)
    except ValueError as error:
        name = "GROWQR_OIDC_JWKS_URL" if url else "GROWQR_OIDC_ISSUER"
        raise InstanceError(f"{name} is not usable: {error}") from None
    fetch = partial(published, url) if url else partial(discovered, issuer)
    return KeySet(issuer, partial(fetch, production=production), clock)


def origin_of(url: str) -> str:
    """Scheme, host and port as a browser names them; what is no address stays as it is."""
    parts = urlsplit(url)
    if not parts.hostname:
        return url
    usual = {"http": ":80", "https": ":443"}.get(parts.scheme, "-")
    return f"{parts.scheme}://{parts.netloc.lower()}".removesuffix(usual)


def _decoded(text: str) -> str:
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_").decode().lower()
    except ValueError:
        return ""
