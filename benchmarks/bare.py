"""The reference in the same Ray cluster: a named, detached actor that does nothing.

`python -m benchmarks.bare <data folder>` makes one and prints its pid; it ends with its input.
"""

from __future__ import annotations

import logging
import os
import sys
import uuid
from pathlib import Path
from typing import Any

from growqr import names
from growqr.instance.ray_head import joining
from growqr.instance.record import Record


def connect(data: Path) -> None:
    """Join the instance's cluster as a driver, with its token: Ray is not imported before."""
    record = Record.read(data)
    if record is None:
        raise SystemExit(f"no instance runs from {data}")
    os.environ.update(joining(data / "secrets" / "ray_token"))
    import ray

    address = f"127.0.0.1:{record.ports['gcs']}"
    ray.init(
        address=address, namespace=names.NAMESPACE, log_to_driver=False, logging_level=logging.ERROR
    )


def leave() -> None:
    """Part from the cluster before it ends: Ray ends the process of a driver that has lost it."""
    import ray

    ray.shutdown()


def start() -> Any:
    """Handle of a new bare actor: asynchronous, without CPUs, as agents are."""
    import ray

    class Bare:
        async def pid(self) -> int:
            import os

            return os.getpid()

    return (
        ray.remote(num_cpus=0, max_restarts=0)(Bare)
        .options(name=f"bare-{uuid.uuid4().hex}", lifetime="detached")
        .remote()
    )


def end(actor: Any) -> None:
    """End a bare actor."""
    import ray

    ray.kill(actor)


def main() -> None:
    """One actor for as long as standard input is open."""
    connect(Path(sys.argv[1]))
    import ray

    actor = start()
    print(ray.get(actor.pid.remote(), timeout=60), flush=True)
    sys.stdin.read()
    end(actor)


if __name__ == "__main__":
    main()
