"""Where settings come from: the environment, the snapshot of an instance, its file of keys."""

from __future__ import annotations

import json
import os
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from dotenv import dotenv_values
from pydantic import ValidationError

from growqr import failpoints
from growqr.config.providers import Providers
from growqr.config.settings import Settings
from growqr.errors import InstanceError

SNAPSHOT = "GROWQR_SETTINGS"
"""Environment variable that names the snapshot file inside an instance."""

CLIENT_KEYS = frozenset({"GROWQR_URL", "GROWQR_TOKEN", "GROWQR_PG_BIN", SNAPSHOT})
"""GROWQR_* names that are no settings of an instance but are allowed in the environment."""


class _SecretsFile(Providers):
    """Providers read from a file alone: nothing else is a source."""

    @classmethod
    def settings_customise_sources(cls, *_: Any, **sources: Any) -> tuple[Any, ...]:
        return (sources["dotenv_settings"],)


def provider_keys(settings: Settings) -> Providers:
    """What `growqr up` left in `<data>/secrets.env`; the environment is not asked."""
    file = settings.data / "secrets.env"
    return _SecretsFile(_env_file=file)  # type: ignore[call-arg]  # keys come from the file


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


def ray_auth_mode() -> str | None:
    """RAY_AUTH_MODE as somebody set it for us; the instance's own processes are told theirs."""
    return os.environ.get("RAY_AUTH_MODE")


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
    for place, names in (("the environment", os.environ), (".env", dotenv_values(".env"))):
        for name in names:
            ours = name.startswith("GROWQR_") and not name.startswith("GROWQR_TEST_")
            if ours and name not in known:
                close = get_close_matches(name, known, 3)
                meant = f"did you mean {' or '.join(close)}?" if close else "see .env.example"
                raise InstanceError(f"there is no setting {name}, but {place} sets it; {meant}")


def _first_problem(error: ValidationError) -> str:
    first = error.errors()[0]
    name = str(first["loc"][0]) if first["loc"] else "settings"
    return f"setting {name.upper()} is wrong: {first['msg']}"
