"""Deploy both Serve apps and ensure the system actors: a short-lived child of the daemon.

    python -m growqr.instance.deploy <file that will hold the GCS address>

It is started together with Ray, so that its imports take no time of their own. The apps and
actors stand above this room, so they are named, not imported.
"""

from __future__ import annotations

import sys
import traceback
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from pathlib import Path
from typing import Any

from growqr import logs
from growqr.config import Settings, load
from growqr.errors import InstanceError
from growqr.instance.processes import wait_until
from growqr.names import NAMESPACE

APPS = (("api", "deployments.api:build", "/"), ("models", "deployments.models:build", "/gateway"))
SYSTEM_ACTORS = "growqr.actors:ensure_system_actors"
DEADLINE = 120.0
"""Seconds until all replicas must run; a first start reads much from a cold disk."""


def deploy(settings: Settings, address_file: Path) -> None:
    """Bring the apps and actors of this code version up. Raises InstanceError with the reason."""
    import ray
    from ray import serve

    builders = [(name, _named(build), prefix) for name, build, prefix in APPS]
    ensure_system_actors = _named(SYSTEM_ACTORS)
    if not wait_until(lambda: _address(address_file) != "", DEADLINE):
        raise InstanceError(f"Ray has not told its address in {address_file}")
    ray.init(address=_address(address_file), namespace=NAMESPACE, log_to_driver=False)
    with ThreadPoolExecutor(1) as beside:  # the actors start while Serve does
        actors = beside.submit(ensure_system_actors)
        serve.start(
            proxy_location="EveryNode",
            # Of replicas and ingress alike; haproxy.py puts the latter where the settings say.
            http_options={"host": "127.0.0.1", "port": settings.port},
        )
        targets = [
            serve.RunTarget(build(settings), name=name, route_prefix=prefix)
            for name, build, prefix in builders
        ]
        serve.run_many(targets, wait_for_applications_running=False)
        actors.result(DEADLINE)
    _await_running(serve)


def _await_running(serve: Any) -> None:
    def settled() -> bool:
        apps = serve.status().applications
        for name, app in apps.items():
            if app.status in ("DEPLOY_FAILED", "UNHEALTHY"):
                told = [d.message for d in app.deployments.values() if d.message]
                raise InstanceError(f"app {name} does not start: {' '.join(told) or app.message}")
        return all(apps[name].status == "RUNNING" for name, _, _ in APPS)

    if not wait_until(settled, DEADLINE, interval=0.1):
        states = {name: str(app.status) for name, app in serve.status().applications.items()}
        raise InstanceError(f"the apps are not running after {DEADLINE:.0f} s: {states}")


def _address(file: Path) -> str:
    try:
        return file.read_text().strip()
    except FileNotFoundError:
        return ""


def _named(path: str) -> Any:
    module, _, name = path.partition(":")
    return getattr(import_module(module), name)


def main() -> None:
    """Deploy and leave; the detached actors and Serve stay."""
    try:
        settings = load()
        logs.guard(logs.secrets_of(settings))
        deploy(settings, Path(sys.argv[1]))
    except Exception as error:  # noqa: BLE001 (whatever it is, its last line is the reason)
        print(logs.blank(traceback.format_exc()), file=sys.stderr)
        reason = logs.blank(str(error)).strip().splitlines() or [type(error).__name__]
        print(f"growqr: deploying the apps failed: {reason[-1].strip()}", file=sys.stderr)
        sys.exit(1)


if __name__ == "__main__":
    main()
