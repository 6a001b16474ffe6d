"""Everything that can be chosen about an instance, with what follows from it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Literal, Self

from pydantic import Field, SecretStr, field_validator, model_validator

from growqr.config.base import named, secret_values
from growqr.config.doors import Doors


def default_data() -> Path:
    """`GROWQR_DATA`, else `./.growqr` inside a checkout, else `~/.growqr`."""
    here = Path.cwd()
    checkout = (here / "growqr" / "config").is_dir() and (here / "schema.sql").exists()
    return here / ".growqr" if checkout else Path.home() / ".growqr"


class Settings(Doors):
    """Everything that can be chosen about an instance, provider keys apart."""

    # Data folder: database, memory repositories, keys, logs, `instance.json`.
    data: Path = Field(default_factory=default_data)
    # First port of the block that every listener of the instance is taken from; 0: a free block.
    port: int = Field(4000, validation_alias=named("GROWQR_PORT", "PORT", "port"), ge=0, le=65000)
    # Address the HTTP ingress listens on.
    host: str = "127.0.0.1"
    # `production` refuses every development default.
    profile: Literal["development", "production"] = "development"
    # Lowest level that is logged.
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        "INFO", validation_alias=named("LOG_LEVEL", "log_level")
    )
    # An outside Postgres 15 or later; unset: embedded, under our own supervision.
    database_url: SecretStr | None = Field(
        None, validation_alias=named("DATABASE_URL", "database_url")
    )
    # Replicas of the api app; 0: one per core, at most 4.
    api_replicas: int = Field(0, ge=0, le=64)
    # CPUs that Ray may count on; 0: all of the machine.
    cpus: int = Field(0, ge=0)
    # Model provider; `auto`: anthropic or openai_compatible where one is set, else offline.
    llm_provider: Literal["auto", "anthropic", "openai_compatible", "scripted"] = Field(
        "auto", validation_alias=named("LLM_PROVIDER", "llm_provider")
    )
    # Model that agents ask for; unset: the provider's own default.
    llm_model: str | None = Field(None, validation_alias=named("LLM_MODEL", "llm_model"))
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
    # Tokens beyond which only an admin lets a user go on that day (UTC); 0: no limit.
    budget_hard_day_tokens: int = Field(0, ge=0)
    # The same in US dollars; 0: no limit.
    budget_hard_day_usd: float = Field(0.0, ge=0)
    # Days that events are kept.
    retention_days: float = Field(30.0, gt=0)
    # Events that are kept of one user.
    retention_events: int = Field(200_000, ge=100)
    # Days that the audit log keeps what was refused; what was done stays for ever.
    retention_refused_days: float = Field(90.0, ge=7)
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
        validation_alias=named("NPM_CONFIG_REGISTRY", "npm_registry"),
    )
    # What services of users are: local processes under bubblewrap, or containers.
    runtime: Literal["process", "docker"] = "process"
    # Image of OpenCode; the default one is built here from deployments/images/opencode.
    opencode_image: str = Field(
        "growqr/opencode:1.18.33", validation_alias=named("OPENCODE_IMAGE", "opencode_image")
    )
    # Image of Gitea, rootless; pin it by digest in production.
    gitea_image: str = Field(
        "docker.io/gitea/gitea:1.27.0-rootless",
        validation_alias=named("GITEA_IMAGE", "gitea_image"),
    )
    # Where memory and repositories can also be seen: nowhere, in a Gitea of each user's own
    # (needs GROWQR_RUNTIME=docker), or on one server for all (GITEA_URL, GITEA_TOKEN).
    gitea: Literal["off", "per_user", "shared"] = "off"
    # The server of GROWQR_GITEA=shared.
    gitea_url: str | None = Field(None, validation_alias=named("GITEA_URL", "gitea_url"))
    # Token of an administrator there, with the scopes write:admin, write:repository, write:user.
    gitea_token: SecretStr | None = Field(
        None, validation_alias=named("GITEA_TOKEN", "gitea_token")
    )
    # What containers reach of the world: nothing, or public addresses.
    egress: Literal["none", "open"] = "none"
    # Private network that each user's own network of 16 addresses is taken from.
    subnets: str = "10.199.0.0/16"
    # How we reach containers: by their address, by a port published on loopback, or as found out.
    reach: Literal["auto", "address", "port"] = "auto"
    # First and last of the ports for services where addresses cannot be reached.
    user_port_range_start: int = Field(
        42000, validation_alias=named("USER_PORT_RANGE_START", "user_port_range_start")
    )
    user_port_range_end: int = Field(
        42999, validation_alias=named("USER_PORT_RANGE_END", "user_port_range_end")
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
        None, validation_alias=named("USER_DATA_ROOT", "user_data_root")
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
    def site_url(self) -> str:
        """Where people reach the instance."""
        return (self.public_url or self.api_url).rstrip("/")

    @property
    def over_https(self) -> bool:
        """Whether people come by https."""
        return self.site_url.startswith("https://")

    @property
    def has_local_issuer(self) -> bool:
        """Whether tokens of the built-in issuer are good."""
        return self.local_issuer == "on" or (
            self.local_issuer == "auto" and self.profile != "production"
        )

    @property
    def gateway_url(self) -> str:
        """Where agents reach the model gateway."""
        return f"http://127.0.0.1:{self.port}/gateway"

    def dump(self) -> str:
        """JSON for the snapshot file, secrets included: write it 0600."""
        return json.dumps(self.model_dump(mode="json") | secret_values(self), indent=1)
