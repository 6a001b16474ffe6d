"""What a user's Gitea is started with: the published rootless image, set up by environment alone.

All it keeps lies in the user's folder; of its image nothing is written. Its entry point stays, as
it turns the environment into `app.ini` at every start.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from growqr import names
from growqr.config import Settings
from growqr.stacks.base import Health, ServiceSpec
from growqr.stacks.opencode_spec import limits_of

ROLE: Final = "gitea"
PORT: Final = 3000
"""What the image listens on."""

_TEMPORARY = "/tmp/gitea"  # noqa: S108  inside the container, where /tmp is its own
_START = 120.0  # seconds: the first start makes the database

_SETTINGS: Final = {
    "security": {"INSTALL_LOCK": "true", "DISABLE_GIT_HOOKS": "true"},
    "server": {
        "HTTP_PORT": str(PORT), "DISABLE_SSH": "true", "START_SSH_SERVER": "false",
        "OFFLINE_MODE": "true", "LFS_START_SERVER": "false",
    },
    "service": {"DISABLE_REGISTRATION": "true", "REQUIRE_SIGNIN_VIEW": "true"},
    "database": {"DB_TYPE": "sqlite3", "SQLITE_JOURNAL_MODE": "WAL"},
    "repository": {"DEFAULT_BRANCH": "main", "DEFAULT_PRIVATE": "private"},
    "repository_0X2E_upload": {"ENABLED": "false"},
    "actions": {"ENABLED": "false"},
    "packages": {"ENABLED": "false"},
    "oauth2": {"ENABLED": "false"},
    "openid": {"ENABLE_OPENID_SIGNIN": "false"},
    "mirror": {"ENABLED": "false"},
    "migrations": {"ALLOWED_DOMAINS": "localhost.invalid"},
    "indexer": {"ISSUE_INDEXER_TYPE": "db"},
    "cron_0X2E_update_checker": {"ENABLED": "false"},
    "log": {"MODE": "console", "LEVEL": "Warn"},
}  # fmt: skip
"""Section and key as in app.ini; 0X2E is the dot of a section's name."""


def gitea_spec(
    settings: Settings, user_id: str, generation: int, *, secret_key: str, internal_token: str
) -> ServiceSpec:
    """The user's own Gitea of this generation, as a container.

    secret_key, internal_token: what its database is enciphered with and its hooks sign in by; the
    same for all generations, or the kept database is of no use.
    """
    database = settings.gitea_database(user_id)
    home, work = settings.gitea_folder(user_id) / "home", database.parent
    secrets = {"SECRET_KEY": secret_key, "INTERNAL_TOKEN": internal_token}
    return ServiceSpec(
        name=names.service(ROLE, user_id),
        user_id=user_id,
        role=ROLE,
        generation=generation,
        argv=(),
        env=_places(home, work) | _ini(_SETTINGS | _kept(database)) | _ini({"security": secrets}),
        home=home,
        workdir=work,
        health=Health("/api/healthz"),
        start_timeout=_START,
        image=settings.gitea_image,
        port=PORT,
        limits=limits_of(settings),
    )


def _places(home: Path, work: Path) -> dict[str, str]:
    """Where the image's scripts and Gitea itself put things."""
    return {
        "HOME": str(home),
        "USER": "git",  # who it runs as, also where the container's uid has no name
        "GITEA_WORK_DIR": str(work),
        "GITEA_CUSTOM": str(work / "custom"),
        "GITEA_APP_INI": str(home / "app.ini"),
        "GITEA_TEMP": _TEMPORARY,
        "TMPDIR": _TEMPORARY,
    }


def _kept(database: Path) -> dict[str, dict[str, str]]:
    """Sections whose paths must follow the folder, even where an older app.ini says otherwise."""
    work = database.parent
    places = {
        "database": {"PATH": database},
        "repository": {"ROOT": work / "repositories"},
        "server": {"APP_DATA_PATH": work},
        "lfs": {"PATH": work / "lfs"},
        "log": {"ROOT_PATH": work / "log"},
    }
    return {
        section: _SETTINGS.get(section, {}) | {key: str(path) for key, path in paths.items()}
        for section, paths in places.items()
    }


def _ini(sections: dict[str, dict[str, str]]) -> dict[str, str]:
    return {
        f"GITEA__{section}__{key}": value
        for section, keys in sections.items()
        for key, value in keys.items()
    }
