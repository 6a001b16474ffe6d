"""What the broker lets pass: a service of a user, and nothing more than the settings give one.

Whoever speaks to the broker may be somebody who should not: every field is looked at here.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from growqr import names
from growqr.config import Settings
from growqr.errors import Invalid
from growqr.stacks.base import Limits, ServiceSpec

LONGEST: Final = 600.0
"""Seconds a service may be given to become ready, and a command to run."""

_NAME: Final = re.compile(r"growqr-(opencode|gitea)-(u_[a-z0-9-]{1,32})")
_PATH: Final = re.compile(r"/[!-~]*")
_VARIABLE: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def check_name(name: object) -> tuple[str, str]:
    """(role, user id) of a service's name. Raises Invalid."""
    found = _NAME.fullmatch(name) if isinstance(name, str) else None
    _need(found is not None, "name", "is not the name of a user's service")
    assert found is not None
    return found[1], found[2]


def check_run(name: object, argv: object, timeout: object) -> tuple[str, list[str], float]:
    """A command that may run inside a service: those of `gitea admin`. Raises Invalid."""
    role, _ = check_name(name)
    words = argv if isinstance(argv, list) and all(isinstance(a, str) for a in argv) else []
    _need(role == "gitea" and words[:2] == ["gitea", "admin"], "argv", "only `gitea admin` runs")
    _need(isinstance(timeout, int | float) and 0 < timeout <= LONGEST, "timeout", "is too long")
    assert isinstance(timeout, int | float)
    return str(name), words, float(timeout)


def check_spec(settings: Settings, spec: ServiceSpec) -> None:
    """Raises Invalid naming the first field that asks for more than a user's service is."""
    role, user_id = check_name(spec.name)
    same = (spec.role, spec.user_id) == (role, user_id)
    _need(same and names.service(role, user_id) == spec.name, "name", "is of another user or role")
    images = {"opencode": settings.opencode_image, "gitea": settings.gitea_image}
    _need(spec.image == images[role], "image", f"is not {images[role]}")
    _check_limits(settings, spec.limits)
    own = settings.users_folder / user_id
    for field, paths in (("home", [spec.home]), ("workdir", [spec.workdir]),
                         ("read_only", spec.read_only)):  # fmt: skip
        _check_paths(field, paths, own)
    _need(0 <= spec.generation < 1 << 31, "generation", "is out of bounds")
    _need(0 < spec.port < 1 << 16, "port", "is no port")
    _need(0 < spec.start_timeout <= LONGEST, "start_timeout", f"is not within {LONGEST:g} s")
    _need(bool(_PATH.fullmatch(spec.health.path)), "health.path", "is no path")
    _need(all(map(_VARIABLE.fullmatch, spec.env)), "env", "has a name that is none")
    _need("\0" not in "".join((*spec.argv, *spec.env.values())), "argv", "has a NUL")


def _check_limits(settings: Settings, limits: Limits) -> None:
    """Zero would mean without limit to the engine, and so would what is no number."""
    _need(0 < limits.memory <= settings.service_memory << 20, "limits.memory", "is too much")
    _need(0 < limits.cpus <= settings.service_cpus, "limits.cpus", "is too much")
    _need(0 < limits.pids <= settings.service_pids, "limits.pids", "is too much")


def _check_paths(field: str, paths: Sequence[Path], own: Path) -> None:
    for path in paths:
        try:
            straight = path.is_absolute() and path.resolve() == path
        except (OSError, RuntimeError, ValueError):
            straight = False
        _need(straight and own in path.parents, field, "does not lie in the user's folder")


def _need(fine: bool, field: str, why: str) -> None:
    if not fine:
        raise Invalid(f"{field} {why}", {"field": field})
