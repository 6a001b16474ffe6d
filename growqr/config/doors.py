"""Who may come in, how, and how much of it: a part of the settings."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, SecretStr

from growqr.config.base import Frozen, named


class Doors(Frozen):
    """Issuers of identities, secrets at rest, limits of users."""

    # Address that people reach the instance by; with https cookies are Secure. Unset: loopback.
    public_url: str | None = None
    # Another address whose pages may speak to the api (CORS), such as a development server's.
    frontend_url: str | None = Field(None, validation_alias=named("FRONTEND_URL", "frontend_url"))
    # The built-in issuer of `growqr token`; `auto`: on, but off in production.
    local_issuer: Literal["auto", "on", "off"] = "auto"
    # Clerk's publishable key: names Clerk's address, and so issuer and keys.
    clerk_publishable_key: str | None = Field(
        None, validation_alias=named("CLERK_PUBLISHABLE_KEY", "clerk_publishable_key")
    )
    # Clerk's secret key; nothing needs it yet, tokens are checked with public keys.
    clerk_secret_key: SecretStr | None = Field(
        None, validation_alias=named("CLERK_SECRET_KEY", "clerk_secret_key")
    )
    # Clerk's public key as PEM, instead of asking Clerk for its keys.
    clerk_jwt_key: str | None = Field(
        None, validation_alias=named("CLERK_JWT_KEY", "clerk_jwt_key")
    )
    # Origins that tokens may have been made for (`azp`), besides the public address.
    authorized_parties: tuple[str, ...] = ()
    # Any other OpenID issuer whose tokens are accepted: its `iss`.
    oidc_issuer: str | None = None
    # What its tokens must name as `aud`; unset: not looked at.
    oidc_audience: str | None = None
    # Where its keys are; unset: asked of the issuer's discovery document.
    oidc_jwks_url: str | None = None
    # GitHub OAuth app, for signing in.
    github_client_id: str | None = Field(
        None, validation_alias=named("GITHUB_CLIENT_ID", "github_client_id")
    )
    # Its secret.
    github_client_secret: SecretStr | None = Field(
        None, validation_alias=named("GITHUB_CLIENT_SECRET", "github_client_secret")
    )
    # Address of GitHub, or of an Enterprise Server.
    github_url: str = "https://github.com"
    # Address of its API.
    github_api_url: str = "https://api.github.com"
    # Google OAuth client, for signing in.
    google_client_id: str | None = Field(
        None, validation_alias=named("GOOGLE_CLIENT_ID", "google_client_id")
    )
    # Its secret.
    google_client_secret: SecretStr | None = Field(
        None, validation_alias=named("GOOGLE_CLIENT_SECRET", "google_client_secret")
    )
    # Google's issuer, whose discovery document names the rest.
    google_issuer: str = "https://accounts.google.com"
    # E-mail addresses, and @domains, that may come in by an issuer of others; `*`: everybody.
    # Empty: everybody, which production refuses where GitHub or Google is a way in.
    allowed_emails: tuple[str, ...] = ()
    # Keys that secrets are sealed with: 32 bytes in base64 each, separated by commas, the first
    # one seals. Unset: made at first start, in the data folder.
    encryption_key: SecretStr | None = Field(
        None, validation_alias=named("ENCRYPTION_KEY", "encryption_key")
    )
    # Days that a browser stays signed in.
    sign_in_days: float = Field(7.0, gt=0, le=365)
    # Requests of one user in a minute, over all replicas; 0: no limit.
    limit_requests: int = Field(1200, ge=0)
    # The same of one API key.
    limit_key_requests: int = Field(600, ge=0)
    # Requests without a good token of one address in a minute; 0: no limit.
    limit_strangers: int = Field(300, ge=0)
    # Proxies of yours before the instance, each adding to X-Forwarded-For; 0: it is not believed.
    proxies: int = Field(0, ge=0, le=8)
    # Streams that one user may have open over all replicas.
    limit_streams: int = Field(10, ge=1, le=2000)
    # Those of them that one API key may have.
    limit_key_streams: int = Field(5, ge=1, le=2000)
    # Sub-agents of one user that may live at once.
    limit_sub_agents: int = Field(8, ge=1, le=256)
    # Calls to models that one user may have under way at once; further ones wait.
    limit_model_calls: int = Field(16, ge=1, le=1024)
