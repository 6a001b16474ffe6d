"""What all settings have in common."""

from __future__ import annotations

from pydantic import AliasChoices, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class Frozen(BaseSettings):
    """`GROWQR_<FIELD>` of the environment, then of `.env`, then the default."""

    model_config = SettingsConfigDict(
        env_prefix="GROWQR_", env_file=".env", extra="ignore", frozen=True
    )


def secret_values(settings: BaseSettings) -> dict[str, str]:
    """The secrets themselves by field, of those that are set."""
    return {
        name: value.get_secret_value() for name, value in settings if isinstance(value, SecretStr)
    }


def named(*names: str) -> AliasChoices:
    """A field with a well-known variable: the names it is read by, the documented one first."""
    return AliasChoices(*names)
