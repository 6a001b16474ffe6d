"""Settings: read once, frozen, every field with one line that says what it is for.

`growqr up` reads the environment and `.env`, then writes what it found to `<data>/settings.json`
(0600). Every other process of the instance is told that file by GROWQR_SETTINGS and reads nothing
else, so that all of them agree and no secret travels in an environment.
Provider keys are not in that file: only the models app reads `<data>/secrets.env`.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import (
    AliasChoices,
    Field,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_settings import BaseSettings, SettingsConfigDict

from growqr import failpoints
from growqr.errors import InstanceError

SNAPSHOT = "GROWQR_SETTINGS"
"""Environment variable that names the snapshot file inside an instance."""

CLIENT_KEYS = frozenset({"GROWQR_URL", "GROWQR_TOKEN", "GROWQR_PG_BIN", SNAPSHOT})
"""GROWQR_* names that are no settings of an instance but are allowed in the environment."""

_BUILT_IN = {"env_prefix": "GROWQR_", "env_file": ".env", "extra": "ignore", "frozen": True}


def _named(*names: str) -> AliasChoices:
    return AliasChoices(*names)


class Providers(BaseSettings):
    """Keys and addresses of model providers. Never leaves `growqr up` and the models app."""

    model_config = SettingsConfigDict(env_file=".env", extra="ignore", frozen=True)

    # Key of an Anthropic Messages API; without it the offline model answers.
    anthropic_api_key: SecretStr | None = Field(None, validation_alias=_named("ANTHROPIC_API_KEY"))
    # Base URL of any server that speaks the Messages API.
    anthropic_base_url: str | None = Field(None, validation_alias=_named("ANTHROPIC_BASE_URL"))
    # Key of a server of chat completions; many local ones need none.
    openai_api_key: SecretStr | None = Field(None, validation_alias=_named("OPENAI_API_KEY"))
    # Base URL of any server of chat completions, with its /v1.
    openai_base_url: str | None = Field(
        None, validation_alias=_named("OPENAI_BASE_URL", "LLM_BASE_URL")
    )


class _SecretsFile(Providers):
    """Providers read from a file alone: nothing else is a source."""

    @classmethod
    def settings_customise_sources(cls, *_: Any, **sources: Any) -> tuple[Any, ...]:
        return (sources["dotenv_settings"],)


def provider_keys(settings: Settings) -> Providers:
    """What `growqr up` left in `<data>/secrets.env`; the environment is not asked."""
    file = settings.data / "secrets.env"
    return _SecretsFile(_env_file=file)  # type: ignore[call-arg]  # keys come from the file


class Settings(BaseSettings):
    """Everything that can be chosen about an instance, provider keys apart."""

    model_config = SettingsConfigDict(**_BUILT_IN)  # type: ignore[typeddict-item]  # a plain dict

    # Data folder: database, memory repositories, keys, logs, `instance.json`.
    data: Path = Field(default_factory=lambda: default_data())
    # First port of the block that every listener of the instance is taken from; 0: a free block.
    port: int = Field(4000, validation_alias=_named("GROWQR_PORT", "PORT", "port"), ge=0, le=65000)
    # Address the HTTP ingress listens on.
    host: str = "127.0.0.1"
    # `production` refuses every development default.
    profile: Literal["development", "production"] = "development"
    # Lowest level that is logged.
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        "INFO", validation_alias=_named("LOG_LEVEL", "log_level")
    )
    # An outside Postgres 15 or later; unset: embedded, under our own supervision.
    database_url: SecretStr | None = Field(
        None, validation_alias=_named("DATABASE_URL", "database_url")
    )
    # Replicas of the api app; 0: one per core, at most 4.
    api_replicas: int = Field(0, ge=0, le=64)
    # CPUs that Ray may count on; 0: all of the machine.
    cpus: int = Field(0, ge=0)
    # Model provider; `auto`: anthropic or openai_compatible where one is set, else offline.
    llm_provider: Literal["auto", "anthropic", "openai_compatible", "scripted"] = Field(
        "auto", validation_alias=_named("LLM_PROVIDER", "llm_provider")
    )
    # Model that agents ask for; unset: the provider's own default.
    llm_model: str | None = Field(None, validation_alias=_named("LLM_MODEL", "llm_model"))
    # Models that may be asked for, besides `llm_model`; empty: any of the provider's.
    llm_allowed: tuple[str, ...] = ()
    # Upper bound of `max_tokens` of one model call.
    llm_max_tokens: int = Field(8192, ge=1)
    # Providers that are asked in turn when the one before is away: `provider` or `provider:model`.
    llm_fallback: tuple[str, ...] = ()
    # US dollars per million tokens by model: [input, output, cache read, cache write].
    llm_prices: dict[str, tuple[float, float, float, float]] = Field(default_factory=dict)
    # Pause between two pieces of an offline reply, in seconds.
    scripted_delay: float = Field(0.0, ge=0, le=10)
    # Seconds an agent's lease lives without being renewed.
    lease_ttl: float = Field(10.0, gt=0.5)
    # Seconds an agent's lease lives while it has nothing to do and holds no connection.
    idle_lease_ttl: float = Field(60.0, gt=1)
    # Seconds without work after which a Grow Agent ends; its next message starts a new one.
    idle_sleep: float = Field(600.0, gt=0)
    # Seconds without work after which a sub-agent's process ends; its next task starts a new one.
    sub_agent_sleep: float = Field(90.0, gt=0)
    # Seconds after which an unfinished turn is ended as failed.
    turn_deadline: float = Field(1800.0, gt=0)
    # Seconds for which an approval, a question or a budget waits for somebody to decide.
    decision_expiry: float = Field(86_400.0, gt=0)
    # Tokens one turn and its sub-agents may use before somebody must allow more; 0: no limit.
    budget_turn_tokens: int = Field(2_000_000, ge=0)
    # Tokens one user may use on a day (UTC); 0: no limit.
    budget_day_tokens: int = Field(20_000_000, ge=0)
    # US dollars one turn may cost, by `llm_prices`; 0: no limit.
    budget_turn_usd: float = Field(0.0, ge=0)
    # US dollars one user may spend on a day (UTC); 0: no limit.
    budget_day_usd: float = Field(0.0, ge=0)
    # Seconds that models may work for one turn; 0: no limit.
    budget_turn_seconds: float = Field(0.0, ge=0)
    # Seconds that models may work for one user on a day (UTC); 0: no limit.
    budget_day_seconds: float = Field(0.0, ge=0)
    # Days that events are kept.
    retention_days: float = Field(30.0, gt=0)
    # Events that are kept of one user.
    retention_events: int = Field(200_000, ge=100)
    # Never-used worker processes kept ready, so that an agent wakes at once; each takes 65 MB.
    warm_workers: int = Field(2, ge=0, le=64)
    # Folder of failpoints, for crash tests; unset: there are none.
    failpoints: Path | None = None
    # Seconds without use after which a user's service is stopped; its next use starts it again.
    service_idle: float = Field(600.0, gt=0)
    # Folder of fetched programs, shared if you like; unset: `tools` in the data folder.
    tools: Path | None = None
    # An OpenCode 1.x program to run instead of the fetched one.
    opencode_bin: Path | None = None
    # The npm registry that OpenCode and ripgrep are fetched from.
    npm_registry: str = Field(
        "https://registry.npmjs.org",
        validation_alias=_named("NPM_CONFIG_REGISTRY", "npm_registry"),
    )
    # What services of users are: local processes under bubblewrap, or containers.
    runtime: Literal["process", "docker"] = "process"
    # Image of OpenCode; the default one is built here from deployments/images/opencode.
    opencode_image: str = Field(
        "growqr/opencode:1.18.33", validation_alias=_named("OPENCODE_IMAGE", "opencode_image")
    )
    # Image of Gitea, rootless; pin it by digest in production.
    gitea_image: str = Field(
        "docker.io/gitea/gitea:1.27.0-rootless",
        validation_alias=_named("GITEA_IMAGE", "gitea_image"),
    )
    # Where memory and repositories can also be seen: nowhere, in a Gitea of each user's own
    # (needs GROWQR_RUNTIME=docker), or on one server for all (GITEA_URL, GITEA_TOKEN).
    gitea: Literal["off", "per_user", "shared"] = "off"
    # The server of GROWQR_GITEA=shared.
    gitea_url: str | None = Field(None, validation_alias=_named("GITEA_URL", "gitea_url"))
    # Token of an administrator there, with the scopes write:admin, write:repository, write:user.
    gitea_token: SecretStr | None = Field(
        None, validation_alias=_named("GITEA_TOKEN", "gitea_token")
    )
    # What containers reach of the world: nothing, or public addresses.
    egress: Literal["none", "open"] = "none"
    # Private network that each user's own network of 16 addresses is taken from.
    subnets: str = "10.199.0.0/16"
    # How we reach containers: by their address, by a port published on loopback, or as found out.
    reach: Literal["auto", "address", "port"] = "auto"
    # First and last of the ports for services where addresses cannot be reached.
    user_port_range_start: int = Field(
        42000, validation_alias=_named("USER_PORT_RANGE_START", "user_port_range_start")
    )
    user_port_range_end: int = Field(
        42999, validation_alias=_named("USER_PORT_RANGE_END", "user_port_range_end")
    )
    # Names of our containers and networks begin so; another one for a second instance.
    stack_prefix: str = Field("growqr", pattern=r"^[a-z][a-z0-9-]{0,20}$")
    # Socket of `growqr broker`, which alone talks to Docker then; unset: the Host does itself.
    broker: Path | None = None
    # MiB of memory one service may use.
    service_memory: int = Field(1536, ge=64)
    # Cores one service may use.
    service_cpus: float = Field(1.5, gt=0)
    # Processes and threads one service may have.
    service_pids: int = Field(512, ge=16)
    # MiB that one user's folders may hold; a service that exceeds them is stopped. 0: no limit.
    service_disk: int = Field(10_240, ge=0)
    # Seconds an idle container stays paused before it is stopped; 0: it is stopped at once.
    service_paused: float = Field(1800.0, ge=0)
    # Folder of the users' homes and workspaces; unset: `users` in the data folder.
    user_data_root: Path | None = Field(
        None, validation_alias=_named("USER_DATA_ROOT", "user_data_root")
    )
    # Run services of several users without walls between them, where bubblewrap is missing.
    allow_unsandboxed: bool = False

    @model_validator(mode="after")
    def _no_failpoints_in_production(self) -> Self:
        if self.failpoints is not None and self.profile == "production":
            raise ValueError("GROWQR_FAILPOINTS kills processes; production does not start with it")
        return self

    @model_validator(mode="after")
    def _gitea_can_be_had(self) -> Self:
        if self.gitea == "per_user" and self.runtime != "docker":
            raise ValueError("GROWQR_GITEA=per_user needs GROWQR_RUNTIME=docker")
        if self.gitea == "shared" and not (self.gitea_url and self.gitea_token):
            raise ValueError("GROWQR_GITEA=shared needs GITEA_URL and GITEA_TOKEN")
        return self

    @field_validator("data", "tools", "opencode_bin", "failpoints", "broker", "user_data_root")
    @classmethod
    def _absolute(cls, value: Path | None) -> Path | None:
        return value.expanduser().resolve() if value else None

    @property
    def secrets(self) -> Path:
        """Folder of generated secrets, 0700."""
        return self.data / "secrets"

    @property
    def repositories(self) -> Path:
        """Folder of the users' bare memory repositories."""
        return self.data / "memory"

    @property
    def users_folder(self) -> Path:
        """Folder of what the users' services keep, one folder each."""
        return self.user_data_root or self.data / "users"

    def home(self, user_id: str) -> Path:
        """The user's HOME inside the sandbox: configuration and history of OpenCode."""
        return self.users_folder / user_id / "home"

    def workspace(self, user_id: str) -> Path:
        """Where the user's sub-agents work."""
        return self.users_folder / user_id / "work"

    def gitea_folder(self, user_id: str) -> Path:
        """What the user's own Gitea keeps: every part of it can be made again."""
        return self.users_folder / user_id / "gitea"

    def gitea_database(self, user_id: str) -> Path:
        """The database of the user's own Gitea, there whenever that works."""
        return self.gitea_folder(user_id) / "data" / "gitea.db"

    @property
    def tools_folder(self) -> Path:
        """Folder of the programs that were fetched."""
        return self.tools or self.data / "tools"

    @property
    def api_url(self) -> str:
        """Where the user's services reach the api."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def gateway_url(self) -> str:
        """Where agents reach the model gateway."""
        return f"http://127.0.0.1:{self.port}/gateway"

    def dump(self) -> str:
        """JSON for the snapshot file, secrets included: write it 0600."""
        values = self.model_dump(mode="json")
        if self.database_url is not None:
            values["database_url"] = self.database_url.get_secret_value()
        if self.gitea_token is not None:
            values["gitea_token"] = self.gitea_token.get_secret_value()
        return json.dumps(values, indent=1)


class _Snapshot(Settings):
    """Settings read from a snapshot: nothing else is a source."""

    @classmethod
    def settings_customise_sources(cls, *_: Any, **sources: Any) -> tuple[Any, ...]:
        return (sources["init_settings"],) if "init_settings" in sources else (_[1],)


def load(**overrides: Any) -> Settings:
    """The settings of this process.

    Inside an instance the snapshot named by GROWQR_SETTINGS is the only source; elsewhere
    overrides, then the environment, then `.env`, then defaults.
    Raises InstanceError naming the variable that is wrong or unknown.
    """
    snapshot = os.environ.get(SNAPSHOT)
    if snapshot:
        settings = from_snapshot(Path(snapshot))
        failpoints.arm(settings.failpoints)
        return settings
    _refuse_unknown()
    try:
        return Settings(**overrides)
    except ValidationError as error:
        raise InstanceError(_first_problem(error)) from None


def from_snapshot(path: Path) -> Settings:
    """Settings as `growqr up` wrote them. Raises InstanceError when the file cannot be read."""
    try:
        return _Snapshot(**json.loads(path.read_text()))
    except (OSError, ValueError) as error:
        raise InstanceError(f"cannot read the instance's settings from {path}: {error}") from None


def client_target() -> tuple[str, str | None] | None:
    """(url, token) of GROWQR_URL and GROWQR_TOKEN, where a client is pointed at an instance."""
    url = os.environ.get("GROWQR_URL")
    return (url.rstrip("/"), os.environ.get("GROWQR_TOKEN")) if url else None


def postgres_programs() -> Path | None:
    """GROWQR_PG_BIN: folder of the PostgreSQL programs to embed instead of the found ones."""
    chosen = os.environ.get("GROWQR_PG_BIN")
    return Path(chosen) if chosen else None


def default_data() -> Path:
    """`GROWQR_DATA`, else `./.growqr` inside a checkout, else `~/.growqr`."""
    here = Path.cwd()
    checkout = (here / "growqr" / "config.py").exists() and (here / "schema.sql").exists()
    return here / ".growqr" if checkout else Path.home() / ".growqr"


def child_environment(settings: Settings, **extra: str) -> dict[str, str]:
    """Environment for a process of the instance: the snapshot's path, and no secret.

    Whatever configures growqr or a provider is left out; `extra` is added last.
    """
    fields: dict[str, Any] = {**Settings.model_fields, **Providers.model_fields}
    ours = {
        name.upper()
        for field in fields.values()
        for name in getattr(field.validation_alias, "choices", ())
    }
    secret = ("_API_KEY", "_TOKEN", "_SECRET", "_SECRET_KEY", "_PASSWORD")
    kept = {
        key: value
        for key, value in os.environ.items()
        if key not in ours and not key.startswith(("GROWQR_", "RAY_")) and not key.endswith(secret)
    }
    return kept | {SNAPSHOT: str(settings.data / "settings.json")} | extra


def _refuse_unknown() -> None:
    known = {f"GROWQR_{name}".upper() for name in Settings.model_fields} | CLIENT_KEYS
    for name in os.environ:
        ours = name.startswith("GROWQR_") and not name.startswith("GROWQR_TEST_")
        if ours and name not in known:
            raise InstanceError(
                f"unknown setting {name} in the environment; known are {', '.join(sorted(known))}"
            )


def _first_problem(error: ValidationError) -> str:
    first = error.errors()[0]
    name = str(first["loc"][0]) if first["loc"] else "settings"
    return f"setting {name.upper()} is wrong: {first['msg']}"
