"""`GROWQR_PROFILE=production` starts with no development default: each is named, all at once."""

from __future__ import annotations

from collections.abc import Iterator

from growqr.config import Settings
from growqr.errors import InstanceError


def check_profile(settings: Settings) -> None:
    """Raises InstanceError naming every variable that production does not start with."""
    if settings.profile != "production":
        return
    if wrong := list(_defaults(settings)):
        told = "\n".join(f"  {name}: {why}" for name, why in wrong)
        raise InstanceError(f"GROWQR_PROFILE=production refuses development defaults:\n{told}")


def _defaults(settings: Settings) -> Iterator[tuple[str, str]]:
    """(variable, what to do)."""
    others = (settings.github_client_id, settings.google_client_id)
    issuers = (settings.clerk_publishable_key, settings.clerk_jwt_key, settings.oidc_issuer)
    if settings.local_issuer == "on":
        yield "GROWQR_LOCAL_ISSUER", "whoever reads the data folder is every user; leave it unset"
    if not any((*issuers, *others)):
        yield (
            "CLERK_PUBLISHABLE_KEY",
            "nobody could sign in: set it, or GROWQR_OIDC_ISSUER, GITHUB_CLIENT_ID or "
            "GOOGLE_CLIENT_ID",
        )
    if settings.oidc_issuer and not settings.oidc_audience:
        yield "GROWQR_OIDC_AUDIENCE", "tokens made for other applications would get in; name ours"
    if any(others) and not settings.allowed_emails:
        yield (
            "GROWQR_ALLOWED_EMAILS",
            'everybody with an account there could come in; name addresses and @domains, or "*"',
        )
    if not settings.over_https:
        yield "GROWQR_PUBLIC_URL", "set the https address that people reach the instance by"
    if (settings.frontend_url or "https://").startswith("http://"):
        yield "FRONTEND_URL", "its pages speak for signed-in people: https, or unset"
    if settings.encryption_key is None:
        yield "ENCRYPTION_KEY", "set 32 random bytes in base64: growqr keys new"
    if settings.allow_unsandboxed:
        yield "GROWQR_ALLOW_UNSANDBOXED", "users' services need walls; leave it unset"
    if settings.failpoints is not None:
        yield "GROWQR_FAILPOINTS", "it kills processes; leave it unset"
