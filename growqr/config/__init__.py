"""Settings: read once, frozen, every field with one line that says what it is for.

    settings    everything that can be chosen about an instance
    doors       a part of it: who may come in
    providers   keys and addresses of model providers
    sources     where they come from

`growqr up` reads the environment and `.env`, then writes what it found to `<data>/settings.json`
(0600). Every other process of the instance is told that file by GROWQR_SETTINGS and reads nothing
else, so that all of them agree and no secret travels in an environment.
Provider keys are not in that file: only the models app reads `<data>/secrets.env`.
"""

from growqr.config.base import secret_values
from growqr.config.providers import Providers
from growqr.config.settings import Settings, default_data
from growqr.config.sources import (
    CLIENT_KEYS,
    SNAPSHOT,
    child_environment,
    client_target,
    from_snapshot,
    load,
    postgres_programs,
    provider_keys,
    ray_auth_mode,
)

__all__ = [
    "CLIENT_KEYS",
    "SNAPSHOT",
    "Providers",
    "Settings",
    "child_environment",
    "client_target",
    "default_data",
    "from_snapshot",
    "load",
    "postgres_programs",
    "provider_keys",
    "ray_auth_mode",
    "secret_values",
]
