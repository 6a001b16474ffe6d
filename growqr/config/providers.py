"""Keys and addresses of model providers."""

from __future__ import annotations

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from growqr.config.base import named


class Providers(BaseSettings):
    """Keys and addresses of model providers. Never leaves `growqr up` and the models app."""

    model_config = SettingsConfigDict(env_file=".env", extra="ignore", frozen=True)

    # Key of an Anthropic Messages API; without it the offline model answers.
    anthropic_api_key: SecretStr | None = Field(None, validation_alias=named("ANTHROPIC_API_KEY"))
    # Base URL of any server that speaks the Messages API.
    anthropic_base_url: str | None = Field(None, validation_alias=named("ANTHROPIC_BASE_URL"))
    # Key of a server of chat completions; many local ones need none.
    openai_api_key: SecretStr | None = Field(None, validation_alias=named("OPENAI_API_KEY"))
    # Base URL of any server of chat completions, with its /v1.
    openai_base_url: str | None = Field(
        None, validation_alias=named("OPENAI_BASE_URL", "LLM_BASE_URL")
    )
